using System.Runtime.InteropServices;
using CsCheck;
using Meft.Core.Formats;
using Meft.Kernels;
using Shouldly;

namespace Meft.Core.Tests.Formats;

public class FloatCopyTests
{
    private static readonly TensorDType[] Types = [TensorDType.F64, TensorDType.F32, TensorDType.F16, TensorDType.BF16];

    public static TheoryData<TensorDType, TensorDType> Pairs =>
        new(Types.SelectMany(from => Types.Select(to => (from, to))));

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Any_numbers_come_out_as_they_do_one_by_one(TensorDType from, TensorDType to) =>
        Gen.Select(Gen.Int[0, 3000], Gen.Int[0, 3], Gen.Int).Sample((count, odd, seed) =>
        {
            // Any bits: subnormals, infinities and NaN too.
            var source = new byte[odd + count * Width(from)];
            new Random(seed).NextBytes(source);
            var result = Copy(source.AsSpan(odd), from, to, count);
            for (var i = 0; i < count; i++)
            {
                var value = Read(source.AsSpan(odd), from, i);
                if (from == to) result.AsSpan(i * Width(to), Width(to)).SequenceEqual(source.AsSpan(odd + i * Width(from), Width(from))).ShouldBeTrue();
                else Same(Read(result, to, i), Rounded(value, to)).ShouldBeTrue($"{value:R} became {Read(result, to, i):R}, not {Rounded(value, to):R}");
            }
        }, iter: 30);

    [Fact]
    public void Singles_around_every_half_are_rounded_to_the_nearest()
    {
        var values = new List<float>();
        for (var bits = 0; bits < 65536; bits++)
        {
            var half = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            var next = (float)BitConverter.UInt16BitsToHalf((ushort)Math.Min(bits + 1, 65535));
            var middle = (half + next) / 2;
            values.AddRange([half, middle, MathF.BitDecrement(middle), MathF.BitIncrement(middle)]);
        }
        values.AddRange([65519.996f, 65520, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, float.PositiveInfinity, float.NegativeInfinity]);
        var halves = new ushort[values.Count];
        SingleConversion.ToHalf(values.ToArray(), halves);
        for (var i = 0; i < values.Count; i++)
        {
            var expected = BitConverter.HalfToUInt16Bits((Half)values[i]);
            if (float.IsNaN(values[i])) Half.IsNaN(BitConverter.UInt16BitsToHalf(halves[i])).ShouldBeTrue();
            else halves[i].ShouldBe(expected, $"{values[i]:R}");
        }
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        const int count = 300_001;
        var source = new byte[2 * count];
        new Random(1).NextBytes(source);
        var many = Copy(source, TensorDType.F16, TensorDType.BF16, count);
        var threads = KernelThreads.Count;
        KernelThreads.Count = 1;
        try
        {
            Copy(source, TensorDType.F16, TensorDType.BF16, count).ShouldBe(many);
        }
        finally
        {
            KernelThreads.Count = threads;
        }
    }

    [Fact]
    public void Other_types_are_refused()
    {
        FloatCopy.Knows(TensorDType.I32).ShouldBeFalse();
        Should.Throw<ArgumentOutOfRangeException>(() => FloatCopy.Copy(0, TensorDType.I32, 0, TensorDType.F32, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => FloatCopy.Copy(0, TensorDType.F32, 0, TensorDType.U8, 0));
    }

    private static unsafe byte[] Copy(ReadOnlySpan<byte> source, TensorDType from, TensorDType to, int count)
    {
        var result = new byte[count * Width(to)];
        fixed (byte* read = source)
        fixed (byte* write = result) FloatCopy.Copy((nint)read, from, (nint)write, to, count);
        return result;
    }

    private static double Read(ReadOnlySpan<byte> numbers, TensorDType type, int index)
    {
        var bytes = numbers.Slice(index * Width(type), Width(type));
        return type switch
        {
            TensorDType.F64 => MemoryMarshal.Read<double>(bytes),
            TensorDType.F32 => MemoryMarshal.Read<float>(bytes),
            TensorDType.F16 => (double)MemoryMarshal.Read<Half>(bytes),
            _ => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Read<ushort>(bytes) << 16),
        };
    }

    private static double Rounded(double value, TensorDType to) => to switch
    {
        TensorDType.F64 => (float)value,
        TensorDType.F32 => (float)value,
        TensorDType.F16 => (double)(Half)(float)value,
        _ => BitConverter.UInt32BitsToSingle((uint)SingleConversion.ToBFloat16((float)value) << 16),
    };

    private static bool Same(double a, double b) =>
        (double.IsNaN(a) && double.IsNaN(b)) || BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b);

    private static int Width(TensorDType type) => type.BitSize() / 8;
}
