using Meft.Kernels;
using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>
/// Trained tensors that cross the link together. A card takes as long over a copy of a kilobyte as over one of a megabyte, and waits for it each time; LoRA has
/// hundreds of small tensors. So their gradients are put side by side on the card and cross as one, and so do the new weights. On the CPU every tensor is
/// a group of its own.
/// </summary>
internal sealed class TensorGroup
{
    /// <summary>What a group may hold, so that the copy beside the tensors stays small.</summary>
    internal const long LargestBytes = 16L << 20;

    private readonly IReadOnlyList<TensorMaster> _masters;
    private readonly long _count;

    internal TensorGroup(IReadOnlyList<TensorMaster> masters) => (_masters, _count) = (masters, masters.Sum(m => m.Count));

    /// <summary>Groups for a device, in the order of the tensors.</summary>
    public static IReadOnlyList<TensorGroup> For(Device device, IReadOnlyList<TensorMaster> masters)
    {
        var largest = device.type == TorchSharp.DeviceType.CPU ? 0 : LargestBytes;
        var groups = new List<List<TensorMaster>>();
        foreach (var master in masters)
        {
            var last = groups.LastOrDefault();
            if (last is null || last[0].Type != master.Type || last.Sum(m => m.TensorByteCount) + master.TensorByteCount > largest) groups.Add([master]);
            else last.Add(master);
        }
        return [.. groups.Select(group => new TensorGroup(group))];
    }

    /// <summary>Brings the gradients to the host and returns their squared norm.</summary>
    /// <param name="ledger">Where the copy beside the tensors is counted; null to count nothing.</param>
    public double CollectGradients(MemoryLedger? ledger)
    {
        if (_masters.Count == 1) return _masters[0].CollectGradient();
        using var held = HoldCopy(ledger);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var gradients = cat([.. _masters.Select(m => m.FlatGradient())]).cpu().to(ScalarType.Float32);
        return Slices(gradients).Sum(slice => slice.Master.TakeGradient(slice.Part));
    }

    /// <summary>One AdamW step with the collected gradients.</summary>
    /// <param name="step">The step.</param>
    /// <param name="ledger">As for <see cref="CollectGradients"/>.</param>
    public void Update(in AdamWStep step, MemoryLedger? ledger)
    {
        foreach (var master in _masters) master.Update(step);
        CopyIn(ledger);
    }

    /// <summary>Overwrites the tensors with their masters.</summary>
    /// <param name="ledger">As for <see cref="CollectGradients"/>.</param>
    public void CopyIn(MemoryLedger? ledger)
    {
        if (_masters.Count == 1)
        {
            _masters[0].CopyIn();
            return;
        }
        using var held = HoldCopy(ledger);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var weights = empty(_count, ScalarType.Float32);
        foreach (var (master, part) in Slices(weights)) master.WriteWeights(part);
        foreach (var (master, part) in Slices(weights.to(_masters[0].Type).to(_masters[0].Device))) master.TakeWeights(part);
    }

    private HeldBytes? HoldCopy(MemoryLedger? ledger) => ledger?.Hold(DeviceUse.TrainedTensors, _masters.Sum(m => m.TensorByteCount));

    private IEnumerable<(TensorMaster Master, Tensor Part)> Slices(Tensor flat)
    {
        long from = 0;
        foreach (var master in _masters)
        {
            yield return (master, flat.narrow(0, from, master.Count));
            from += master.Count;
        }
    }
}
