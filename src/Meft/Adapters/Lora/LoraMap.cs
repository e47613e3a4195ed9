using Meft.Core.Adapters.Lora;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Lora;

/// <summary>The addition to one linear map: y' = y + scale·(x·Aᵀ)·Bᵀ, with A [r, in] and B [out, r] in float32 (arXiv 2106.09685).</summary>
internal sealed class LoraMap : IDisposable
{
    /// <summary>Allocates zeros.</summary>
    public LoraMap(LoraMapSpec spec, Device device)
    {
        Spec = spec;
        A = zeros(spec.Rank, spec.Module.Inputs, ScalarType.Float32, device).DetachFromDisposeScope();
        B = zeros(spec.Module.Outputs, spec.Rank, ScalarType.Float32, device).DetachFromDisposeScope();
    }

    /// <summary>Sizes and scale.</summary>
    public LoraMapSpec Spec { get; }

    /// <summary>[r, in].</summary>
    public Tensor A { get; }

    /// <summary>[out, r].</summary>
    public Tensor B { get; }

    /// <summary>x [T, in] float32, y [T, out] of the base's type → [T, out] of that type; the sum is made in float32.</summary>
    public Tensor Apply(Tensor x, Tensor y)
    {
        using var scope = NewDisposeScope();
        var low = x.matmul(A.t()); // [T, r]
        if (y.dtype == ScalarType.Float32) return y.addmm(low, B.t(), 1, (float)Spec.Scale).MoveToOuterDisposeScope();
        // The scale goes onto the narrow side, where it costs nothing.
        if (Spec.Scale != 1) low = low.Times(Spec.Scale);
        return y.Plus(low.matmul(B.t())).to(y.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>scale·B·A [out, in], float32: what merging adds to the map's weights.</summary>
    public Tensor Product()
    {
        using var scope = NewDisposeScope();
        return B.matmul(A).Times(Spec.Scale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
