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
    private bool _noForward;
    private bool _noBackward;

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
        if (_forward is null && !_noForward) _noForward = !TryPack(weight, transposed: false, out _forward);
        return _forward is null ? null : PackedWeights.Apply(x, _forward, bias);
    }

    /// <summary>dy [T, out], weight [out, in] → dy·W [T, in]; null where the weight is not packed.</summary>
    public Tensor? InputGradient(Tensor dy, Tensor weight)
    {
        if (!Takes(dy, weight)) return null;
        if (_backward is null && !_noBackward) _noBackward = !TryPack(weight, transposed: true, out _backward);
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

    private bool TryPack(Tensor weight, bool transposed, out Tensor? packed)
    {
        packed = null;
        var bytes = TensorMemory.ByteCount(weight);
        if (!PackedWeights.AreSupported || !budget!.TryTake(bytes)) return false;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        packed = PackedWeights.Pack(transposed ? weight.t().contiguous() : weight)?.DetachFromDisposeScope();
        return packed is not null;
    }
}
