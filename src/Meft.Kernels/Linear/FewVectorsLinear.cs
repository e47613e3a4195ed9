using System.Buffers;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;
using Meft.Kernels.Quantization;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Linear;

/// <summary>One of the maps that read the same vectors.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs], or 0 where the map has none.</param>
/// <param name="Outputs">The rows of the weights.</param>
/// <param name="Result">[count, outputs], written.</param>
/// <param name="Blocks">The blocks that the weights lie in; null where they are plain numbers.</param>
public readonly record struct LinearTarget(nint Weight, nint Bias, int Outputs, nint Result, BlockFormat? Blocks = null);

/// <summary>
/// Linear maps of a few vectors, as in generating: bound by reading the weights, which go through once whatever the number of vectors.
/// Sums are float32, each in a fixed order: a vector gives the same bits alone and among others, with any number of threads.
/// </summary>
[SkipLocalsInit]
public static unsafe class FewVectorsLinear
{
    /// <summary>The bytes of weights that are worth handing to another thread.</summary>
    private const int BytesOfRange = 1 << 16;

    /// <summary>With a group of vectors, the rows that are worth bringing the group to the nearest cache for.</summary>
    private const int RowsOfRange = 4 * VectorDots.RowMultiple;

    /// <summary>y = x·Wᵀ + b for each of the targets.</summary>
    /// <param name="x">[count, inputs].</param>
    /// <param name="count">How many vectors.</param>
    /// <param name="inputs">The length of a vector.</param>
    /// <param name="format">The format of everything; weights in blocks are rounded to it, and the results are those of the plain weights that they then are.</param>
    /// <param name="targets">The maps, up to four.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Apply(nint x, int count, int inputs, FloatFormat format, ReadOnlySpan<LinearTarget> targets, SimdWidth? width = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(targets.Length, Work.MostTargets);
        var rented = ArrayPool<float>.Shared.Rent(VectorDots.PreparedLength(count, inputs) + CacheLine);
        fixed (float* scratch = rented)
        {
            var vectors = (float*)(((nint)scratch + 63) & ~(nint)63);
            var chosen = width ?? SimdSupport.Widest;
            Prepare(chosen, format, x, count, inputs, vectors);
            var work = new Work(chosen, format, vectors, count, inputs, targets);
            var blocks = BytesOfRange / (VectorDots.RowMultiple * inputs * (format == FloatFormat.Single ? sizeof(float) : sizeof(ushort)));
            KernelThreads.For(work.Rows, count >= VectorDots.LeastOfGroup ? RowsOfRange : Math.Max(1, blocks) * VectorDots.RowMultiple, ref work);
        }
        ArrayPool<float>.Shared.Return(rented);
    }

    private const int CacheLine = 16;

    private static void Prepare(SimdWidth width, FloatFormat format, nint x, int count, int inputs, float* vectors)
    {
        switch (width)
        {
            case SimdWidth.Bits512: Prepare<Simd512>(format, x, count, inputs, vectors); break;
            case SimdWidth.Bits256: Prepare<Simd256>(format, x, count, inputs, vectors); break;
            case SimdWidth.Bits128: Prepare<Simd128>(format, x, count, inputs, vectors); break;
            default: Prepare<SimdScalar>(format, x, count, inputs, vectors); break;
        }
    }

    private static void Prepare<TSimd>(FloatFormat format, nint x, int count, int inputs, float* vectors) where TSimd : unmanaged, ISimd<TSimd>
    {
        if (format == FloatFormat.Single) VectorDots.Prepare<TSimd, SingleWeights>(x, count, inputs, 1, vectors);
        else VectorDots.Prepare<TSimd, BFloat16Weights>(x, count, inputs, 1, vectors);
    }

    /// <summary>The rows of all targets, one target after another.</summary>
    private struct Work : IRangeWork
    {
        public const int MostTargets = 4;
        private const int Most = 48, Stride = Most + VectorDots.Overrun;
        private readonly SimdWidth _width;
        private readonly FloatFormat _format;
        private readonly float* _vectors;
        private readonly int _count, _inputs, _targetCount;
        private Targets _targets;

        public Work(SimdWidth width, FloatFormat format, float* vectors, int count, int inputs, ReadOnlySpan<LinearTarget> targets)
        {
            _vectors = vectors;
            (_width, _format, _count, _inputs, _targetCount) = (width, format, count, inputs, targets.Length);
            targets.CopyTo(_targets);
            foreach (var target in targets) Rows += target.Outputs;
        }

        public int Rows { get; }

        public void Run(int from, int to)
        {
            var first = 0;
            for (var i = 0; i < _targetCount; i++)
            {
                var target = _targets[i];
                int start = Math.Max(from, first), end = Math.Min(to, first + target.Outputs);
                if (start < end) RunTarget(target, start - first, end - first);
                first += target.Outputs;
            }
        }

        private readonly void RunTarget(in LinearTarget target, int from, int to)
        {
            switch (_width)
            {
                case SimdWidth.Bits512: RunTarget<Simd512>(target, from, to); break;
                case SimdWidth.Bits256: RunTarget<Simd256>(target, from, to); break;
                case SimdWidth.Bits128: RunTarget<Simd128>(target, from, to); break;
                default: RunTarget<SimdScalar>(target, from, to); break;
            }
        }

        private readonly void RunTarget<TSimd>(in LinearTarget target, int from, int to) where TSimd : unmanaged, ISimd<TSimd>
        {
            if (_format == FloatFormat.Single) RunTarget<TSimd, SingleWeights>(target, from, to);
            else RunTarget<TSimd, BFloat16Weights>(target, from, to);
        }

        private readonly void RunTarget<TSimd, TFormat>(in LinearTarget target, int from, int to)
            where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
        {
            if (target.Blocks is not null)
            {
                RunBlocks<TSimd, TFormat>(target, from, to);
                return;
            }
            // Some vectors and rows at a time, so that their sums fit beside them; whole groups of vectors.
            var sums = stackalloc float[Most * Stride];
            for (var v = 0; v < _count; v += Most)
            {
                var count = Math.Min(Most, _count - v);
                var vectors = _vectors + VectorDots.PreparedLength(v, _inputs);
                for (var r = from; r < to; r += Most)
                {
                    var rows = Math.Min(Most, to - r);
                    VectorDots.Compute<TSimd, TFormat>(
                        vectors, count, target.Weight + (nint)r * _inputs * TFormat.Bytes, rows, _inputs, sums, Stride);
                    for (var i = 0; i < count; i++) Put<TFormat>(target, v + i, r, rows, sums + i * Stride);
                }
            }
        }

        /// <summary>A few rows at a time become plain numbers, near enough that all vectors find them in the nearest caches.</summary>
        private readonly void RunBlocks<TSimd, TFormat>(in LinearTarget target, int from, int to)
            where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
        {
            const int atOnce = VectorDots.RowMultiple;
            var tile = ThreadScratch.Take((nint)atOnce * _inputs * TFormat.Bytes);
            var decoder = new BlockTiles.TileDecoder(
                new BlockMatrix(new BlockLayout(target.Blocks!.Value, target.Outputs, _inputs), target.Weight), _format, _width);
            var sums = stackalloc float[Most * Stride];
            for (var r = from; r < to; r += atOnce)
            {
                var rows = Math.Min(atOnce, to - r);
                for (var i = 0; i < rows; i++) decoder.DecodeRow(r + i, 0, _inputs, tile + (nint)i * _inputs * TFormat.Bytes);
                for (var v = 0; v < _count; v += Most)
                {
                    var count = Math.Min(Most, _count - v);
                    VectorDots.Compute<TSimd, TFormat>(_vectors + VectorDots.PreparedLength(v, _inputs), count, tile, rows, _inputs, sums, Stride);
                    for (var i = 0; i < count; i++) Put<TFormat>(target, v + i, r, rows, sums + i * Stride);
                }
            }
        }

        private readonly void Put<TFormat>(in LinearTarget target, int vector, int row, int rows, float* sums) where TFormat : IWeightFormat
        {
            if (target.Bias != 0)
                for (var j = 0; j < rows; j++) sums[j] += TFormat.Load(target.Bias, row + j);
            FloatRows.Store(sums, 1, target.Result + ((nint)vector * target.Outputs + row) * TFormat.Bytes, _format, rows);
        }
    }

    [InlineArray(Work.MostTargets)]
    private struct Targets
    {
        private LinearTarget _first;
    }
}
