using System.Buffers;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Host;
using Meft.Kernels;

namespace Meft.Adapters;

/// <summary>
/// One adapted layer for a few tokens without gradients, as in generating: routing, the candidates' scores, k rows. No index is built and
/// nothing is allocated but from pools. The same bits as <see cref="SparseLayer.Forward"/>.
/// </summary>
internal sealed unsafe class FewTokensLayer(SparseAdapterSpec spec, HostParameterStore store)
{
    private readonly int _probe = spec.Experts == 0 ? 1 : spec.Probe;

    /// <summary>x [T, D] → y [T, D], float32 host memory.</summary>
    public void Forward(float* x, int tokenCount, float* y)
    {
        int candidates = _probe * spec.RowsPerExpert, most = spec.TopK == 0 ? candidates : Math.Min(spec.TopK, candidates);
        var slots = tokenCount * _probe;
        using var floats = new Rented<float>(tokenCount * (spec.Experts + candidates + most) + slots + candidates);
        using var ints = new Rented<int>(slots + tokenCount * most + tokenCount + 1 + most + candidates);
        using var scratch = new Rented<uint>(Math.Max(spec.Experts, candidates));
        fixed (float* f = floats.Span)
        fixed (int* n = ints.Span)
        {
            float* products = f, coefficients = products + tokenCount * candidates, scores = coefficients + slots;
            float* kept = scores + tokenCount * most, gates = kept + candidates;
            int* experts = n, rows = experts + slots, starts = rows + tokenCount * most, chosen = starts + tokenCount + 1, places = chosen + most;
            Route(x, tokenCount, gates, scratch.Span, experts, coefficients);
            ExpertScores.Compute(x, tokenCount, store.Keys.Weights.Data, experts, _probe, spec.RowsPerExpert, spec.HiddenSize, products);
            starts[0] = 0;
            for (var t = 0; t < tokenCount; t++)
            {
                var positive = KeepPositive(products + t * candidates, coefficients + t * _probe, kept, places);
                var active = LargestK.Select(new(kept, positive), most, scratch.Span, new(chosen, most));
                var from = starts[t];
                for (var a = 0; a < active; a++)
                {
                    var place = places[chosen[a]];
                    rows[from + a] = experts[t * _probe + place / spec.RowsPerExpert] * spec.RowsPerExpert + place % spec.RowsPerExpert;
                    scores[from + a] = kept[chosen[a]];
                }
                starts[t + 1] = from + active;
            }
            WeightedRowSum.Compute(store.Values.Weights.Data, starts, rows, scores, tokenCount, spec.HiddenSize, y);
        }
    }

    /// <summary>x [T, D] → the probed experts [T, P], ascending, and their coefficients; one expert of coefficient 1 where there is no router.</summary>
    private void Route(float* x, int tokenCount, float* gates, Span<uint> scratch, int* experts, float* coefficients)
    {
        if (spec.Experts == 0)
        {
            new Span<int>(experts, tokenCount).Clear();
            new Span<float>(coefficients, tokenCount).Fill(1);
            return;
        }
        // The gate's rows as those of a single expert.
        var zeros = stackalloc int[tokenCount];
        new Span<int>(zeros, tokenCount).Clear();
        ExpertScores.Compute(x, tokenCount, store.Gate.Weights.Data, zeros, 1, spec.Experts, spec.HiddenSize, gates);
        for (var t = 0; t < tokenCount; t++)
        {
            var row = new Span<float>(gates + (long)t * spec.Experts, spec.Experts);
            if (spec.Gate == GateKind.Softmax) KeyExpertsRouter.Softmax(row);
            var ofToken = new Span<int>(experts + t * _probe, _probe);
            LargestK.Select(row, _probe, scratch, ofToken);
            for (var p = 0; p < _probe; p++) coefficients[t * _probe + p] = row[ofToken[p]];
        }
    }

    /// <summary>Scores above zero, or NaN, with their places among the candidates; how many.</summary>
    private int KeepPositive(float* products, float* coefficients, float* kept, int* places)
    {
        var count = 0;
        for (var p = 0; p < _probe; p++)
        {
            var coefficient = coefficients[p];
            for (var place = p * spec.RowsPerExpert; place < (p + 1) * spec.RowsPerExpert; place++)
            {
                var score = coefficient * products[place];
                // Written in any case and kept or not: half of all scores are positive, and a branch would guess wrong as often.
                (places[count], kept[count]) = (place, score);
                count += score <= 0 ? 0 : 1;
            }
        }
        return count;
    }

    /// <summary>An array from the pool.</summary>
    private readonly struct Rented<T>(int length) : IDisposable
    {
        private readonly T[] _array = ArrayPool<T>.Shared.Rent(length);

        public Span<T> Span => _array;

        public void Dispose() => ArrayPool<T>.Shared.Return(_array);
    }
}
