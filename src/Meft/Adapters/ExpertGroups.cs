using System.Buffers;

namespace Meft.Adapters;

/// <summary>
/// The tokens of each expert: the transpose of a routing [T, P], by counting sort. The members of expert e are
/// Starts[e] … Starts[e+1]−1, their tokens ascending; a member's slot t·P + p says which probe of which token it is.
/// The arrays come from a pool and go back to it with <see cref="Dispose"/>.
/// </summary>
internal readonly struct ExpertGroups : IDisposable
{
    private readonly int[] _starts, _tokens, _slots;
    private readonly int _expertCount, _memberCount;

    private ExpertGroups(int expertCount, int memberCount)
    {
        (_expertCount, _memberCount) = (expertCount, memberCount);
        _starts = ArrayPool<int>.Shared.Rent(expertCount + 1);
        _tokens = ArrayPool<int>.Shared.Rent(memberCount);
        _slots = ArrayPool<int>.Shared.Rent(memberCount);
    }

    /// <summary>[N + 1].</summary>
    public ReadOnlySpan<int> Starts => _starts.AsSpan(0, _expertCount + 1);

    /// <summary>[T·P].</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _memberCount);

    /// <summary>[T·P].</summary>
    public ReadOnlySpan<int> Slots => _slots.AsSpan(0, _memberCount);

    /// <summary>Groups the probes of some tokens by expert.</summary>
    /// <param name="experts">[tokens, probe]: expert ids.</param>
    /// <param name="probe">P.</param>
    /// <param name="expertCount">N.</param>
    public static ExpertGroups Build(ReadOnlySpan<int> experts, int probe, int expertCount)
    {
        var groups = new ExpertGroups(expertCount, experts.Length);
        var starts = groups._starts.AsSpan(0, expertCount + 1);
        starts.Clear();
        foreach (var expert in experts) starts[expert + 1]++;
        for (var e = 0; e < expertCount; e++) starts[e + 1] += starts[e];

        // Each start moves to the end of its group while that fills up, which is where the next one began: the shift back restores them.
        for (var slot = 0; slot < experts.Length; slot++)
        {
            var at = starts[experts[slot]]++;
            groups._tokens[at] = slot / probe;
            groups._slots[at] = slot;
        }
        starts[..expertCount].CopyTo(starts[1..]);
        starts[0] = 0;
        return groups;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_starts);
        ArrayPool<int>.Shared.Return(_tokens);
        ArrayPool<int>.Shared.Return(_slots);
    }
}
