using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Meft.Kernels.Simd;

/// <summary>256 bits: 8 lanes.</summary>
internal readonly unsafe struct Simd256(Vector256<float> value) : ISimd<Simd256>
{
    private readonly Vector256<float> _value = value;

    public static int Lanes => Vector256<float>.Count;

    /// <summary>The lanes.</summary>
    public Vector256<float> Value => _value;

    public static Simd256 Zero => new(Vector256<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd256 value, float* destination) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadBFloat16(ushort* source) =>
        new((Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Simd256 value, ushort* destination)
    {
        var bits = value._value.AsUInt32();
        var rounded = (bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256<uint>.One)) >> 16;
        // A NaN must not be carried over into an infinity or a zero.
        var isNumber = Vector256.Equals(value._value, value._value).AsUInt32();
        rounded = Vector256.ConditionalSelect(isNumber, rounded, (bits >> 16) | Vector256.Create(0x40u));
        Vector256.Narrow(rounded, rounded).GetLower().Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Widen(Vector128<sbyte> values, int part)
    {
        var words = part == 0 ? Vector128.WidenLower(values) : Vector128.WidenUpper(values);
        return new(Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LookUp(float* table, Vector128<byte> codes, int part)
    {
        if (!Avx2.IsSupported) return new(Vector256.Create(Simd128.LookUp(table, codes, 2 * part).Value, Simd128.LookUp(table, codes, 2 * part + 1).Value));
        var words = part == 0 ? Vector128.WidenLower(codes) : Vector128.WidenUpper(codes);
        var indices = Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
        var low = Avx2.PermuteVar8x32(Vector256.Load(table), indices);
        var high = Avx2.PermuteVar8x32(Vector256.Load(table + 8), indices);
        return new(Vector256.ConditionalSelect(Vector256.GreaterThan(indices, Vector256.Create(7)).AsSingle(), high, low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Add(Simd256 a, Simd256 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Multiply(Simd256 a, Simd256 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Divide(Simd256 a, Simd256 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SquareRoot(Simd256 a) => new(Vector256.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MultiplyAdd(Simd256 a, Simd256 b, Simd256 c) => new(Vector256.FusedMultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd256 a) => Vector256.Sum(a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SumFour(Simd256 a, Simd256 b, Simd256 c, Simd256 d) =>
        Simd128.SumFour(Folded(a), Folded(b), Folded(c), Folded(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Simd128 Folded(Simd256 a) => new(a._value.GetLower() + a._value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadEven(ushort* source) => new((Vector256.Load((uint*)source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadOdd(ushort* source) => new((Vector256.Load((uint*)source) & Vector256.Create(0xFFFF0000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePair(Simd256 even, Simd256 odd, ushort* destination) =>
        ((Rounded(even._value) >> 16) | (Rounded(odd._value) & Vector256.Create(0xFFFF0000))).Store((uint*)destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rounded(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256<uint>.One);
        // A NaN must not be carried over into an infinity or a zero.
        return Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, bits | Vector256.Create(0x400000u));
    }
}
