using System.Runtime.InteropServices;
using Meft.Core.Errors;
using Meft.Kernels;
using Meft.Native;

namespace Meft.Host;

/// <summary>
/// A float32 matrix in host memory outside the garbage collector's reach, addressed by row. Starts as zeros; on Linux it is mapped
/// anonymously with huge pages asked for, so rows that are never touched cost no physical memory.
/// </summary>
public sealed unsafe class HostMatrix : IDisposable
{
    private float* _data;

    /// <summary>Allocates zeros.</summary>
    /// <param name="rows">How many rows; 0 gives an empty matrix.</param>
    /// <param name="dimension">Floats a row.</param>
    /// <exception cref="RunFailedException">The system has not that much memory left.</exception>
    public HostMatrix(int rows, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        (Rows, Dimension) = (rows, dimension);
        if (ByteCount == 0) return;
        _data = OperatingSystem.IsLinux()
            ? (float*)AnonymousMemory.Map(ByteCount, "lower method.rank or method.layers, or free memory")
            : Allocate(ByteCount);
    }

    /// <summary>How many rows.</summary>
    public int Rows { get; }

    /// <summary>Floats a row.</summary>
    public int Dimension { get; }

    /// <summary>Bytes of address space taken.</summary>
    public long ByteCount => (long)Rows * Dimension * sizeof(float);

    /// <summary>Address of the first float; row i begins at i·Dimension. Valid while this object is in use: whoever takes it keeps the matrix.</summary>
    public float* Data => _data;

    /// <summary>One row.</summary>
    public Span<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new Span<float>(_data + (long)row * Dimension, Dimension);
    }

    /// <summary>Whether every number is finite.</summary>
    public bool IsFinite
    {
        get
        {
            var isFinite = Finite.All(_data, Rows, Dimension);
            GC.KeepAlive(this); // else the memory could be freed while it is read
            return isFinite;
        }
    }

    /// <summary>Sets every number to zero.</summary>
    public void Clear()
    {
        NativeMemory.Clear(_data, (nuint)ByteCount);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what <see cref="Dispose"/> was not called for.</summary>
    ~HostMatrix() => Free();

    private void Free()
    {
        if (_data is null) return;
        if (OperatingSystem.IsLinux()) AnonymousMemory.Unmap((nint)_data, ByteCount);
        else NativeMemory.AlignedFree(_data);
        _data = null;
    }

    private static float* Allocate(long bytes)
    {
        var address = (float*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(address, (nuint)bytes);
        return address;
    }
}
