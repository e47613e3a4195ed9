using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>The scales of an NF4 matrix's blocks, which are quantised themselves (<see cref="BlockLayout"/> says how they lie), by operations on tensors.</summary>
internal sealed class DoublyQuantizedScales : IDisposable
{
    private readonly BlockLayout _layout;
    private readonly Tensor _codes; // [groups, 256]; [blocks] where the last group is not full
    private readonly Tensor _units; // [groups, 1]
    private readonly Tensor _mean; // [1]

    /// <param name="data">[bytes] of the matrix.</param>
    /// <param name="layout">How it lies.</param>
    public DoublyQuantizedScales(Tensor data, BlockLayout layout)
    {
        using var scope = NewDisposeScope();
        _layout = layout;
        var codes = data.narrow(0, layout.ScalesOffset, layout.Blocks).SeenAs(ScalarType.Int8);
        var singles = data.narrow(0, layout.GroupsOffset, sizeof(float) * (layout.ScaleGroups + 1L)).SeenAs(ScalarType.Float32);
        _codes = (AreFull ? codes.view(layout.ScaleGroups, BlockLayout.ScalesOfGroup) : codes).DetachFromDisposeScope();
        _units = singles.narrow(0, 0, layout.ScaleGroups).unsqueeze(1).DetachFromDisposeScope();
        _mean = singles.narrow(0, layout.ScaleGroups, 1).DetachFromDisposeScope();
    }

    private bool AreFull => _layout.Blocks % BlockLayout.ScalesOfGroup == 0;

    /// <summary>code · unit of its group + mean: [rows, blocks of a row, 1, 1, 1] float32.</summary>
    public Tensor Decode()
    {
        var units = AreFull ? _units : _units.expand(_layout.ScaleGroups, BlockLayout.ScalesOfGroup).reshape(-1).narrow(0, 0, _layout.Blocks);
        return (_codes * units).PlusInPlace(_mean).view(_layout.Rows, _layout.BlocksOfRow, 1, 1, 1);
    }

    /// <summary>Frees the views.</summary>
    public void Dispose()
    {
        foreach (var view in new[] { _codes, _units, _mean }) view.Dispose();
    }
}
