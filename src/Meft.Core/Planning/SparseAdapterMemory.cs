using Meft.Core.Adapters;
using Meft.Core.Configuration;

namespace Meft.Core.Planning;

/// <summary>What a sparse adapter takes beside its parameters, in bytes. Letters as in method.md.</summary>
/// <param name="spec">The adapter's sizes.</param>
/// <param name="width">w: bytes an element of the device's activations.</param>
/// <param name="tokens">T of the largest micro-batch.</param>
/// <param name="accelerator">Whether the device is not the CPU.</param>
internal sealed class SparseAdapterMemory(SparseAdapterSpec spec, int width, long tokens, bool accelerator)
{
    private const int Single = sizeof(float);

    /// <summary>An active entry between forward and backward: row, score, product, probe, and the two of the transpose.</summary>
    private const int KeptEntryBytes = 6 * sizeof(int);

    /// <summary>Candidate scores alive at once while a selection is made, in numbers, as <c>ActiveSetBuilder</c> has it.</summary>
    private const long CandidatesAtOnce = 1 << 20;

    /// <summary>Elements of a matrix of tokens by active rows at once, as <c>RowsTravel</c> has it.</summary>
    private const long MatrixElementsAtOnce = 1 << 22;

    /// <summary>More tokens than any step has: beyond them nothing grows, and nothing overflows.</summary>
    private const double MostTokens = 1e15;

    /// <summary>The gate's dense gradient, N·D·4 a layer.</summary>
    public long GateGradient => (long)spec.Layers.Count * spec.Experts * spec.HiddenSize * Single;

    /// <summary>Gradients of the rows that a step's micro-batches activate between them, 2·U·D·4 a layer.</summary>
    public long RowGradients(int microBatches) =>
        spec.Layers.Count * 2 * Single * spec.HiddenSize * Union((long)Math.Min((double)tokens * microBatches, MostTokens));

    /// <summary>
    /// What one adapted layer needs on the device: the activations that leave and arrive, or the active rows (2·U·D·w) with their gradients
    /// (2·U·D·4), the selection and matrices of tokens by active rows. On the CPU device activations are float32 copies: y, then dy and dx.
    /// </summary>
    public long WorkingSet(ExecutionKind execution)
    {
        var hidden = tokens * spec.HiddenSize;
        if (execution == ExecutionKind.Activations) return 2 * hidden * (accelerator ? width : Single);
        var entries = tokens * ExpectedUnion.MostPerToken(spec.Rank, spec.Experts, spec.Probe, spec.TopK);
        var chunk = 3 * Math.Min(tokens * Union(tokens), MatrixElementsAtOnce) * width; // scores, their gradients, those times c
        return hidden * width + chunk + 2 * Union(tokens) * spec.HiddenSize * (width + Single) + entries * LinkTraffic.BackwardEntryBytes;
    }

    /// <summary>x of every adapted layer as float32 in host memory, T·D·4, kept for the backward; with recompute too, which selects once for both passes.</summary>
    public long KeptInputs => spec.Layers.Count * tokens * spec.HiddenSize * Single;

    /// <summary>The active entries and the routing of every adapted layer, and the candidates of the one at work.</summary>
    public long Selections()
    {
        var entries = (long)(tokens * ExpectedUnion.ActivePerToken(spec.Rank, spec.Experts, spec.Probe, spec.TopK));
        var routing = tokens * (spec.Probe * (sizeof(int) + Single) + (spec.Gate == GateKind.Softmax ? spec.Experts * sizeof(double) : 0L));
        var atWork = CandidatesAtOnce * Single + tokens * spec.Experts * Single + 2 * entries * KeptEntryBytes;
        return spec.Layers.Count * (entries * KeptEntryBytes + routing) + atWork;
    }

    private long Union(long t) => ExpectedUnion.Rows(spec.Rank, spec.Experts, spec.Probe, spec.TopK, t);
}
