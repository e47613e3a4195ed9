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

    static abstract TSelf Add(TSelf a, TSelf b);

    static abstract TSelf Multiply(TSelf a, TSelf b);

    static abstract TSelf Divide(TSelf a, TSelf b);

    static abstract TSelf SquareRoot(TSelf a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The sum of the lanes, in an order that depends on the width alone.</summary>
    static abstract float Sum(TSelf a);
}
