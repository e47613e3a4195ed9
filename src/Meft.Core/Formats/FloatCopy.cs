using System.Runtime.CompilerServices;
using Meft.Kernels;

namespace Meft.Core.Formats;

/// <summary>
/// Copies numbers from one float type to another, by all threads of the kernels. What a narrower type cannot hold is rounded to nearest, ties to even;
/// from float64 by way of float32, as PyTorch does.
/// </summary>
public static unsafe class FloatCopy
{
    /// <summary>Numbers that are worth handing to another thread.</summary>
    private const int NumbersOfRange = 1 << 16;

    /// <summary>Numbers that are float32 at once where neither side is.</summary>
    private const int NumbersBetween = 1 << 10;

    /// <summary>Whether numbers of a type can be copied: F64, F32, F16, BF16.</summary>
    public static bool Knows(TensorDType type) => type is TensorDType.F64 or TensorDType.F32 or TensorDType.F16 or TensorDType.BF16;

    /// <summary>destination[i] = source[i].</summary>
    /// <param name="source">[count], of any alignment.</param>
    /// <param name="from">Its type, one that <see cref="Knows"/>.</param>
    /// <param name="destination">[count], written.</param>
    /// <param name="to">Its type.</param>
    /// <param name="count">How many numbers.</param>
    public static void Copy(nint source, TensorDType from, nint destination, TensorDType to, long count)
    {
        Require(from);
        Require(to);
        var work = new Work(source, from, destination, to, count);
        KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, ref work);
    }

    /// <summary>The same by the calling thread alone.</summary>
    internal static void CopyHere(nint source, TensorDType from, nint destination, TensorDType to, long count)
    {
        if (from == to)
        {
            var bytes = count * Width(from);
            Buffer.MemoryCopy((void*)source, (void*)destination, bytes, bytes);
        }
        else if (to == TensorDType.F32)
        {
            ForEachSpan(count, int.MaxValue, (first, length) => ToSingles(At(source, from, first), from, new Span<float>((float*)destination + first, length)));
        }
        else if (from == TensorDType.F32)
        {
            ForEachSpan(count, int.MaxValue, (first, length) => FromSingles(new ReadOnlySpan<float>((float*)source + first, length), At(destination, to, first), to));
        }
        else
        {
            ForEachSpan(count, NumbersBetween, (first, length) =>
            {
                Span<float> between = stackalloc float[NumbersBetween];
                ToSingles(At(source, from, first), from, between[..length]);
                FromSingles(between[..length], At(destination, to, first), to);
            });
        }
    }

    private static void ForEachSpan(long count, int most, Action<long, int> copy)
    {
        for (long done = 0; done < count; done += most) copy(done, (int)Math.Min(most, count - done));
    }

    private static void ToSingles(nint source, TensorDType from, Span<float> singles)
    {
        switch (from)
        {
            case TensorDType.F16:
                SingleConversion.FromHalf(new ReadOnlySpan<ushort>((void*)source, singles.Length), singles);
                break;
            case TensorDType.BF16:
                SingleConversion.FromBFloat16(new ReadOnlySpan<ushort>((void*)source, singles.Length), singles);
                break;
            default:
                for (var i = 0; i < singles.Length; i++) singles[i] = (float)Unsafe.ReadUnaligned<double>((double*)source + i);
                break;
        }
    }

    private static void FromSingles(ReadOnlySpan<float> singles, nint destination, TensorDType to)
    {
        switch (to)
        {
            case TensorDType.F16:
                SingleConversion.ToHalf(singles, new Span<ushort>((void*)destination, singles.Length));
                break;
            case TensorDType.BF16:
                SingleConversion.ToBFloat16(singles, new Span<ushort>((void*)destination, singles.Length));
                break;
            default:
                for (var i = 0; i < singles.Length; i++) Unsafe.WriteUnaligned((double*)destination + i, (double)singles[i]);
                break;
        }
    }

    private static nint At(nint numbers, TensorDType type, long index) => numbers + (nint)(index * Width(type));

    private static int Width(TensorDType type) => type.BitSize() / 8;

    private static void Require(TensorDType type)
    {
        if (!Knows(type)) throw new ArgumentOutOfRangeException(nameof(type), type, "F64, F32, F16 or BF16");
    }

    private readonly struct Work(nint source, TensorDType from, nint destination, TensorDType to, long count) : IRangeWork
    {
        public void Run(int first, int end)
        {
            long start = (long)first * NumbersOfRange, length = Math.Min(count, (long)end * NumbersOfRange) - start;
            CopyHere(At(source, from, start), from, At(destination, to, start), to, length);
        }
    }
}
