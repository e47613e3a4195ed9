using Meft.Kernels;
using Meft.Kernels.Linear;
using Meft.Models.Quantized;
using Meft.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The weights of one linear map.</summary>
/// <param name="Weight">[out, in]; the bytes of its blocks where it is quantised.</param>
/// <param name="Bias">[out], or null where the map has none.</param>
/// <param name="Packing">What may be spent on packed copies of a frozen weight; null: none are made.</param>
internal sealed record LinearWeights(Tensor Weight, Tensor? Bias, PackingBudget? Packing = null) : IDisposable
{
    /// <summary>Up to so many vectors the own kernel is faster on bfloat16 weights than libtorch, which lays them out anew at every call.</summary>
    private const int FewVectors = 32;

    private readonly PackedLinear _packed = new(Packing);

    /// <summary>The weight as blocks; null where it is plain.</summary>
    public QuantizedMatrix? Quantized { get; init; }

    /// <summary>x [T, in] → x·Wᵀ + b [T, out].</summary>
    /// <param name="x">[T, in].</param>
    /// <param name="few">
    /// Whether few vectors may take the own kernel. Not within layers that may be computed a second time with a graph: both times must round alike.
    /// </param>
    public Tensor Apply(Tensor x, bool few)
    {
        var recorded = IsRecorded(x);
        if (few && x.shape[0] <= FewVectors && x.dtype == ScalarType.BFloat16 && x.device_type == DeviceType.CPU && !recorded)
            return ApplyToFew(x);
        return recorded && (Quantized is not null || _packed.Takes(x, Weight)) ? FrozenLinear.Apply(x, this) : Map(x);
    }

    /// <summary>x [T, in] → x·Wᵀ + b [T, out], by libtorch.</summary>
    public Tensor Map(Tensor x) => Quantized?.Map(x, Bias) ?? _packed.Apply(x, Weight, Bias) ?? nn.functional.linear(x, Weight, Bias);

    /// <summary>dy [T, out] → dy·W [T, in]: the gradient of the map's input.</summary>
    public Tensor InputGradient(Tensor dy) => Quantized?.InputGradient(dy) ?? _packed.InputGradient(dy, Weight) ?? dy.matmul(Weight);

    /// <summary>The map for the own kernels, in host memory.</summary>
    /// <param name="result">The address of [T, out].</param>
    public LinearTarget Target(nint result) =>
        new(Address(Weight), Bias is null ? 0 : Address(Bias), Outputs, result, Quantized?.Layout.Format);

    /// <summary>Some rows of the map for the own kernels, as those of a fused one that belong to one of its results. Its weights are plain numbers.</summary>
    /// <param name="result">The address of [T, rows].</param>
    /// <param name="firstRow">The first of them.</param>
    /// <param name="rows">How many.</param>
    public LinearTarget Target(nint result, int firstRow, int rows)
    {
        nint Row(Tensor tensor) => Address(tensor) + (nint)(firstRow * tensor.stride(0) * TensorMemory.ElementBytes(tensor.dtype));
        return new(Row(Weight), Bias is null ? 0 : Row(Bias), rows, result);
    }

    /// <summary>Frees the packed copies and views; weight and bias belong to whoever made them.</summary>
    public void Dispose()
    {
        _packed.Dispose();
        Quantized?.Dispose();
    }

    private int Outputs => Quantized?.Layout.Rows ?? (int)Weight.shape[0];

    private bool IsRecorded(Tensor x) => is_grad_enabled() && (x.requires_grad || Weight.requires_grad);

    private Tensor ApplyToFew(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = x.contiguous();
        var y = empty([x.shape[0], Outputs], ScalarType.BFloat16);
        FewVectorsLinear.Apply(Address(x), (int)x.shape[0], (int)x.shape[1], FloatFormat.BFloat16, [Target(Address(y))]);
        GC.KeepAlive(this); // its weights, which no scope holds
        return y.MoveToOuterDisposeScope();
    }

    private static unsafe nint Address(Tensor x) => (nint)TensorMemory.Pointer(x);
}
