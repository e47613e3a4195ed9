using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>A filter: <c>input | name(arguments)</c>.</summary>
internal delegate Value FilterFunction(ExpressionEvaluator evaluator, Value input, CallArguments arguments);

/// <summary>The filters that templates may use.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, FilterFunction> Known =
        ValueFilters.All.Concat(TextFilters.All).Concat(ListFilters.All).ToDictionary();

    /// <summary>The names of all filters.</summary>
    public static IEnumerable<string> Names => Known.Keys.Order(StringComparer.Ordinal);

    public static FilterFunction? Find(string name) => Known.GetValueOrDefault(name);
}
