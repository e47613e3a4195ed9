using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Meft.Kernels.Quantization.Blocks;

namespace Meft.Kernels.Quantization;

/// <summary>Puts plain weights into blocks: done once, when a model is loaded.</summary>
[SkipLocalsInit]
public static unsafe class BlockQuantizer
{
    /// <summary>Two codes of NF4's exact zero.</summary>
    private const byte Zeros = 0x77;

    /// <summary>
    /// Quantises a matrix. Int8: a block's scale is its largest magnitude over 127, its codes are the nearest multiples; no weight moves further than half
    /// a scale. NF4: a block's scale is its largest magnitude, its codes are the nearest of the sixteen values; the scales less their mean are multiples of
    /// a 127th of the largest such difference among 256 neighbours.
    /// </summary>
    /// <param name="weights">[rows, columns].</param>
    /// <param name="matrix">Written. Its format is <see cref="BlockFormat.Int8"/> or <see cref="BlockFormat.Nf4"/>.</param>
    /// <returns>False where a weight is not finite; what is written is then of no use.</returns>
    public static bool Quantize(float* weights, BlockMatrix matrix)
    {
        var largest = new float[matrix.Layout.Blocks];
        QuantizeRows(weights, 0, matrix.Layout.Rows, matrix, largest);
        return Finish(matrix, largest);
    }

    /// <summary>Quantises some rows of a matrix, which is done when all have been and <see cref="Finish"/> was called: the same bits as all at once.</summary>
    /// <param name="weights">[rows, columns], these rows alone.</param>
    /// <param name="row">The first of them.</param>
    /// <param name="rows">How many.</param>
    /// <param name="matrix">Written.</param>
    /// <param name="largest">The largest magnitude of every block of the matrix; those of these rows are written.</param>
    public static void QuantizeRows(float* weights, int row, int rows, BlockMatrix matrix, float[] largest)
    {
        if (matrix.Layout.Format is not (BlockFormat.Int8 or BlockFormat.Nf4))
            throw new ArgumentOutOfRangeException(nameof(matrix), matrix.Layout.Format, "Int8 or Nf4");
        ArgumentOutOfRangeException.ThrowIfNotEqual(largest.Length, matrix.Layout.Blocks);
        fixed (float* scales = largest)
        {
            var work = new Work(weights, row, matrix, scales);
            KernelThreads.For(rows, Math.Max(1, (1 << 14) / Math.Max(1, matrix.Layout.Columns)), ref work);
        }
    }

    /// <summary>Finishes a matrix, all of whose rows have been quantised.</summary>
    /// <returns>False where a weight is not finite; what is written is then of no use.</returns>
    public static bool Finish(BlockMatrix matrix, float[] largest)
    {
        fixed (float* scales = largest)
        {
            if (!Finite.All(scales, 1, largest.Length)) return false;
        }
        if (matrix.Layout.Format == BlockFormat.Nf4) QuantizeScales(largest, matrix);
        return true;
    }

    private static void QuantizeScales(float[] scales, BlockMatrix matrix)
    {
        var codes = (sbyte*)matrix.Data + matrix.Layout.ScalesOffset;
        var groups = (float*)(matrix.Data + matrix.Layout.GroupsOffset);
        double sum = 0;
        foreach (var scale in scales) sum += scale;
        var mean = scales.Length == 0 ? 0f : (float)(sum / scales.Length);
        for (var group = 0; group < matrix.Layout.ScaleGroups; group++)
        {
            var start = group * BlockLayout.ScalesOfGroup;
            var some = scales.AsSpan(start, Math.Min(BlockLayout.ScalesOfGroup, scales.Length - start));
            var most = 0f;
            foreach (var scale in some) most = Math.Max(most, Math.Abs(scale - mean));
            var unit = most / sbyte.MaxValue;
            groups[group] = unit;
            for (var i = 0; i < some.Length; i++) codes[start + i] = Code(some[i] - mean, unit);
        }
        groups[matrix.Layout.ScaleGroups] = mean;
    }

    private static sbyte Code(float value, float unit) =>
        unit > 0 ? (sbyte)Math.Clamp(MathF.Round(value / unit), -sbyte.MaxValue, sbyte.MaxValue) : (sbyte)0;

    private readonly struct Work(float* weights, int firstRow, BlockMatrix matrix, float* scales) : IRangeWork
    {
        public void Run(int from, int to)
        {
            var layout = matrix.Layout;
            int width = layout.BlockWeights, bytes = layout.BlockBytes, inRow = layout.BlocksOfRow;
            var filledUp = stackalloc float[Int8Block.Weights];
            for (var row = from; row < to; row++)
            {
                for (var b = 0; b < inRow; b++)
                {
                    var block = weights + (long)row * layout.Columns + b * width;
                    var count = layout.Columns - b * width;
                    if (count < width)
                    {
                        new ReadOnlySpan<float>(block, count).CopyTo(new Span<float>(filledUp, count));
                        new Span<float>(filledUp + count, width - count).Clear();
                        block = filledUp;
                    }
                    var index = (long)(firstRow + row) * inRow + b;
                    var target = (byte*)matrix.Data + index * bytes;
                    var most = scales[index] = LargestMagnitude(block);
                    if (layout.Format == BlockFormat.Nf4) WriteNf4(block, most, target);
                    else WriteInt8(block, most, target);
                }
            }
        }

        /// <summary>A NaN wins over all numbers.</summary>
        private static float LargestMagnitude(float* block)
        {
            var most = Vector<float>.Zero;
            for (var i = 0; i < Int8Block.Weights; i += Vector<float>.Count) most = Vector.Max(most, Vector.Abs(Vector.Load(block + i)));
            var largest = most[0];
            for (var i = 1; i < Vector<float>.Count; i++) largest = MathF.Max(largest, most[i]);
            return largest;
        }

        private static void WriteInt8(float* block, float most, byte* target)
        {
            var scale = most / sbyte.MaxValue;
            Unsafe.WriteUnaligned(target, scale);
            target += sizeof(float);
            if (scale == 0)
            {
                new Span<byte>(target, Int8Block.Weights).Clear();
                return;
            }
            var codes = stackalloc int[Int8Block.Weights];
            Vector<float> unit = new(scale), end = new(sbyte.MaxValue);
            for (var i = 0; i < Int8Block.Weights; i += Vector<float>.Count)
                Vector.ConvertToInt32(Vector.Min(Vector.Max(Vector.Round(Vector.Load(block + i) / unit), -end), end)).Store(codes + i);
            for (var i = 0; i < Int8Block.Weights; i += WeightGroup.Size) Narrow(codes + i).Store(target + i);
        }

        private static void WriteNf4(float* block, float most, byte* target)
        {
            if (most == 0)
            {
                new Span<byte>(target, Nf4Block.Bytes).Fill(Zeros);
                return;
            }
            // Codes ascend with their values: a weight's code is the number of midpoints between neighbours that lie below it.
            var midpoints = stackalloc float[Nf4Block.Values.Length - 1];
            for (var v = 0; v < Nf4Block.Values.Length - 1; v++) midpoints[v] = 0.5f * (Nf4Block.Values[v] + Nf4Block.Values[v + 1]) * most;
            var codes = stackalloc int[Nf4Block.Weights];
            for (var i = 0; i < Nf4Block.Weights; i += Vector<float>.Count)
            {
                var weight = Vector.Load(block + i);
                var code = Vector<int>.Zero;
                for (var v = 0; v < Nf4Block.Values.Length - 1; v++) code -= Vector.GreaterThan(weight, new Vector<float>(midpoints[v]));
                code.Store(codes + i);
            }
            for (var half = 0; half < 2; half++)
            {
                var low = codes + 2 * WeightGroup.Size * half;
                (Narrow(low) | Narrow(low + WeightGroup.Size) << 4).Store(target + WeightGroup.Size * half);
            }
        }

        /// <summary>Sixteen numbers that fit a byte.</summary>
        private static Vector128<byte> Narrow(int* codes) => Vector128.Narrow(
            Vector128.Narrow(Vector128.Load(codes), Vector128.Load(codes + 4)), Vector128.Narrow(Vector128.Load(codes + 8), Vector128.Load(codes + 12))).AsByte();
    }
}
