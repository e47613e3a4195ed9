using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>A layer that waits in host memory, all its numbers of a type in one contiguous block: what crosses to a device at one go.</summary>
internal sealed class HostLayer : IDisposable
{
    private readonly Dictionary<ScalarType, Tensor> _blocks = [];
    private readonly List<(string Name, ScalarType Type, long Start, long[] Shape)> _weights = [];

    /// <param name="weights">The names, types and shapes of its tensors, in their order within the blocks.</param>
    /// <param name="buffer">Makes a block of so many numbers of a type.</param>
    public HostLayer(IEnumerable<(string Name, ScalarType Type, long[] Shape)> weights, Func<long, ScalarType, Tensor> buffer)
    {
        try
        {
            foreach (var ofType in weights.GroupBy(weight => weight.Type))
            {
                long start = 0;
                foreach (var (name, type, shape) in ofType)
                {
                    _weights.Add((name, type, start, shape));
                    start += CountOf(shape);
                }
                _blocks.Add(ofType.Key, buffer(start, ofType.Key).DetachFromDisposeScope());
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The blocks, [n] of each type.</summary>
    public IReadOnlyDictionary<ScalarType, Tensor> Blocks => _blocks;

    /// <summary>Its tensors by name, as views of the blocks.</summary>
    public Dictionary<string, Tensor> Views() => ViewsOf(_blocks);

    /// <summary>Its tensors by name, as views of other blocks that hold the same numbers.</summary>
    public Dictionary<string, Tensor> ViewsOf(IReadOnlyDictionary<ScalarType, Tensor> blocks) =>
        _weights.ToDictionary(w => w.Name, w => View(blocks[w.Type], w.Start, w.Shape).DetachFromDisposeScope(), StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in _blocks.Values) block.Dispose();
    }

    private static long CountOf(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);

    private static Tensor View(Tensor block, long start, long[] shape)
    {
        using var part = block.narrow(0, start, CountOf(shape));
        return part.view(shape);
    }
}
