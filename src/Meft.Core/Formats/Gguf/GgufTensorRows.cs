namespace Meft.Core.Formats.Gguf;

/// <summary>The rows of a tensor and their order in the file.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="RowWeights">The weights of a row.</param>
/// <param name="HeadSize">The rows of a head where rows are permuted within heads, else 0.</param>
internal sealed record GgufTensorRows(GgufTensor Tensor, int RowWeights, long HeadSize)
{
    /// <summary>The number of rows.</summary>
    public long Count { get; } = RowWeights == 0 ? 0 : Tensor.ElementCount / RowWeights;

    /// <summary>What the file's weights are larger by than Hugging Face's.</summary>
    public float Shift { get; init; }

    /// <summary>The rows of a tensor of a model.</summary>
    /// <exception cref="GgufException">The rows are permuted, but their number does not fit the model's heads.</exception>
    public static GgufTensorRows Create(GgufFile file, GgufTensor tensor, GgufModelConfig config, GgufArchitecture architecture)
    {
        var heads = GgufTensorNames.PermutedHeads(tensor.Name, config, architecture);
        var shift = tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal) ? architecture.NormShift : 0;
        if (heads == 0) return new GgufTensorRows(tensor, (int)tensor.RowWeights, HeadSize: 0) { Shift = shift };
        // The rows of a bias are single numbers.
        var rows = new GgufTensorRows(tensor, tensor.Shape.Count < 2 ? 1 : (int)tensor.RowWeights, HeadSize: 0);
        if (rows.Count % (2L * heads) == 0 && rows.RowWeights % tensor.Type.BlockWeights() == 0)
            return rows with { HeadSize = rows.Count / heads };
        throw new GgufException(
            file.Path,
            $"{rows.Count} rows of {rows.RowWeights} {tensor.Type.GgmlName()} weights cannot be put in order for {heads} heads",
            tensor.Offset, tensor.Name, $"a multiple of {2L * heads} rows");
    }

    /// <summary>How many rows can be read at one go: those in another order only one by one.</summary>
    /// <param name="wanted">How many would be read if they stood behind one another.</param>
    public int AtOnce(int wanted) => HeadSize == 0 ? Math.Max(1, wanted) : 1;

    /// <summary>The row in the file of a row in Hugging Face's order.</summary>
    public long RowInFile(long row) => HeadSize == 0 ? row : GgufTensorNames.PermutedRow(row, HeadSize);
}
