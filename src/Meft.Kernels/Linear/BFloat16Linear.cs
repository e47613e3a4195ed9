using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Linear;

/// <summary>
/// A linear map of a few vectors by bfloat16 weights, as in generating one token: bound by reading the weights, which go through
/// once whatever the number of vectors. Sums are float32, each in a fixed order.
/// </summary>
public static unsafe class BFloat16Linear
{
    /// <summary>The bytes of weights that are worth handing to another thread.</summary>
    private const int BytesOfRange = 1 << 17;

    private const int RowsOfBlock = 4;

    /// <summary>y = x·Wᵀ + b, in bfloat16.</summary>
    /// <param name="x">[count, inputs].</param>
    /// <param name="count">How many vectors.</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="inputs">The length of a vector.</param>
    /// <param name="outputs">The rows of the weights.</param>
    /// <param name="y">[count, outputs], written.</param>
    public static void Apply(ushort* x, int count, ushort* weight, ushort* bias, int inputs, int outputs, ushort* y)
    {
        // A register of weights read as 32-bit words holds even elements in the words' lower and odd ones in their upper halves:
        // vectors are split alike, so that two operations bring a register to float32.
        var half = inputs / 2;
        var array = ArrayPool<float>.Shared.Rent(2 * half * count);
        fixed (float* split = array)
        {
            for (var i = 0; i < count; i++) Split(x + (long)i * inputs, half, split + 2L * half * i);
            var job = new Job(x, count, weight, bias, inputs, outputs, y, split);
            var blocks = (outputs + RowsOfBlock - 1) / RowsOfBlock;
            var grain = Math.Max(1, BytesOfRange / (RowsOfBlock * inputs * sizeof(ushort)));
            KernelThreads.For(blocks, grain, (from, to) =>
            {
                for (var block = from; block < to; block++) RunBlock(job, block * RowsOfBlock);
            });
        }
        ArrayPool<float>.Shared.Return(array);
    }

    private readonly struct Job(ushort* x, int count, ushort* weight, ushort* bias, int inputs, int outputs, ushort* y, float* split)
    {
        public readonly ushort* X = x, Weight = weight, Bias = bias, Y = y;
        public readonly float* Split = split;
        public readonly int Count = count, Inputs = inputs, Outputs = outputs;
    }

    private static void RunBlock(in Job job, int first)
    {
        var rows = Math.Min(RowsOfBlock, job.Outputs - first);
        var half = job.Inputs / 2;
        var w = stackalloc ushort*[RowsOfBlock];
        // Past the last row the last one is computed again and dropped.
        for (var r = 0; r < RowsOfBlock; r++) w[r] = job.Weight + (long)Math.Min(first + r, job.Outputs - 1) * job.Inputs;
        var sums = stackalloc float[RowsOfBlock];
        for (var i = 0; i < job.Count; i++)
        {
            var even = job.Split + 2L * half * i;
            Dots(w, even, even + half, half, sums);
            for (var r = 0; r < rows; r++)
            {
                if (job.Inputs % 2 != 0) sums[r] += Single(w[r][job.Inputs - 1]) * Single(job.X[(long)i * job.Inputs + job.Inputs - 1]);
                if (job.Bias is not null) sums[r] += Single(job.Bias[first + r]);
                job.Y[(long)i * job.Outputs + first + r] = Rounded(sums[r]);
            }
        }
    }

    /// <summary>sums[r] = Σ w[r][2i]·even[i] + w[r][2i+1]·odd[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots(ushort** w, float* even, float* odd, int half, float* sums)
    {
        uint* w0 = (uint*)w[0], w1 = (uint*)w[1], w2 = (uint*)w[2], w3 = (uint*)w[3];
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
        var upper = new Vector<uint>(0xFFFF0000);
        var i = 0;
        for (; i <= half - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            Vector<float> e = Vector.Load(even + i), o = Vector.Load(odd + i);
            Vector<uint> a = Vector.Load(w0 + i), b = Vector.Load(w1 + i), c = Vector.Load(w2 + i), d = Vector.Load(w3 + i);
            s0 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(a << 16), e, s0);
            t0 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(a & upper), o, t0);
            s1 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(b << 16), e, s1);
            t1 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(b & upper), o, t1);
            s2 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(c << 16), e, s2);
            t2 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(c & upper), o, t2);
            s3 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(d << 16), e, s3);
            t3 = Vector.FusedMultiplyAdd(Vector.AsVectorSingle(d & upper), o, t3);
        }
        sums[0] = Tail(Vector.Sum(s0 + t0), w0, even, odd, i, half);
        sums[1] = Tail(Vector.Sum(s1 + t1), w1, even, odd, i, half);
        sums[2] = Tail(Vector.Sum(s2 + t2), w2, even, odd, i, half);
        sums[3] = Tail(Vector.Sum(s3 + t3), w3, even, odd, i, half);
    }

    private static float Tail(float sum, uint* w, float* even, float* odd, int from, int half)
    {
        for (; from < half; from++)
        {
            sum = MathF.FusedMultiplyAdd(BitConverter.UInt32BitsToSingle(w[from] << 16), even[from], sum);
            sum = MathF.FusedMultiplyAdd(BitConverter.UInt32BitsToSingle(w[from] & 0xFFFF0000), odd[from], sum);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Split(ushort* x, int half, float* split)
    {
        for (var i = 0; i < half; i++)
        {
            split[i] = Single(x[2 * i]);
            split[half + i] = Single(x[2 * i + 1]);
        }
    }

    private static float Single(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    private static ushort Rounded(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
