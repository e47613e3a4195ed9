using System.Runtime.InteropServices;
using Meft.Core.Formats;
using Meft.Host;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>A tensor of a checkpoint's state: rows of numbers in host memory, all of them or a choice.</summary>
internal sealed unsafe class StateTensor
{
    private const int BlockBytes = 1 << 22;
    private readonly byte* _data;
    private readonly HostMatrix? _owner; // its memory lives as long as this
    private readonly long _rowBytes;
    private readonly int[]? _rows;

    private StateTensor(string name, TensorDType dtype, IReadOnlyList<long> shape, byte* data, HostMatrix? owner, long rowBytes, long rowCount, int[]? rows)
    {
        _data = data;
        _owner = owner;
        (Name, DType, Shape, _rowBytes, RowCount, _rows) = (name, dtype, shape, rowBytes, rowCount, rows);
    }

    /// <summary>Its name in the file.</summary>
    public string Name { get; }

    /// <summary>Its element type.</summary>
    public TensorDType DType { get; }

    /// <summary>Its shape in the file.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>How many rows it has in the file.</summary>
    public long RowCount { get; }

    /// <summary>Bytes in the file.</summary>
    public long ByteCount => RowCount * _rowBytes;

    /// <summary>A whole matrix.</summary>
    public static StateTensor Whole(string name, IReadOnlyList<long> shape, HostMatrix matrix) =>
        new(name, TensorDType.F32, shape, (byte*)matrix.Data, matrix, (long)matrix.Dimension * sizeof(float), matrix.Rows, null);

    /// <summary>Some rows of a matrix: [rows, D].</summary>
    public static StateTensor Chosen(string name, int[] rows, HostMatrix matrix) =>
        new(name, TensorDType.F32, [rows.Length, matrix.Dimension], (byte*)matrix.Data, matrix, (long)matrix.Dimension * sizeof(float), rows.Length, rows);

    /// <summary>Whole numbers: [count]; the matrix holds their bits, one a row.</summary>
    public static StateTensor Integers(string name, HostMatrix bits) =>
        new(name, TensorDType.I32, [bits.Rows], (byte*)bits.Data, bits, sizeof(int), bits.Rows, null);

    /// <summary>The same tensor with its numbers elsewhere, in the order of the file.</summary>
    /// <param name="data">Where they lie; the caller keeps what is there.</param>
    public StateTensor At(nint data) => new(Name, DType, Shape, (byte*)data, null, _rowBytes, RowCount, null);

    /// <summary>Copies rows, as the file will have them.</summary>
    /// <param name="from">The first row of the file.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="target">Where the first one goes.</param>
    public void CopyTo(long from, long count, byte* target)
    {
        if (_rows is null)
        {
            Copy(from, target, count * _rowBytes);
            return;
        }
        for (var row = from; row < from + count; row++, target += _rowBytes) Copy(_rows[row], target, _rowBytes);
    }

    /// <summary>Writes the tensor's bytes.</summary>
    public void Write(Stream file)
    {
        if (_rows is null)
        {
            for (long done = 0; done < ByteCount; done += BlockBytes)
                file.Write(new ReadOnlySpan<byte>(_data + done, (int)Math.Min(BlockBytes, ByteCount - done)));
            GC.KeepAlive(_owner);
            return;
        }
        var rowsAtOnce = Math.Max(1, BlockBytes / _rowBytes);
        var block = (byte*)NativeMemory.Alloc((nuint)(rowsAtOnce * _rowBytes));
        try
        {
            for (long done = 0; done < RowCount; done += rowsAtOnce)
            {
                var count = Math.Min(rowsAtOnce, RowCount - done);
                CopyTo(done, count, block);
                file.Write(new ReadOnlySpan<byte>(block, (int)(count * _rowBytes)));
            }
        }
        finally
        {
            NativeMemory.Free(block);
        }
    }

    private void Copy(long row, byte* target, long bytes)
    {
        if (bytes > 0) Buffer.MemoryCopy(_data + row * _rowBytes, target, bytes, bytes);
        GC.KeepAlive(_owner);
    }
}
