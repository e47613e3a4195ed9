using System.Runtime.Intrinsics;
using Meft.Kernels.Rows;

namespace Meft.Kernels.Simd;

/// <summary>One lane: what the kernels compute where there are no vectors, and the reference for their tests.</summary>
internal readonly unsafe struct SimdScalar(float value) : ISimd<SimdScalar>
{
    private readonly float _value = value;

    public static int Lanes => 1;

    public static SimdScalar Zero => new(0f);

    public static SimdScalar Broadcast(float value) => new(value);

    public static SimdScalar Load(float* source) => new(*source);

    public static void Store(SimdScalar value, float* destination) => *destination = value._value;

    public static SimdScalar LoadBFloat16(ushort* source) => new(BitConverter.UInt32BitsToSingle((uint)*source << 16));

    public static void StoreBFloat16(SimdScalar value, ushort* destination)
    {
        var bits = BitConverter.SingleToUInt32Bits(value._value);
        // A NaN must not be carried over into an infinity or a zero.
        *destination = (ushort)(float.IsNaN(value._value) ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public static SimdScalar Widen(Vector128<sbyte> values, int part) => new(values.GetElement(part));

    public static SimdScalar LookUp(float* table, Vector128<byte> codes, int part) => new(table[codes.GetElement(part)]);

    public static SimdScalar Add(SimdScalar a, SimdScalar b) => new(a._value + b._value);

    public static SimdScalar Multiply(SimdScalar a, SimdScalar b) => new(a._value * b._value);

    public static SimdScalar Divide(SimdScalar a, SimdScalar b) => new(a._value / b._value);

    public static SimdScalar SquareRoot(SimdScalar a) => new(MathF.Sqrt(a._value));

    public static SimdScalar MultiplyAdd(SimdScalar a, SimdScalar b, SimdScalar c) => new(MathF.FusedMultiplyAdd(a._value, b._value, c._value));

    public static float Sum(SimdScalar a) => a._value;

    public static Vector128<float> SumFour(SimdScalar a, SimdScalar b, SimdScalar c, SimdScalar d) =>
        Vector128.Create(a._value, b._value, c._value, d._value);

    public static SimdScalar LoadEven(ushort* source) => new(BFloat16Row.Load((nint)source, 0));

    public static SimdScalar LoadOdd(ushort* source) => new(BFloat16Row.Load((nint)source, 1));

    public static void StorePair(SimdScalar even, SimdScalar odd, ushort* destination)
    {
        BFloat16Row.Store(even._value, (nint)destination, 0);
        BFloat16Row.Store(odd._value, (nint)destination, 1);
    }
}
