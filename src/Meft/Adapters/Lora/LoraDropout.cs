using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Lora;

/// <summary>
/// Dropout whose masks are a function of where they are used: seed, step, micro-batch, layer and map. A resumed run, and a forward pass that is
/// run again in the backward, draw the same masks; no generator keeps a state.
/// </summary>
/// <param name="Rate">The share of numbers that become zero; the others are multiplied with 1 / (1 − rate).</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The step, 1 for the first.</param>
/// <param name="MicroBatch">The micro-batch of that step, 0 for the first.</param>
internal sealed record LoraDropout(double Rate, ulong Seed, long Step, int MicroBatch)
{
    /// <summary>x [T, in], float32 → [T, in] with some numbers zero.</summary>
    public Tensor Apply(Tensor x, int layer, LinearMap map)
    {
        using var scope = NewDisposeScope();
        // Drawn in host memory on every device: libtorch's binding seeds generators of the CPU only, and so all devices draw the same masks.
        using var generator = new Generator(Key(layer, map), CPU);
        Tensor mask;
        using (no_grad()) mask = empty(x.shape, x.dtype, CPU).bernoulli_(1 - Rate, generator).TimesInPlace(1 / (1 - Rate)).to(x.device);
        return (x * mask).MoveToOuterDisposeScope();
    }

    private ulong Key(int layer, LinearMap map)
    {
        var key = Mix(Seed + 0x9e3779b97f4a7c15);
        foreach (var part in (ReadOnlySpan<long>)[Step, MicroBatch, layer, (long)map]) key = Mix(key ^ (ulong)part) + 0x9e3779b97f4a7c15;
        return key;
    }

    // SplitMix64's output function (Steele et al., 2014).
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
