namespace Meft.Core.Configuration;

/// <summary>A value for the modules whose name matches, an entry of PEFT's <c>rank_pattern</c> or <c>alpha_pattern</c>.</summary>
/// <param name="Pattern">A regular expression for the whole name, or for its end after a dot.</param>
/// <param name="Value">The value of these modules.</param>
public sealed record ModulePattern<T>(string Pattern, T Value);
