using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// A layout's rows in classes by length: the first class holds those longer than half of the longest, the next those longer than a quarter, and so on.
/// So a class that is spread over [B, S] has less than half padding.
/// </summary>
internal sealed class LengthClasses : IDisposable
{
    /// <param name="layout">Rows that begin at position 0.</param>
    public LengthClasses(TokenLayout layout)
    {
        var classes = Enumerable.Range(0, layout.Rows).Where(row => layout.Lengths[row] > 0)
            .GroupBy(row => int.Log2(layout.Length / layout.Lengths[row])).OrderBy(c => c.Key).Select(c => c.ToList()).ToList();
        Layouts = [.. classes.Select(rows => TokenLayout.FromLengths([.. rows.Select(row => layout.Lengths[row])], layout.Device))];
        long[] order = [.. classes.SelectMany(rows => rows).SelectMany(row => Enumerable.Range(layout.Offsets[row], layout.Lengths[row])).Select(t => (long)t)];
        var places = new long[order.Length];
        foreach (var (place, token) in order.Index()) places[token] = place;
        Order = tensor(order, int64, layout.Device).DetachFromDisposeScope();
        Places = tensor(places, int64, layout.Device).DetachFromDisposeScope();
    }

    /// <summary>The layout of each class.</summary>
    public IReadOnlyList<TokenLayout> Layouts { get; }

    /// <summary>[T] int64: the tokens, class after class.</summary>
    public Tensor Order { get; }

    /// <summary>[T] int64: where in that order each token stands.</summary>
    public Tensor Places { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layout in Layouts) layout.Dispose();
        Order.Dispose();
        Places.Dispose();
    }
}
