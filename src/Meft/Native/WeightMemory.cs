using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// One region of host memory in huge pages from which the tensors of a model are cut: most are too small to have such pages by themselves, and taking memory in
/// small ones costs more than reading the model. It is given back when this is disposed of and no tensor, nor a view of one, is left.
/// </summary>
internal sealed unsafe class WeightMemory : IDisposable
{
    /// <summary>Tensors begin at multiples of it, as libtorch's own do.</summary>
    private const int Alignment = 64;

    private static readonly ConcurrentDictionary<nint, WeightMemory> Owners = new();

    /// <summary>Whether the system has the memory back.</summary>
    internal bool IsGivenBack { get; private set; }

    private readonly nint _mapped, _start;
    private readonly long _bytes;
    private long _used;
    private int _holders = 1; // this
    private bool _disposed;

    private WeightMemory(long bytes)
    {
        _bytes = bytes;
        _mapped = AnonymousMemory.Map(bytes + AnonymousMemory.HugePageBytes, "take quantize, or a smaller dtype or model, or free memory");
        _start = (nint)RoundUp(_mapped, AnonymousMemory.HugePageBytes);
    }

    /// <summary>Memory for tensors of these sizes; null where it would be of no use: they are few, or the system is another than Linux.</summary>
    /// <param name="byteCounts">The bytes of each tensor.</param>
    /// <exception cref="Core.Errors.RunFailedException">The system has not so much.</exception>
    public static WeightMemory? TryFor(IEnumerable<long> byteCounts)
    {
        var bytes = byteCounts.Sum(count => RoundUp(count, Alignment));
        return OperatingSystem.IsLinux() && bytes >= 2 * AnonymousMemory.HugePageBytes ? new WeightMemory(bytes) : null;
    }

    /// <summary>A tensor whose numbers are not set.</summary>
    /// <exception cref="InvalidOperationException">There is no room for it.</exception>
    public Tensor Take(long[] shape, ScalarType type)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var count = shape.Aggregate(1L, (product, size) => product * size);
        if (count == 0) return empty(shape, type, CPU);
        var bytes = count * TensorMemory.ElementBytes(type);
        if (_used + bytes > _bytes) throw new InvalidOperationException($"{_bytes - _used} bytes are left, not {bytes}");
        var address = _start + (nint)_used;
        _used += RoundUp(bytes, Alignment);
        Owners[address] = this;
        Interlocked.Increment(ref _holders);
        Tensor flat;
        try
        {
            flat = ForeignTensor.Over(address, count, type, &Release);
        }
        catch
        {
            // There is no tensor that would do it.
            if (Owners.TryRemove(address, out _)) Drop();
            throw;
        }
        using (flat) return flat.view(shape);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Drop();
    }

    private void Drop()
    {
        if (Interlocked.Decrement(ref _holders) > 0) return;
        AnonymousMemory.Unmap(_mapped, _bytes + AnonymousMemory.HugePageBytes);
        IsGivenBack = true;
    }

    private static long RoundUp(long number, long multiple) => (number + multiple - 1) / multiple * multiple;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(nint address)
    {
        if (Owners.TryRemove(address, out var owner)) owner.Drop();
    }
}
