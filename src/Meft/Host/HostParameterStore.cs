using Meft.Core.Adapters;

namespace Meft.Host;

/// <summary>
/// All that one adapted layer keeps in host memory, addressed by row: keys K [R, D], values V [R, D], the gate G [N, D], their Adam
/// moments, the gradients of the rows that were active in this step, and the gate's dense gradient [N, D].
/// </summary>
public sealed class HostParameterStore : IDisposable
{
    /// <summary>Allocates zeros for one layer of a spec.</summary>
    public HostParameterStore(SparseAdapterSpec spec)
    {
        Changed = new ChangedRows(spec.Rank);
        Keys = new ParameterRows(spec.Rank, spec.HiddenSize) { Changed = Changed };
        Values = new ParameterRows(spec.Rank, spec.HiddenSize) { Changed = Changed };
        Gate = new ParameterRows(spec.Experts, spec.HiddenSize);
        GateGradient = new HostMatrix(spec.Experts, spec.HiddenSize);
        RowGradients = new RowGradients(spec.Rank, spec.HiddenSize);
    }

    /// <summary>The rows whose K, V or moments the optimizer has changed since a mark; who changes them tells it.</summary>
    public ChangedRows Changed { get; }

    /// <summary>K with its moments.</summary>
    public ParameterRows Keys { get; }

    /// <summary>V with its moments.</summary>
    public ParameterRows Values { get; }

    /// <summary>G with its moments; no rows without a router.</summary>
    public ParameterRows Gate { get; }

    /// <summary>dG, accumulated over a step.</summary>
    public HostMatrix GateGradient { get; }

    /// <summary>dK and dV of the rows touched in this step.</summary>
    public RowGradients RowGradients { get; }

    /// <summary>Bytes of parameters, moments and gradients.</summary>
    public long ByteCount =>
        Keys.ByteCount + Values.ByteCount + Gate.ByteCount + GateGradient.ByteCount + RowGradients.ByteCount;

    /// <summary>Forgets the gradients of the step.</summary>
    public void ClearGradients()
    {
        RowGradients.Clear();
        if (GateGradient.Rows > 0) GateGradient.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Keys.Dispose();
        Values.Dispose();
        Gate.Dispose();
        GateGradient.Dispose();
        RowGradients.Dispose();
    }
}
