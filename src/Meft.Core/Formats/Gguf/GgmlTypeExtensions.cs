namespace Meft.Core.Formats.Gguf;

/// <summary>Names and block sizes of <see cref="GgmlType"/>.</summary>
public static class GgmlTypeExtensions
{
    private static readonly Dictionary<GgmlType, (string Name, int Weights, int Bytes)> Facts = new()
    {
        [GgmlType.F32] = ("F32", 1, 4),
        [GgmlType.F16] = ("F16", 1, 2),
        [GgmlType.Q40] = ("Q4_0", 32, 18),
        [GgmlType.Q41] = ("Q4_1", 32, 20),
        [GgmlType.Q50] = ("Q5_0", 32, 22),
        [GgmlType.Q51] = ("Q5_1", 32, 24),
        [GgmlType.Q80] = ("Q8_0", 32, 34),
        [GgmlType.Q2K] = ("Q2_K", 256, 84),
        [GgmlType.Q3K] = ("Q3_K", 256, 110),
        [GgmlType.Q4K] = ("Q4_K", 256, 144),
        [GgmlType.Q5K] = ("Q5_K", 256, 176),
        [GgmlType.Q6K] = ("Q6_K", 256, 210),
        [GgmlType.IQ2XXS] = ("IQ2_XXS", 256, 66),
        [GgmlType.IQ2XS] = ("IQ2_XS", 256, 74),
        [GgmlType.IQ3XXS] = ("IQ3_XXS", 256, 98),
        [GgmlType.IQ1S] = ("IQ1_S", 256, 50),
        [GgmlType.IQ4NL] = ("IQ4_NL", 32, 18),
        [GgmlType.IQ3S] = ("IQ3_S", 256, 110),
        [GgmlType.IQ2S] = ("IQ2_S", 256, 82),
        [GgmlType.IQ4XS] = ("IQ4_XS", 256, 136),
        [GgmlType.I8] = ("I8", 1, 1),
        [GgmlType.I16] = ("I16", 1, 2),
        [GgmlType.I32] = ("I32", 1, 4),
        [GgmlType.I64] = ("I64", 1, 8),
        [GgmlType.F64] = ("F64", 1, 8),
        [GgmlType.IQ1M] = ("IQ1_M", 256, 56),
        [GgmlType.BF16] = ("BF16", 1, 2),
        [GgmlType.TQ10] = ("TQ1_0", 256, 54),
        [GgmlType.TQ20] = ("TQ2_0", 256, 66),
        [GgmlType.MXFP4] = ("MXFP4", 32, 17),
    };

    private static readonly Dictionary<string, GgmlType> ByName = Facts.ToDictionary(f => f.Value.Name, f => f.Key, StringComparer.Ordinal);

    /// <summary>ggml's name of the type, such as <c>Q4_K</c>.</summary>
    public static string GgmlName(this GgmlType type) => Facts[type].Name;

    /// <summary>The weights of a block; 1 for plain numbers.</summary>
    public static int BlockWeights(this GgmlType type) => Facts[type].Weights;

    /// <summary>The bytes of a block.</summary>
    public static int BlockBytes(this GgmlType type) => Facts[type].Bytes;

    /// <summary>Whether the type is one of those known here, whether or not it can be decoded.</summary>
    public static bool IsKnown(this GgmlType type) => Facts.ContainsKey(type);

    /// <summary>The type of a ggml name.</summary>
    public static bool TryParse(string name, out GgmlType type) => ByName.TryGetValue(name, out type);
}
