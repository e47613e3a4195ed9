namespace Meft.Host;

/// <summary>A matrix of trained parameters with its two Adam moments, all [rows, D] float32 in host memory.</summary>
public sealed class ParameterRows(int rows, int dimension) : IDisposable
{
    /// <summary>The parameters (float32 masters).</summary>
    public HostMatrix Weights { get; } = new(rows, dimension);

    /// <summary>Adam's first moments (<c>exp_avg</c>).</summary>
    public HostMatrix FirstMoments { get; } = new(rows, dimension);

    /// <summary>Adam's second moments (<c>exp_avg_sq</c>).</summary>
    public HostMatrix SecondMoments { get; } = new(rows, dimension);

    /// <summary>Which rows change between two marks, where they change one by one; null where any number may change in any step.</summary>
    public ChangedRows? Changed { get; init; }

    /// <summary>How many rows.</summary>
    public int Rows => Weights.Rows;

    /// <summary>Whether every number of the three matrices is finite.</summary>
    public bool IsFinite => Weights.IsFinite && FirstMoments.IsFinite && SecondMoments.IsFinite;

    /// <summary>Bytes of the three matrices.</summary>
    public long ByteCount => 3 * Weights.ByteCount;

    /// <inheritdoc/>
    public void Dispose()
    {
        Weights.Dispose();
        FirstMoments.Dispose();
        SecondMoments.Dispose();
    }
}
