using System.Text;
using Meft.Core.Errors;

namespace Meft.Core.Configuration;

/// <summary>One error of a config.</summary>
/// <param name="Location">Where it stands: <c>file:line</c>, or <c>--set key=value</c>.</param>
/// <param name="Key">The key's path, for example <c>method.rank</c>; null for an error of the file as a whole.</param>
/// <param name="Problem">What was wrong, with the value.</param>
/// <param name="Allowed">What is allowed; null if the problem says it.</param>
public sealed record ConfigError(string Location, string? Key, string Problem, string? Allowed)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder(Location).Append(": ");
        if (Key is not null) text.Append(Key).Append(": ");
        text.Append(Problem.TrimEnd('.')).Append('.');
        if (Allowed is not null) text.Append(" Allowed: ").Append(Allowed.TrimEnd('.')).Append('.');
        return text.ToString();
    }
}

/// <summary>A config that cannot be used, with all of its errors.</summary>
public sealed class ConfigException : InvalidInputException
{
    internal ConfigException(string path, IReadOnlyList<ConfigError> errors, Exception? cause = null, string kind = "config")
        : base(Summary(errors, kind), errors.Count == 1 ? errors[0].Location : path, errors.Count == 1 ? errors[0].Allowed : null, null, cause) =>
        Errors = errors;

    /// <summary>Every error found, in the order of the file, those of overrides last.</summary>
    public IReadOnlyList<ConfigError> Errors { get; }

    private static string Summary(IReadOnlyList<ConfigError> errors, string kind)
    {
        if (errors is [var only]) return only.Key is null ? only.Problem : $"{only.Key}: {only.Problem}";
        return $"{errors.Count} errors in the {kind}:\n  {string.Join("\n  ", errors)}";
    }
}
