using static Meft.Core.Configuration.ConfigSchema;

namespace Meft.Core.Configuration;

/// <summary>
/// Settings that the config knows and this version cannot carry out. They are refused here and nowhere else: no setting is ever
/// ignored. Whoever builds a feature removes its line.
/// </summary>
internal static class UnsupportedSettings
{
    /// <summary>One rule a feature.</summary>
    public static IReadOnlyList<ConfigRule> Rules { get; } =
    [
        Refuse(DType, c => c.DType == BaseDType.Fp16, "fp16", "auto | fp32 | bf16"),
    ];

    private static ConfigRule Refuse(ConfigKey key, Func<RunConfig, bool> uses, string feature, string allowedNow) =>
        new([key], c => uses(c) ? $"{key.Write(c)}: {feature} is not supported by this version yet" : null, $"{allowedNow} (for now)");
}
