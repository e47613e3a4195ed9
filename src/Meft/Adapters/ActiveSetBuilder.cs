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
        using var found = new Selection(tokenCount, chunk, most);
        var products = ArrayPool<float>.Shared.Rent(checked(chunk * candidates));
        var oneExpert = routing is null ? new int[chunk] : null;
        for (var from = 0; from < tokenCount; from += chunk)
        {
            var count = Math.Min(chunk, tokenCount - from);
            var experts = routing is null ? oneExpert.AsSpan(0, count) : routing.Experts.AsSpan(from * probe, count * probe);
            var groups = ExpertGroups.Build(experts, probe, Math.Max(1, spec.Experts));
            fixed (int* tokens = groups.Tokens, slots = groups.Slots)
            fixed (float* to = products)
            {
                GroupedScores.Compute(
                    x + (long)from * spec.HiddenSize, keys, groups.Starts, tokens, slots, spec.RowsPerExpert, spec.HiddenSize, to);
            }
            SelectChunk(products, routing, from, count, spec, found);
            found.TakeChunk(from, count);
        }
        ArrayPool<float>.Shared.Return(products);
        return found.ToActiveSet(routing, spec.Rank);
    }

    private static void SelectChunk(float[] products, Routing? routing, int from, int count, SparseAdapterSpec spec, Selection found)
    {
        var probe = routing is null ? 1 : spec.Probe;
        int e = spec.RowsPerExpert, candidates = probe * e;
        KernelThreads.For(count, grain: 16, (first, end) =>
        {
            var places = new int[candidates];
            var scores = new float[candidates];
            var scratch = new uint[candidates];
            var chosen = new int[found.Most];
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
                var active = LargestK.Select(scores.AsSpan(0, kept), found.Most, scratch, chosen);
                for (var a = 0; a < active; a++)
                {
                    var place = places[chosen[a]];
                    var (p, j) = Math.DivRem(place, e);
                    var expert = routing is null ? 0 : routing.Experts[t * probe + p];
                    found.Put(i, a, new Candidate(expert * e + j, scores[chosen[a]], ofToken[place], p));
                }
                found.SetCount(i, active);
            }
        });
    }

    private readonly record struct Candidate(int Row, float Score, float Product, int Probe);

    /// <summary>
    /// What has been selected: up to <paramref name="most"/> candidates for each token of the chunk at hand, and, of the chunks before it, the
    /// active ones alone, packed.
    /// </summary>
    private sealed class Selection(int tokenCount, int chunk, int most) : IDisposable
    {
        private readonly Candidate[] _chunk = ArrayPool<Candidate>.Shared.Rent(checked(chunk * most));
        private readonly int[] _counts = new int[chunk];
        private readonly int[] _starts = new int[tokenCount + 1];
        private readonly List<Candidate> _active = [];

        public int Most => most;

        public void Put(int tokenOfChunk, int place, Candidate candidate) => _chunk[tokenOfChunk * most + place] = candidate;

        public void SetCount(int tokenOfChunk, int count) => _counts[tokenOfChunk] = count;

        public void TakeChunk(int from, int count)
        {
            for (var i = 0; i < count; i++)
            {
                _active.AddRange(_chunk.AsSpan(i * most, _counts[i]));
                _starts[from + i + 1] = _active.Count;
            }
        }

        public void Dispose() => ArrayPool<Candidate>.Shared.Return(_chunk);

        public ActiveSet ToActiveSet(Routing? routing, int rank)
        {
            var total = _active.Count;
            var (rows, scores, products, probes) = (new int[total], new float[total], new float[total], new int[total]);
            for (var i = 0; i < total; i++) (rows[i], scores[i], products[i], probes[i]) = _active[i];
            return new ActiveSet(routing, _starts, rows, scores, products, probes, rank);
        }
    }
}
