using CsCheck;
using Meft.Kernels.Attention;
using Meft.Kernels.Simd;
using Shouldly;

namespace Meft.Kernels.Tests.Attention;

public unsafe class PackedAttentionTests
{
    private const double Tolerance = 2e-5;

    private static readonly Gen<AttentionShape> Shapes =
        from lengths in Gen.Int[0, 24].Array[1, 3].Where(l => l.Sum() > 0)
        from keyHeads in Gen.Int[1, 3]
        from @group in Gen.Int[1, 4]
        from size in Gen.Int[1, 70]
        from window in Gen.Int[0, 20]
        from cap in Gen.Int[0, 3].Select(i => new float?[] { null, 0.3f, 2, 50 }[i])
        select Shape(lengths, keyHeads * @group, keyHeads, size, window == 0 ? null : window, cap);

    [Fact]
    public void Forward_and_backward_agree_with_plain_loops_at_every_width() =>
        Gen.Select(Shapes, Reference.AnyWidth, Gen.Int[0, 1000]).Sample((shape, width, seed) =>
        {
            var data = new Data(shape, seed);
            var expected = new NaiveAttention(shape, data.Q, data.K, data.V, data.Do);
            data.Run(width);
            ShouldAgree(data.Output, expected.Output);
            ShouldAgree(data.Dq, expected.Dq);
            ShouldAgree(data.Dk, expected.Dk);
            ShouldAgree(data.Dv, expected.Dv);
        }, iter: 80);

    [Fact]
    public void Bfloat16_memory_gives_the_rounded_results()
    {
        var shape = Shape([17, 3, 33], 6, 2, 24, window: null);
        var data = new Data(shape, 1);
        foreach (var values in new[] { data.Q, data.K, data.V, data.Do })
            for (var i = 0; i < values.Length; i++) values[i] = Single(Narrow(values[i]));
        var expected = new NaiveAttention(shape, data.Q, data.K, data.V, data.Do);
        ushort[] q = [.. data.Q.Select(Narrow)], k = [.. data.K.Select(Narrow)], v = [.. data.V.Select(Narrow)], dO = [.. data.Do.Select(Narrow)];
        ushort[] output = new ushort[q.Length], dq = new ushort[q.Length], dk = new ushort[k.Length], dv = new ushort[v.Length];
        fixed (ushort* pq = q, pk = k, pv = v, po = output, pdo = dO, pdq = dq, pdk = dk, pdv = dv)
        {
            PackedAttention.Forward(shape, FloatFormat.BFloat16, (nint)pq, (nint)pk, (nint)pv, (nint)po);
            PackedAttention.Backward(shape, FloatFormat.BFloat16, (nint)pq, (nint)pk, (nint)pv,
                new AttentionGradients((nint)pdo, (nint)pdq, (nint)pdk, (nint)pdv));
        }
        // A rounded result is off by at most 2⁻⁹ of itself; the gradients also see the rounded result.
        ShouldAgree([.. output.Select(Single)], expected.Output, 0.004);
        ShouldAgree([.. dq.Select(Single)], expected.Dq, 0.01);
        ShouldAgree([.. dk.Select(Single)], expected.Dk, 0.01);
        ShouldAgree([.. dv.Select(Single)], expected.Dv, 0.01);
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var before = KernelThreads.Count;
        var shape = Shape([9, 40, 1, 22], 6, 3, 20, window: 7);
        Data one = new(shape, 5), many = new(shape, 5);
        try
        {
            KernelThreads.Count = 1;
            one.Run(SimdSupport.Widest);
            KernelThreads.Count = 4;
            many.Run(SimdSupport.Widest);
        }
        finally
        {
            KernelThreads.Count = before;
        }
        many.Output.ShouldBe(one.Output);
        many.Dq.ShouldBe(one.Dq);
        many.Dk.ShouldBe(one.Dk);
        many.Dv.ShouldBe(one.Dv);
    }

    [Fact]
    public void The_last_tokens_over_a_cache_give_what_they_give_among_all() =>
        Gen.Select(Shapes.Where(s => s.Lengths.All(l => l > 0)), Gen.Int[0, 1000]).Sample((shape, seed) =>
        {
            var data = new Data(shape, seed);
            data.Run(SimdSupport.Widest);
            int rows = shape.Lengths.Count, hd = shape.HeadSize, heads = shape.Heads, capacity = shape.Lengths.Max() + seed % 3;
            // The last one or two tokens of each row are new.
            int[] lengths = [.. shape.Lengths.Select(l => Math.Min(l, 1 + seed % 2))];
            int[] starts = [.. shape.Lengths.Zip(lengths, (l, n) => l - n)];
            var cached = AttentionShape.Cached(
                Offsets(lengths), lengths, starts, capacity, heads, shape.KeyHeads, hd, shape.Scale, shape.Window, softCap: shape.SoftCap);
            var q = new List<float>();
            var expected = new List<double>();
            float[] keys = new float[rows * shape.KeyHeads * capacity * hd], values = new float[keys.Length];
            for (var row = 0; row < rows; row++)
            {
                var from = (shape.Offsets[row] + starts[row]) * heads * hd;
                q.AddRange(data.Q.AsSpan(from, lengths[row] * heads * hd));
                expected.AddRange(data.Output.Skip(from).Take(lengths[row] * heads * hd).Select(o => (double)o));
                for (var j = 0; j < shape.Lengths[row]; j++)
                    for (var head = 0; head < shape.KeyHeads; head++)
                    {
                        var source = ((shape.Offsets[row] + j) * shape.KeyHeads + head) * hd;
                        var target = ((row * shape.KeyHeads + head) * capacity + j) * hd;
                        data.K.AsSpan(source, hd).CopyTo(keys.AsSpan(target));
                        data.V.AsSpan(source, hd).CopyTo(values.AsSpan(target));
                    }
            }
            var output = new float[q.Count];
            fixed (float* pq = q.ToArray(), pk = keys, pv = values, po = output)
                PackedAttention.Forward(cached, FloatFormat.Single, (nint)pq, (nint)pk, (nint)pv, (nint)po);
            ShouldAgree(output, [.. expected]);
            Should.Throw<ArgumentException>(() => PackedAttention.Backward(cached, FloatFormat.Single, 0, 0, 0, new(0, 0, 0, 0)));
        }, iter: 40);

    private static AttentionShape Shape(int[] lengths, int heads, int keyHeads, int size, int? window, float? cap = null) =>
        AttentionShape.Packed(Offsets(lengths), lengths, heads, keyHeads, size, 1 / MathF.Sqrt(size), window, cap);

    private static int[] Offsets(int[] lengths) => [.. lengths.Select((_, row) => lengths.Take(row).Sum())];

    private static void ShouldAgree(float[] actual, double[] expected, double tolerance = Tolerance)
    {
        double difference = 0, size = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(actual[i] - expected[i], 2);
            size += expected[i] * expected[i];
        }
        // Beside zeros, the size of what was subtracted to give them counts.
        Math.Sqrt(difference).ShouldBeLessThan(tolerance * (Math.Sqrt(size) + 0.1 * Math.Sqrt(expected.Length)));
    }

    private static float Single(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    private static ushort Narrow(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Random tensors of a shape and room for results.</summary>
    private sealed class Data(AttentionShape shape, int seed)
    {
        public float[] Q { get; } = Reference.Random(shape.Lengths.Sum() * shape.Heads * shape.HeadSize, seed);

        public float[] K { get; } = Reference.Random(shape.Lengths.Sum() * shape.KeyHeads * shape.HeadSize, seed + 1);

        public float[] V { get; } = Reference.Random(shape.Lengths.Sum() * shape.KeyHeads * shape.HeadSize, seed + 2);

        public float[] Do { get; } = Reference.Random(shape.Lengths.Sum() * shape.Heads * shape.HeadSize, seed + 3);

        public float[] Output { get; private set; } = [];

        public float[] Dq { get; private set; } = [];

        public float[] Dk { get; private set; } = [];

        public float[] Dv { get; private set; } = [];

        public void Run(SimdWidth width)
        {
            (Output, Dq, Dk, Dv) = (new float[Q.Length], new float[Q.Length], new float[K.Length], new float[V.Length]);
            fixed (float* q = Q, k = K, v = V, o = Output, dO = Do, dq = Dq, dk = Dk, dv = Dv)
            {
                PackedAttention.Forward(shape, FloatFormat.Single, (nint)q, (nint)k, (nint)v, (nint)o, width);
                PackedAttention.Backward(shape, FloatFormat.Single, (nint)q, (nint)k, (nint)v,
                    new AttentionGradients((nint)dO, (nint)dq, (nint)dk, (nint)dv), width);
            }
        }
    }
}
