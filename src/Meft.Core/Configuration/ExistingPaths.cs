using Meft.Core.Storage;
using static Meft.Core.Configuration.ConfigSchema;

namespace Meft.Core.Configuration;

/// <summary>Rules for those who want to know before any work that what a run reads is there.</summary>
internal static class ExistingPaths
{
    private static readonly ConfigRule OfTrain = Rule(Train, c => c.Data.Train, "existing files");

    private static readonly IReadOnlyList<ConfigRule> OfTheRest =
    [
        Rule(Model, c => c.Model.Length == 0 ? [] : [c.Model], "an existing Hugging Face folder or .gguf file"),
        Rule(Init, c => c.Method.Init is { } adapter ? [adapter] : [], "an existing adapter folder"),
        Rule(Validation, c => c.Data.Validation, "existing files"),
    ];

    /// <summary>The rules.</summary>
    /// <param name="withTrain">Whether <c>data.train</c> has to be there as well.</param>
    public static IReadOnlyList<ConfigRule> Rules(bool withTrain) => withTrain ? [.. OfTheRest, OfTrain] : OfTheRest;

    private static ConfigRule Rule(ConfigKey key, Func<RunConfig, IEnumerable<string>> paths, string allowed) => new(
        [key], config => Problem(paths(config).Where(path => !Path.Exists(path)).Distinct().ToList()), allowed);

    private static string? Problem(List<string> missing) => missing.Count == 0 ? null : string.Join(", and ", missing.Select(path =>
        $"{path} does not exist" + (NearestPath.IfClose(path) is { } nearest ? $" (the nearest path is {nearest})" : "")));
}
