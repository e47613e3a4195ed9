using Meft.Kernels.Simd;
using Shouldly;

namespace Meft.Kernels.Tests;

public unsafe class RowCopyTests
{
    /// <summary>Every kind of number and every case of rounding: ties both ways, carries into the exponent and into infinity, NaN of every sort.</summary>
    private static readonly uint[] SpecialBits =
    [
        0, 0x8000_0000, 1, 0x8000_0001, 0x7FFF, 0x8000, 0x8001, 0x0001_8000, 0x007F_FFFF, 0x0080_0000, 0x3F80_7FFF, 0x3F80_8000, 0x3F80_8001,
        0x3F81_7FFF, 0x3F81_8000, 0x3F81_8001, 0x3FFF_8000, 0x3FFF_FFFF, 0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_FFFF, 0xFF7F_FFFF, 0x7F80_0000,
        0xFF80_0000, 0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FFF_FFFF, 0x7FFF_8000, 0xFF80_0001, 0xFFC0_0000, 0xFFFF_FFFF,
    ];

    public static TheoryData<SimdWidth, FloatFormat> Forms()
    {
        var forms = new TheoryData<SimdWidth, FloatFormat>();
        foreach (var width in Reference.Widths)
        {
            forms.Add(width, FloatFormat.Single);
            forms.Add(width, FloatFormat.BFloat16);
        }
        return forms;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Gathered_rows_are_the_chosen_ones_at_every_size(SimdWidth width, FloatFormat format)
    {
        const int rowCount = 7;
        int[] rows = [4, 0, 6, 4, 1];
        for (var d = 1; d <= 256; d++)
        {
            var source = Values(rowCount * d, d);
            var guard = Bytes(d, format);
            var to = Enumerable.Repeat((byte)0xA5, rows.Length * Bytes(d, format) + guard).ToArray();
            fixed (float* ps = source)
            fixed (int* pr = rows)
            fixed (byte* pt = to)
            {
                RowGather.Compute(ps, pr, rows.Length, d, pt, format, width);
            }
            for (var i = 0; i < rows.Length; i++)
            {
                for (var c = 0; c < d; c++)
                    Bits(to, i * d + c, format).ShouldBe(Rounded(source[rows[i] * d + c], format), $"D = {d}, place {i}, column {c}");
            }
            to.AsSpan(rows.Length * Bytes(d, format)).ToArray().ShouldAllBe(b => b == 0xA5);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Scattered_rows_overwrite_or_add_to_theirs_and_to_no_others(SimdWidth width, FloatFormat format)
    {
        const int rowCount = 6;
        int[] rows = [5, 0, 3];
        for (var d = 1; d <= 256; d++)
        {
            foreach (var add in new[] { false, true })
            {
                var source = Stored(Values(rows.Length * d, d), format);
                var before = Reference.Random(rowCount * d, d + 1);
                float[] to = [.. before];
                fixed (byte* ps = source)
                fixed (int* pr = rows)
                fixed (float* pt = to)
                {
                    RowScatter.Compute(ps, format, pr, rows.Length, d, pt, add, width);
                }
                for (var i = 0; i < to.Length; i++)
                {
                    var place = Array.IndexOf(rows, i / d);
                    var moved = place < 0 ? 0 : Single(Bits(source, place * d + i % d, format), format);
                    var expected = place < 0 ? before[i] : add ? before[i] + moved : moved;
                    BitConverter.SingleToUInt32Bits(to[i]).ShouldBe(BitConverter.SingleToUInt32Bits(expected), $"D = {d}, add {add}, number {i}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Without_a_choice_all_rows_are_copied_and_no_rows_are_no_work(SimdWidth width, FloatFormat format)
    {
        var source = Values(5 * 19, 1);
        var to = new byte[5 * Bytes(19, format)];
        var back = new float[source.Length];
        fixed (float* ps = source, pb = back)
        fixed (byte* pt = to)
        {
            RowGather.Compute(ps, null, 5, 19, pt, format, width);
            RowScatter.Compute(pt, format, null, 5, 19, pb, width: width);
            RowGather.Compute(ps, null, 0, 19, null, format, width);
            RowScatter.Compute(null, format, null, 0, 19, pb, true, width);
        }
        for (var i = 0; i < source.Length; i++)
            BitConverter.SingleToUInt32Bits(back[i]).ShouldBe(BitConverter.SingleToUInt32Bits(Single(Rounded(source[i], format), format)));
    }

    [Theory]
    [InlineData(FloatFormat.Single)]
    [InlineData(FloatFormat.BFloat16)]
    public void The_bits_do_not_depend_on_the_number_of_threads(FloatFormat format)
    {
        const int count = 500, d = 200;
        var source = Values(count * d, 3);
        var rows = Enumerable.Range(0, count).Reverse().ToArray();
        var threads = KernelThreads.Count;
        var results = new List<float[]>();
        foreach (var threadCount in new[] { 1, 3 })
        {
            KernelThreads.Count = threadCount;
            var staged = new byte[count * Bytes(d, format)];
            var result = Reference.Random(count * d, 4);
            fixed (float* ps = source, pr = result)
            fixed (int* ix = rows)
            fixed (byte* pt = staged)
            {
                RowGather.Compute(ps, ix, count, d, pt, format);
                RowScatter.Compute(pt, format, ix, count, d, pr, add: true);
            }
            results.Add(result);
        }
        KernelThreads.Count = threads;
        results[1].Select(BitConverter.SingleToUInt32Bits).ShouldBe(results[0].Select(BitConverter.SingleToUInt32Bits));
    }

    private static int Bytes(int count, FloatFormat format) => count * (format == FloatFormat.Single ? sizeof(float) : sizeof(ushort));

    /// <summary>Random numbers with special ones strewn in.</summary>
    private static float[] Values(int count, int seed)
    {
        var values = Reference.Random(count, seed);
        for (var i = seed % 3; i < count; i += 3) values[i] = BitConverter.UInt32BitsToSingle(SpecialBits[(i / 3 + seed) % SpecialBits.Length]);
        return values;
    }

    private static byte[] Stored(float[] values, FloatFormat format)
    {
        var bytes = new byte[Bytes(values.Length, format)];
        for (var i = 0; i < values.Length; i++)
        {
            var bits = Rounded(values[i], format);
            if (format == FloatFormat.Single) BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), bits);
            else BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), (ushort)bits);
        }
        return bytes;
    }

    private static uint Bits(byte[] bytes, int at, FloatFormat format) =>
        format == FloatFormat.Single ? BitConverter.ToUInt32(bytes, 4 * at) : BitConverter.ToUInt16(bytes, 2 * at);

    private static float Single(uint bits, FloatFormat format) =>
        BitConverter.UInt32BitsToSingle(format == FloatFormat.Single ? bits : bits << 16);

    /// <summary>Rounding by its definition: of the two neighbours the nearer one, the even one of two as near; a quiet NaN for a NaN.</summary>
    private static uint Rounded(float value, FloatFormat format)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (format == FloatFormat.Single) return bits;
        if (float.IsNaN(value)) return (bits >> 16) | 0x40;
        uint below = bits >> 16, rest = bits & 0xFFFF;
        return rest > 0x8000 || (rest == 0x8000 && below % 2 == 1) ? below + 1 : below;
    }
}
