using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Meft.Kernels.Simd;

/// <summary>128 bits: 4 lanes.</summary>
internal readonly unsafe struct Simd128(Vector128<float> value) : ISimd<Simd128>
{
    private readonly Vector128<float> _value = value;

    public static int Lanes => Vector128<float>.Count;

    /// <summary>The lanes.</summary>
    public Vector128<float> Value => _value;

    public static Simd128 Zero => new(Vector128<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd128 value, float* destination) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadBFloat16(ushort* source) =>
        new((Vector128.WidenLower(Vector64.Load(source).ToVector128Unsafe()) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Simd128 value, ushort* destination)
    {
        var bits = value._value.AsUInt32();
        var rounded = (bits + Vector128.Create(0x7FFFu) + ((bits >> 16) & Vector128<uint>.One)) >> 16;
        // A NaN must not be carried over into an infinity or a zero.
        var isNumber = Vector128.Equals(value._value, value._value).AsUInt32();
        rounded = Vector128.ConditionalSelect(isNumber, rounded, (bits >> 16) | Vector128.Create(0x40u));
        Vector128.Narrow(rounded, rounded).GetLower().Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Widen(Vector128<sbyte> values, int part)
    {
        var words = part < 2 ? Vector128.WidenLower(values) : Vector128.WidenUpper(values);
        return new(Vector128.ConvertToSingle((part & 1) == 0 ? Vector128.WidenLower(words) : Vector128.WidenUpper(words)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LookUp(float* table, Vector128<byte> codes, int part)
    {
        var four = codes.AsUInt32().GetElement(part);
        return new(Vector128.Create(table[four & 0xFF], table[four >> 8 & 0xFF], table[four >> 16 & 0xFF], table[four >> 24]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Add(Simd128 a, Simd128 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Multiply(Simd128 a, Simd128 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Divide(Simd128 a, Simd128 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SquareRoot(Simd128 a) => new(Vector128.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c) => new(Vector128.FusedMultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd128 a) => Vector128.Sum(a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SumFour(Simd128 a, Simd128 b, Simd128 c, Simd128 d)
    {
        // Pairs of lanes first: ab = (a0+a2, b0+b2, a1+a3, b1+b3), then the halves.
        var ab = FoldedPair(a._value, b._value);
        var cd = FoldedPair(c._value, d._value);
        if (Sse.IsSupported) return Sse.MoveLowToHigh(ab, cd) + Sse.MoveHighToLow(cd, ab);
        return Vector128.Create(ab.GetLower(), cd.GetLower()) + Vector128.Create(ab.GetUpper(), cd.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FoldedPair(Vector128<float> a, Vector128<float> b)
    {
        // (a0 b0 a1 b1) + (a2 b2 a3 b3).
        if (Sse.IsSupported) return Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.ZipLow(a, b) + AdvSimd.Arm64.ZipHigh(a, b);
        return Vector128.Create(a[0] + a[2], b[0] + b[2], a[1] + a[3], b[1] + b[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadEven(ushort* source) => new((Vector128.Load((uint*)source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadOdd(ushort* source) => new((Vector128.Load((uint*)source) & Vector128.Create(0xFFFF0000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePair(Simd128 even, Simd128 odd, ushort* destination) =>
        ((Rounded(even._value) >> 16) | (Rounded(odd._value) & Vector128.Create(0xFFFF0000))).Store((uint*)destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Rounded(Vector128<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector128.Create(0x7FFFu) + ((bits >> 16) & Vector128<uint>.One);
        // A NaN must not be carried over into an infinity or a zero.
        return Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), rounded, bits | Vector128.Create(0x400000u));
    }
}
