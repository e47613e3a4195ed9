using Meft.Core.Planning;
using Meft.Devices;
using Meft.Memory;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>
/// A selection on the device, entry by entry in the order of the tokens: token, place in the union and score; for a backward pass also the product
/// K·x, the coefficient and the place among the probes. Four bytes each.
/// </summary>
internal sealed class TravellingSelection : IDisposable
{
    private readonly ActiveSet _active;
    private readonly Tensor _integers, _singles;

    private TravellingSelection(ActiveSet active, Tensor integers, Tensor singles) => (_active, _integers, _singles) = (active, integers, singles);

    /// <summary>Whether the tokens probed experts.</summary>
    public bool HasProbes => _active.Routing is not null;

    /// <summary>Bytes of an active set's selection.</summary>
    public static long ByteCount(ActiveSet active, bool forBackward) =>
        (forBackward ? LinkTraffic.BackwardEntryBytes : LinkTraffic.ForwardEntryBytes) * (long)active.EntryCount;

    /// <summary>Sends a selection to the device.</summary>
    public static TravellingSelection Send(ActiveSet active, bool forBackward, IDeviceLink link)
    {
        var count = active.EntryCount;
        var (integers, singles) = (new int[(forBackward ? 3 : 2) * count], new float[(forBackward ? 3 : 1) * count]);
        var probe = active.Routing is { } routing ? routing.Coefficients.Length / active.TokenCount : 0;
        for (var u = 0; u < active.UnionCount; u++)
        {
            for (var i = active.UnionStarts[u]; i < active.UnionStarts[u + 1]; i++) integers[count + active.UnionEntries[i]] = u;
        }
        for (var t = 0; t < active.TokenCount; t++)
        {
            for (var i = active.TokenStarts[t]; i < active.TokenStarts[t + 1]; i++)
            {
                var place = t * probe + active.Probes[i];
                integers[i] = t;
                singles[i] = active.Scores[i];
                if (!forBackward) continue;
                integers[2 * count + i] = place;
                singles[count + i] = active.Products[i];
                singles[2 * count + i] = active.Routing?.Coefficients[place] ?? 1;
            }
        }
        using var scope = NewDisposeScope();
        var sentIntegers = link.ToDevice(tensor(integers, [integers.Length / count, count], ScalarType.Int32), ScalarType.Int32, LinkUse.Selection);
        var sentSingles = link.ToDevice(tensor(singles, [singles.Length / count, count], ScalarType.Float32), ScalarType.Float32, LinkUse.Selection);
        return new TravellingSelection(active, sentIntegers.DetachFromDisposeScope(), sentSingles.DetachFromDisposeScope());
    }

    /// <summary>The entries of <paramref name="count"/> tokens.</summary>
    public Part Chunk(int from, int count)
    {
        var (start, end) = (_active.TokenStarts[from], _active.TokenStarts[from + count]);
        var integers = _integers.narrow(1, start, end - start).to(ScalarType.Int64);
        var singles = _singles.narrow(1, start, end - start);
        var places = integers.select(0, 0).Plus(-from).Times(_active.UnionCount).Plus(integers.select(0, 1));
        return singles.shape[0] == 1
            ? new Part(count, _active.UnionCount, places, singles.select(0, 0), null)
            : new Part(
                count, _active.UnionCount, places, singles.select(0, 0),
                new BackwardPart(integers.select(0, 2), singles.select(0, 1), singles.select(0, 2)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _integers.Dispose();
        _singles.Dispose();
    }

    /// <summary>What a backward pass needs of n entries, each [n].</summary>
    /// <param name="ProbePlaces">Where each stands among all tokens' probes, [T·P].</param>
    /// <param name="Products">K·x.</param>
    /// <param name="Coefficients">c.</param>
    internal sealed record BackwardPart(Tensor ProbePlaces, Tensor Products, Tensor Coefficients);

    /// <summary>The n entries of some of the tokens, each [n]; freed with the scope they were made in.</summary>
    /// <param name="TokenCount">How many tokens.</param>
    /// <param name="UnionCount">U.</param>
    /// <param name="Places">Where each entry stands in a [tokens, U] matrix.</param>
    /// <param name="Scores">s.</param>
    /// <param name="Backward">What a backward pass needs besides; null where the selection was sent for a forward pass.</param>
    internal sealed record Part(int TokenCount, int UnionCount, Tensor Places, Tensor Scores, BackwardPart? Backward)
    {
        /// <summary>values [n] → [tokens, U], zero where nothing was selected.</summary>
        public Tensor Spread(Tensor values, ScalarType type) =>
            zeros((long)TokenCount * UnionCount, type, values.device).scatter_(0, Places, values.to(type)).view(TokenCount, UnionCount);

        /// <summary>matrix [tokens, U] → its numbers at the selected places, float32 [n].</summary>
        public Tensor Pick(Tensor matrix) => matrix.reshape(-1).gather(0, Places).to(ScalarType.Float32);
    }
}
