using System.Runtime.Intrinsics;

namespace Meft.Kernels.Simd;

/// <summary>
/// One register of float32 lanes. Kernels are written once over this interface; the runtime compiles one version for each
/// width that implements it (512, 256, 128 bits, scalar), and <see cref="SimdWidth"/> picks the widest that the machine has.
/// </summary>
internal unsafe interface ISimd<TSelf> where TSelf : unmanaged, ISimd<TSelf>
{
    /// <summary>Lanes in a register.</summary>
    static abstract int Lanes { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    static abstract void Store(TSelf value, float* destination);

    /// <summary>As many bfloat16 as there are lanes, exactly.</summary>
    static abstract TSelf LoadBFloat16(ushort* source);

    /// <summary>Rounds to bfloat16, to nearest even; a NaN stays one.</summary>
    static abstract void StoreBFloat16(TSelf value, ushort* destination);

    /// <summary>Sixteen signed bytes as numbers: the <paramref name="part"/>-th <see cref="Lanes"/> of them.</summary>
    static abstract TSelf Widen(Vector128<sbyte> values, int part);

    /// <summary>Of a table of sixteen numbers those that sixteen bytes from 0 to 15 name: for the <paramref name="part"/>-th <see cref="Lanes"/> bytes.</summary>
    static abstract TSelf LookUp(float* table, Vector128<byte> codes, int part);

    /// <summary>The even ones of 2·<see cref="Lanes"/> bfloat16 numbers: the lower halves of 32-bit words.</summary>
    static abstract TSelf LoadEven(ushort* source);

    /// <summary>The odd ones of 2·<see cref="Lanes"/> bfloat16 numbers: the upper halves of 32-bit words.</summary>
    static abstract TSelf LoadOdd(ushort* source);

    /// <summary>Rounds to nearest, ties to even, and writes even and odd numbers side by side.</summary>
    static abstract void StorePair(TSelf even, TSelf odd, ushort* destination);

    static abstract TSelf Add(TSelf a, TSelf b);

    static abstract TSelf Multiply(TSelf a, TSelf b);

    static abstract TSelf Divide(TSelf a, TSelf b);

    static abstract TSelf SquareRoot(TSelf a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The sum of the lanes, in an order that depends on the width alone.</summary>
    static abstract float Sum(TSelf a);

    /// <summary>The sums of the lanes of four registers; the order depends on the width alone and is not that of <see cref="Sum"/>.</summary>
    static abstract Vector128<float> SumFour(TSelf a, TSelf b, TSelf c, TSelf d);
}
