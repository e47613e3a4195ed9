using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Tests;

/// <summary>Operations with a number whose scalar lives until they have returned, as <see cref="Meft.Native.ScalarOperations"/> has them.</summary>
internal static class TensorNumbers
{
    /// <summary>Where x is a number.</summary>
    public static Tensor Is(this Tensor x, double number)
    {
        using var scalar = number.ToScalar();
        return x.eq(scalar);
    }

    /// <summary>x with the number everywhere, in place.</summary>
    public static Tensor FillWith(this Tensor x, double number)
    {
        using var scalar = number.ToScalar();
        return x.fill_(scalar);
    }
}
