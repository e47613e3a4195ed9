using System.Text.RegularExpressions;
using Meft.Core.Errors;

namespace Meft.Core.Adapters.Lora;

/// <summary>How PEFT compares module names with patterns. Expressions come from files: each comparison has a time limit.</summary>
internal static class ModuleMatch
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);

    /// <summary>What is wrong with a regular expression; null where it is one.</summary>
    public static string? ProblemOf(string expression)
    {
        try
        {
            _ = new Regex(expression, RegexOptions.CultureInvariant, Limit);
            return null;
        }
        catch (ArgumentException e)
        {
            return $"'{expression}' is no regular expression: {e.Message}";
        }
    }

    /// <summary>Whether a module is meant by its name or by the end of its name after a dot.</summary>
    public static bool IsNamed(string module, IEnumerable<string> names) =>
        names.Any(name => module == name || module.EndsWith('.' + name, StringComparison.Ordinal));

    /// <summary>Whether an expression matches a module's whole name.</summary>
    /// <exception cref="InvalidInputException">The expression is none, or takes too long.</exception>
    public static bool Whole(string expression, string module) => Match($@"\A(?:{expression})\z", expression, module).Success;

    /// <summary>Whether an expression matches a module's whole name, or its end after a dot.</summary>
    /// <exception cref="InvalidInputException">The expression is none, or takes too long.</exception>
    public static bool Ending(string expression, string module) => Match($@"\A(?:.*\.)?(?:{expression})\z", expression, module).Success;

    /// <summary>The number after the first part of a name that an expression matches; null where there is none.</summary>
    /// <exception cref="InvalidInputException">The expression is none, or takes too long.</exception>
    public static int? LayerAfter(string expression, string module)
    {
        var match = Match($@"\A.*?\.(?:{expression})\.(?<layer>[0-9]{{1,9}})\.", expression, module);
        return match.Success ? int.Parse(match.Groups["layer"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : null;
    }

    private static Match Match(string anchored, string expression, string module)
    {
        try
        {
            return Regex.Match(module, anchored, RegexOptions.CultureInvariant, Limit);
        }
        catch (ArgumentException e)
        {
            throw new InvalidInputException($"'{expression}' is no regular expression: {e.Message}", null, "a regular expression for module names", null, e);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new InvalidInputException(
                $"comparing '{expression}' with {module} takes too long", null, "an expression without nested repetition", "list the modules' names instead", e);
        }
    }
}
