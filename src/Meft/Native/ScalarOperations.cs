using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// Operations of a tensor with a number, written or implied (a sum of two tensors is x + 1 · y to libtorch). TorchSharp makes a <see cref="Scalar"/> of the
/// number, passes its handle to libtorch and then holds it no more, so that a garbage collection at that moment frees it while it is read: libtorch then
/// fails, or computes with another number. Here the scalar lives until the operation has returned. The conversions, operators and methods that do not care
/// for it are banned (BannedSymbols.txt).
/// </summary>
internal static class ScalarOperations
{
    /// <summary>x · factor, a new tensor.</summary>
    public static Tensor Times(this Tensor x, double factor) => With(factor.ToScalar(), x.mul);

    /// <summary>x · factor, a new tensor; whole numbers stay whole.</summary>
    public static Tensor Times(this Tensor x, long factor) => With(factor.ToScalar(), x.mul);

    /// <summary>x · factor in place.</summary>
    public static Tensor TimesInPlace(this Tensor x, double factor) => With(factor.ToScalar(), x.mul_);

    /// <summary>x + y, a new tensor.</summary>
    public static Tensor Plus(this Tensor x, Tensor y) => With(1.ToScalar(), one => x.add(y, one));

    /// <summary>x + y in place of x.</summary>
    public static Tensor PlusInPlace(this Tensor x, Tensor y) => With(1.ToScalar(), one => x.add_(y, one));

    /// <summary>x + term, a new tensor.</summary>
    public static Tensor Plus(this Tensor x, double term) => With(term.ToScalar(), added => With(1.ToScalar(), one => x.add(added, one)));

    /// <summary>x + term, a new tensor; whole numbers stay whole.</summary>
    public static Tensor Plus(this Tensor x, long term) => With(term.ToScalar(), added => With(1.ToScalar(), one => x.add(added, one)));

    /// <summary>x + term in place.</summary>
    public static Tensor PlusInPlace(this Tensor x, double term) => With(term.ToScalar(), added => With(1.ToScalar(), one => x.add_(added, one)));

    /// <summary>x², a new tensor.</summary>
    public static Tensor Squared(this Tensor x) => x.Power(2);

    /// <summary>x to a power, a new tensor.</summary>
    public static Tensor Power(this Tensor x, double exponent) => With(exponent.ToScalar(), x.pow);

    /// <summary>x modulo a divisor, a new tensor.</summary>
    public static Tensor Modulo(this Tensor x, double divisor) => With(divisor.ToScalar(), x.remainder);

    /// <summary>Where x is other than a number.</summary>
    public static Tensor IsNot(this Tensor x, long number) => With(number.ToScalar(), x.ne);

    /// <summary>Where x is less than a number.</summary>
    public static Tensor IsBelow(this Tensor x, long number) => With(number.ToScalar(), x.lt);

    /// <summary>Where x is at least a number.</summary>
    public static Tensor IsAtLeast(this Tensor x, long number) => With(number.ToScalar(), x.ge);

    /// <summary>Where x is greater than a number.</summary>
    public static Tensor IsAbove(this Tensor x, double number) => With(number.ToScalar(), x.gt);

    /// <summary>x with a number where a mask says so, a new tensor.</summary>
    public static Tensor Masked(this Tensor x, Tensor mask, double number) => With(number.ToScalar(), s => x.masked_fill(mask, s));

    /// <summary>Writes a number into whole slices, in place.</summary>
    public static Tensor FillSlices(this Tensor x, long dimension, Tensor slices, double number) => With(number.ToScalar(), s => x.index_fill_(dimension, slices, s));

    /// <summary>Adds slices of another tensor to those named, in place.</summary>
    public static Tensor AddSlices(this Tensor x, long dimension, Tensor slices, Tensor addends) => With(1.ToScalar(), s => x.index_add_(dimension, slices, addends, s));

    /// <summary>A tensor of one number.</summary>
    public static Tensor Filled(long[] shape, double number, ScalarType type, Device device) => With(number.ToScalar(), s => full(shape, s, type, device));

    /// <summary>0, 1, … count − 1.</summary>
    public static Tensor Counting(long count, ScalarType type, Device? device = null) =>
        With(0.ToScalar(), from => With(count.ToScalar(), to => With(1.ToScalar(), step => arange(from, to, step, type, device))));

    private static Tensor With(Scalar scalar, Func<Scalar, Tensor> operation)
    {
        using (scalar) return operation(scalar);
    }
}
