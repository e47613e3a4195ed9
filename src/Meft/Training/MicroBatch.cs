using Meft.Core.Data;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>Rows on the device: packed ids, where they stand, and what is predicted where.</summary>
internal sealed class MicroBatch : IDisposable
{
    private MicroBatch(IReadOnlyList<TokenRow> rows, Tensor ids, TokenLayout layout, long[] positions, long[] targets) =>
        (Rows, Ids, Layout, Positions, Targets) = (rows, ids, layout, positions, targets);

    /// <summary>The rows.</summary>
    public IReadOnlyList<TokenRow> Rows { get; }

    /// <summary>[T] int64.</summary>
    public Tensor Ids { get; }

    /// <summary>Where the T tokens stand.</summary>
    public TokenLayout Layout { get; }

    /// <summary>[n]: the tokens, among the T, whose successor is trained.</summary>
    public long[] Positions { get; }

    /// <summary>[n]: that successor's label.</summary>
    public long[] Targets { get; }

    /// <summary>Puts rows on a device; nothing is padded.</summary>
    public static MicroBatch Create(IReadOnlyList<TokenRow> rows, Device device)
    {
        var ids = tensor([.. rows.SelectMany(r => r.InputIds).Select(id => (long)id)], int64, device).DetachFromDisposeScope();
        var layout = TokenLayout.FromLengths([.. rows.Select(r => r.Length)], device);
        var positions = new List<long>();
        var targets = new List<long>();
        for (var row = 0; row < rows.Count; row++)
        {
            var labels = rows[row].Labels;
            for (var i = 1; i < labels.Length; i++)
            {
                if (labels[i] == TokenRow.Ignored) continue;
                positions.Add(layout.Offsets[row] + i - 1);
                targets.Add(labels[i]);
            }
        }
        return new MicroBatch(rows, ids, layout, [.. positions], [.. targets]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ids.Dispose();
        Layout.Dispose();
    }
}
