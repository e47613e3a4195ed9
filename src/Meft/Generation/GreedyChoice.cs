using Meft.Kernels.Rows;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Generation;

/// <summary>The likeliest token of each row, found in the logits where they lie: neither widened nor copied.</summary>
internal static unsafe class GreedyChoice
{
    /// <summary>Whether logits can be read here.</summary>
    public static bool Takes(Tensor logits) => HostFloats.Takes(logits) && logits.is_contiguous();

    /// <summary>logits [B, V] → one token a row, of equally likely ones the lowest.</summary>
    /// <exception cref="Core.Errors.RunFailedException">A row's logits are not finite.</exception>
    public static int[] Choose(Tensor logits, List<GeneratingRow> rows)
    {
        var tokens = new int[rows.Count];
        Span<float> greatest = stackalloc float[rows.Count];
        LargestOfRow.Find(HostFloats.Address(logits), HostFloats.Format(logits), tokens.Length, (int)logits.shape[1], tokens, greatest);
        GC.KeepAlive(logits);
        for (var slot = 0; slot < tokens.Length; slot++) FiniteLogit.Require(greatest[slot], rows[slot].DrawIndex, rows[slot].Length);
        return tokens;
    }
}
