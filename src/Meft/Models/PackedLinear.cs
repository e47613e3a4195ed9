using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Copies of a frozen bfloat16 weight in the blocked form that oneDNN's kernels read, which libtorch otherwise makes anew at every call:
/// one for the map and one for its gradient. Each is made at its first use, if the budget allows.
/// </summary>
/// <param name="budget">The model's; null: never packed.</param>
internal sealed class PackedLinear(PackingBudget? budget) : IDisposable
{
    private Tensor? _forward;
    private Tensor? _backward;
    private bool _cannot;

    /// <summary>Whether a weight may be packed for such vectors. A trained one may not: its copies would be those of an earlier step.</summary>
    public bool Takes(Tensor x, Tensor weight)
    {
        if (budget is null || x.dtype != ScalarType.BFloat16 || x.device_type != TorchSharp.DeviceType.CPU) return false;
        if (weight.requires_grad) Dispose();
        return !weight.requires_grad;
    }

    /// <summary>x [T, in], weight [out, in] → x·Wᵀ + b [T, out]; null where the weight is not packed.</summary>
    public Tensor? Apply(Tensor x, Tensor weight, Tensor? bias)
    {
        if (!Takes(x, weight)) return null;
        if (_forward is null && !_cannot) _forward = TryPack(weight, transposed: false);
        return _forward is null ? null : PackedWeights.Apply(x, _forward, bias);
    }

    /// <summary>dy [T, out], weight [out, in] → dy·W [T, in]; null where the weight is not packed.</summary>
    public Tensor? InputGradient(Tensor dy, Tensor weight)
    {
        if (!Takes(dy, weight)) return null;
        if (_backward is null && !_cannot) _backward = TryPack(weight, transposed: true);
        return _backward is null ? null : PackedWeights.Apply(dy, _backward, null);
    }

    public void Dispose()
    {
        foreach (var packed in new[] { _forward, _backward })
        {
            if (packed is not null) budget!.GiveBack(2 * packed.numel());
            packed?.Dispose();
        }
        (_forward, _backward) = (null, null);
    }

    private Tensor? TryPack(Tensor weight, bool transposed)
    {
        var bytes = TensorMemory.ByteCount(weight);
        _cannot = !PackedWeights.AreSupported;
        if (_cannot || !budget!.TryTake(bytes)) return null;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var packed = PackedWeights.Pack(transposed ? weight.t().contiguous() : weight)?.DetachFromDisposeScope();
        if (packed is not null) return packed;
        _cannot = true;
        budget.GiveBack(bytes);
        return null;
    }
}
