using Meft.Memory;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>
/// Cross-entropy over trained positions only, in chunks, one type wider than the model: no tensor of all positions by the whole vocabulary
/// ever exists, and the gradient of a chunk is taken before the next one is computed.
/// </summary>
internal static class TrainedTokenLoss
{
    /// <summary>The most logits alive at once, in numbers: 32 MiB in float32, and as much again for their gradient.</summary>
    private const long LogitsAtOnce = 1 << 23;

    /// <summary>
    /// The sum of −log p(target) over n positions, in nats. With gradients on, also runs the backward of sum·<paramref name="scale"/> through the
    /// head, the decoder's layers and whatever stands beside them.
    /// </summary>
    /// <param name="decoder">Its head is used.</param>
    /// <param name="h">[T, D]: normed hidden states.</param>
    /// <param name="positions">[n]: indices among the T.</param>
    /// <param name="targets">[n]: the token to predict at each.</param>
    /// <param name="scale">Multiplies the gradient: 1 / trained tokens of the whole step.</param>
    /// <param name="ledger">Where the logits' bytes are counted.</param>
    public static double Compute(Decoder decoder, Tensor h, long[] positions, long[] targets, double scale, MemoryLedger ledger)
    {
        if (positions.Length == 0) return 0;
        using var scope = NewDisposeScope();
        var backward = is_grad_enabled() && h.requires_grad;
        using var indices = tensor(positions, int64, h.device);
        var selected = h.index_select(0, indices); // [n, D]
        // The head sees a leaf, so that each chunk's backward ends here and the chunk's graph can go.
        using var leaf = selected.detach().requires_grad_(backward);
        var chunk = (int)Math.Max(1, LogitsAtOnce / decoder.Config.VocabularySize);
        // One type wider than the model's: where p is near 1, the gradient p − 1 would lose most of its digits.
        var wide = decoder.DataType is ScalarType.Float32 or ScalarType.Float64 ? float64 : float32;
        double sum = 0;
        for (var start = 0; start < positions.Length; start += chunk)
        {
            using var chunkScope = NewDisposeScope();
            var count = Math.Min(chunk, positions.Length - start);
            // The logits, their wide copy and its gradient.
            var bytes = (long)count * decoder.Config.VocabularySize
                * (TensorMemory.ElementBytes(decoder.DataType) + 2 * TensorMemory.ElementBytes(wide));
            using var held = ledger.Hold(DeviceUse.Logits, bytes);
            using var wanted = tensor(targets[start..(start + count)], int64, h.device);
            var logits = decoder.Logits(leaf.narrow(0, start, count)).to(wide); // [chunk, V]
            var loss = nn.functional.cross_entropy(logits, wanted, reduction: nn.Reduction.Sum);
            if (backward) (loss * scale).backward();
            sum += loss.to(float64).item<double>();
        }
        if (backward) selected.backward([leaf.grad!]);
        return sum;
    }
}
