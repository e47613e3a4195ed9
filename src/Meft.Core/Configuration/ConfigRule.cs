namespace Meft.Core.Configuration;

/// <summary>A check of a whole config.</summary>
/// <param name="Keys">The keys it looks at; the error stands at the first of them that was given. Skipped where one was already refused.</param>
/// <param name="Problem">What is wrong, or null.</param>
/// <param name="Allowed">What is allowed instead.</param>
internal sealed record ConfigRule(IReadOnlyList<ConfigKey> Keys, Func<RunConfig, string?> Problem, string? Allowed);
