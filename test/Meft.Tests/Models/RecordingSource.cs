using Meft.Core.Formats;
using TorchSharp;

namespace Meft.Tests.Models;

/// <summary>A source that keeps what was copied where, and how many tensors lived meanwhile.</summary>
internal sealed class RecordingSource(ITensorSource source) : ITensorSource
{
    public List<Copied> Copies { get; } = [];

    public string Path => source.Path;

    public IReadOnlyDictionary<string, TensorEntry> Tensors => source.Tensors;

    public void CopyTo(string name, nint destination, long byteLength) => throw new InvalidOperationException("loading reads rows");

    public float[] ReadSingles(string name) => throw new InvalidOperationException("loading reads rows");

    public void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination)
    {
        var bytes = rowCount * source.Tensors[name].RowLength * type.BitSize() / 8;
        Copies.Add(new Copied(name, destination, bytes, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
        source.CopyRows(name, firstRow, rowCount, type, destination);
    }

    public void Dispose() => source.Dispose();

    /// <summary>Rows that were copied.</summary>
    /// <param name="Name">Of what tensor.</param>
    /// <param name="Address">Where to.</param>
    /// <param name="Bytes">How many bytes.</param>
    /// <param name="LiveTensors">Tensors of this thread that lived at that time.</param>
    public sealed record Copied(string Name, nint Address, long Bytes, long LiveTensors);
}
