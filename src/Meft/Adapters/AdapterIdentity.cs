namespace Meft.Adapters;

/// <summary>What an adapter's files say of the base model they belong to.</summary>
/// <param name="BaseModel">The base model as the run named it: a path or a name.</param>
/// <param name="BaseConfigHash">SHA-256 of the base's config.json, hexadecimal.</param>
/// <param name="TemplateFingerprint">SHA-256 of the base's chat template, hexadecimal; null where it has none.</param>
public sealed record AdapterIdentity(string BaseModel, string BaseConfigHash, string? TemplateFingerprint);
