using Meft.Kernels.Loss;
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
    /// <summary>The most logits alive at once, in numbers: 16 MiB in bfloat16.</summary>
    private const long LogitsAtOnce = 1 << 23;

    /// <summary>
    /// The sum of −log p(target) over n positions, in nats. With gradients on, also runs the backward of sum·<paramref name="scale"/> through the
    /// head, the decoder's layers and whatever stands beside them.
    /// </summary>
    /// <param name="decoder">Its head is used.</param>
    /// <param name="h">[T, D]: normed hidden states.</param>
    /// <param name="positions">[n]: indices among the T.</param>
    /// <param name="targets">[n]: the token to predict at each.</param>
    /// <param name="scale">Multiplies the gradient: 1 / trained tokens of the whole step, times the step's factor (<see cref="GradientFactors"/>).</param>
    /// <param name="ledger">Where the logits' bytes are counted.</param>
    public static double Compute(Decoder decoder, Tensor h, long[] positions, long[] targets, double scale, MemoryLedger ledger)
    {
        if (positions.Length == 0) return 0;
        using var scope = NewDisposeScope();
        var backward = is_grad_enabled() && h.requires_grad;
        using var indices = tensor(positions, int64, h.device);
        var selected = h.index_select(0, indices); // [n, D]
        var gradient = backward ? empty_like(selected).detach() : null;
        var chunk = (int)Math.Max(1, LogitsAtOnce / decoder.Config.VocabularySize);
        double sum = 0;
        for (var start = 0; start < positions.Length; start += chunk)
        {
            using var chunkScope = NewDisposeScope();
            var count = Math.Min(chunk, positions.Length - start);
            // The head sees a leaf, so that each chunk's backward ends here and the chunk's graph can go.
            var leaf = selected.narrow(0, start, count).detach().requires_grad_(backward);
            using var held = ledger.Hold(DeviceUse.Logits, HeldBytes(decoder, leaf, count));
            var logits = decoder.Logits(leaf); // [chunk, V]
            sum += HostFloats.Takes(logits)
                ? OnHost(logits, targets.AsSpan(start, count), scale, backward)
                : ByTorch(logits, targets[start..(start + count)], scale, backward);
            if (backward) gradient!.narrow(0, start, count).copy_(leaf.grad!);
        }
        if (backward) selected.backward([gradient!]);
        BackwardHandles.FreeReturned();
        BackwardFailure.ThrowIfAny();
        return sum;
    }

    /// <summary>One kernel, in which the gradient takes the logits' place.</summary>
    private static unsafe double OnHost(Tensor logits, ReadOnlySpan<long> targets, double scale, bool backward)
    {
        using var scope = NewDisposeScope();
        var memory = logits.detach().contiguous();
        var losses = new double[targets.Length];
        fixed (long* target = targets)
        fixed (double* loss = losses)
        {
            CrossEntropyRows.Apply(
                HostFloats.Address(memory), HostFloats.Format(memory), target, targets.Length, (int)memory.shape[1], backward ? scale : null, loss);
        }
        // The head's own backward does not read what it computed.
        if (backward) logits.backward([memory]);
        return losses.Sum();
    }

    private static double ByTorch(Tensor logits, long[] targets, double scale, bool backward)
    {
        using var scope = NewDisposeScope();
        var wanted = tensor(targets, int64, logits.device);
        var loss = nn.functional.cross_entropy(logits.to(Wider(logits.dtype)), wanted, reduction: nn.Reduction.Sum);
        if (backward) loss.Times(scale).backward();
        return loss.to(float64).item<double>();
    }

    /// <summary>The logits, where they are capped their hyperbolic tangent, and where torch computes their wider copy and its gradient.</summary>
    private static long HeldBytes(Decoder decoder, Tensor h, int count)
    {
        var own = decoder.Config.SoftCaps.Logits is null ? 1 : 2;
        var each = own * TensorMemory.ElementBytes(decoder.DataType) + (HostFloats.Takes(h) ? 0 : 2 * TensorMemory.ElementBytes(Wider(h.dtype)));
        return (long)count * decoder.Config.VocabularySize * each;
    }

    /// <summary>One type wider than the model's: where p is near 1, the gradient p − 1 would lose most of its digits.</summary>
    private static ScalarType Wider(ScalarType type) => type is ScalarType.Float32 or ScalarType.Float64 ? float64 : float32;
}
