namespace Meft.Adapters;

/// <summary>
/// The tokens of each expert: the transpose of a routing [T, P], by counting sort. The members of expert e are
/// Starts[e] … Starts[e+1]−1, their tokens ascending; a member's slot t·P + p says which probe of which token it is.
/// </summary>
internal readonly struct ExpertGroups
{
    private ExpertGroups(int[] starts, int[] tokens, int[] slots) => (Starts, Tokens, Slots) = (starts, tokens, slots);

    /// <summary>[N + 1].</summary>
    public int[] Starts { get; }

    /// <summary>[T·P].</summary>
    public int[] Tokens { get; }

    /// <summary>[T·P].</summary>
    public int[] Slots { get; }

    /// <summary>Groups the probes of some tokens by expert.</summary>
    /// <param name="experts">[tokens, probe]: expert ids.</param>
    /// <param name="probe">P.</param>
    /// <param name="expertCount">N.</param>
    public static ExpertGroups Build(ReadOnlySpan<int> experts, int probe, int expertCount)
    {
        var starts = new int[expertCount + 1];
        foreach (var expert in experts) starts[expert + 1]++;
        for (var e = 0; e < expertCount; e++) starts[e + 1] += starts[e];

        var next = starts.AsSpan(0, expertCount).ToArray();
        var tokens = new int[experts.Length];
        var slots = new int[experts.Length];
        for (var slot = 0; slot < experts.Length; slot++)
        {
            var at = next[experts[slot]]++;
            tokens[at] = slot / probe;
            slots[at] = slot;
        }
        return new ExpertGroups(starts, tokens, slots);
    }
}
