using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>Numbers between either format and float32; narrower ones are rounded to nearest, ties to even.</summary>
public static unsafe class RowConversion
{
    private const int NumbersOfRange = 1 << 15;

    /// <summary>destination[i] = source[i].</summary>
    /// <param name="source">[count] in <paramref name="format"/>.</param>
    /// <param name="format">The format of the source.</param>
    /// <param name="destination">[count], written.</param>
    /// <param name="count">How many numbers.</param>
    public static void ToSingle(nint source, FloatFormat format, float* destination, long count) =>
        ForEachRange(count, (from, length) => FloatRows.Load(FloatRows.At(source, from, format), format, destination + from, length));

    /// <summary>destination[i] = source[i], rounded.</summary>
    /// <param name="source">[count].</param>
    /// <param name="destination">[count] in <paramref name="format"/>, written.</param>
    /// <param name="format">The format of the destination.</param>
    /// <param name="count">How many numbers.</param>
    public static void FromSingle(float* source, nint destination, FloatFormat format, long count) =>
        ForEachRange(count, (from, length) => FloatRows.Store(source + from, 1, FloatRows.At(destination, from, format), format, length));

    private static void ForEachRange(long count, Action<long, int> convert)
    {
        if (count <= NumbersOfRange)
        {
            convert(0, (int)count);
            return;
        }
        KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
        {
            for (var range = from; range < to; range++)
            {
                var first = (long)range * NumbersOfRange;
                convert(first, (int)Math.Min(NumbersOfRange, count - first));
            }
        });
    }
}
