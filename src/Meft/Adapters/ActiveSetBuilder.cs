using System.Buffers;
using Meft.Core.Adapters;
using Meft.Kernels;

namespace Meft.Adapters;

/// <summary>
/// Selection: candidate scores of the probed experts' rows, and of these the k largest that are positive. Works through the tokens in
/// chunks, so that the candidate scores, T·P·E numbers, never stand in memory at once.
/// </summary>
internal static unsafe class ActiveSetBuilder
{
    private const int CandidatesAtOnce = 1 << 20;

    /// <summary>Selects the active neurons of every token. x [T, D], K [R, D], G [N, D] → the active set.</summary>
    public static ActiveSet Build(float* x, int tokenCount, float* keys, float* gate, SparseAdapterSpec spec)
    {
        var routing = spec.Experts > 0 ? KeyExpertsRouter.Route(x, tokenCount, gate, spec) : null;
        var probe = routing is null ? 1 : spec.Probe;
        var candidates = probe * spec.RowsPerExpert;
        var most = spec.TopK == 0 ? candidates : Math.Min(spec.TopK, candidates);
        var chunk = Math.Clamp(CandidatesAtOnce / candidates, 1, tokenCount);
        using var found = new Selection(chunk, most);
        var starts = new int[tokenCount + 1];
        var active = new ActiveEntries(checked(chunk * most));
        var products = ArrayPool<float>.Shared.Rent(checked(chunk * candidates));
        var oneExpert = routing is null ? new int[chunk] : null;
        for (var from = 0; from < tokenCount; from += chunk)
        {
            var count = Math.Min(chunk, tokenCount - from);
            var experts = routing is null ? oneExpert.AsSpan(0, count) : routing.Experts.AsSpan(from * probe, count * probe);
            using var groups = ExpertGroups.Build(experts, probe, Math.Max(1, spec.Experts));
            fixed (int* tokens = groups.Tokens, slots = groups.Slots)
            fixed (float* to = products)
            {
                GroupedScores.Compute(
                    x + (long)from * spec.HiddenSize, keys, groups.Starts, tokens, slots, spec.RowsPerExpert, spec.HiddenSize, to);
            }
            SelectChunk(products, routing, from, count, spec, found);
            for (var i = 0; i < count; i++)
            {
                active.Append(found.Entries, i * most, found.Counts[i]);
                starts[from + i + 1] = active.Count;
            }
        }
        ArrayPool<float>.Shared.Return(products);
        return new ActiveSet(routing, starts, active, spec.Rank);
    }

    private static void SelectChunk(float[] products, Routing? routing, int from, int count, SparseAdapterSpec spec, Selection found)
    {
        var probe = routing is null ? 1 : spec.Probe;
        int e = spec.RowsPerExpert, candidates = probe * e;
        KernelThreads.For(count, grain: 16, (first, end) =>
        {
            var places = ArrayPool<int>.Shared.Rent(candidates);
            var scores = ArrayPool<float>.Shared.Rent(candidates);
            var scratch = ArrayPool<uint>.Shared.Rent(candidates);
            var chosen = ArrayPool<int>.Shared.Rent(found.Most);
            for (var i = first; i < end; i++)
            {
                var t = from + i;
                var ofToken = products.AsSpan(i * candidates, candidates);
                var kept = 0;
                for (var p = 0; p < probe; p++)
                {
                    var coefficient = routing is null ? 1f : routing.Coefficients[t * probe + p];
                    for (var place = p * e; place < (p + 1) * e; place++)
                    {
                        var score = coefficient * ofToken[place];
                        // A candidate at or below zero is never active, whether among the k largest or not. NaN is kept, to be seen.
                        // Written in any case and kept or not: half of all scores are positive, and a branch would guess wrong as often.
                        (places[kept], scores[kept]) = (place, score);
                        kept += score <= 0 ? 0 : 1;
                    }
                }
                found.Counts[i] = LargestK.Select(scores.AsSpan(0, kept), found.Most, scratch, chosen);
                for (int a = 0, p = 0; a < found.Counts[i]; a++)
                {
                    var place = places[chosen[a]];
                    while (place >= (p + 1) * e) p++;
                    var expert = routing is null ? 0 : routing.Experts[t * probe + p];
                    found.Entries.Put(i * found.Most + a, expert * e + place - p * e, scores[chosen[a]], ofToken[place], p);
                }
            }
            ArrayPool<int>.Shared.Return(places);
            ArrayPool<float>.Shared.Return(scores);
            ArrayPool<uint>.Shared.Return(scratch);
            ArrayPool<int>.Shared.Return(chosen);
        });
    }

    /// <summary>What has been selected for each token of a chunk: up to <paramref name="most"/> entries, from most·i on.</summary>
    private sealed class Selection(int chunk, int most) : IDisposable
    {
        public ActiveEntries Entries { get; } = new(checked(chunk * most));

        public int[] Counts { get; } = ArrayPool<int>.Shared.Rent(chunk);

        public int Most => most;

        public void Dispose()
        {
            Entries.Dispose();
            ArrayPool<int>.Shared.Return(Counts);
        }
    }
}
