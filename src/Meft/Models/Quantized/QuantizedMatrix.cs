using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Meft.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// A frozen weight [out, in] held in blocks. Its products are made panel by panel: as many rows (or, for the gradient, columns) as make a panel become plain
/// numbers of the type that is computed in, and are multiplied as plain weights are. Every number of a result comes from one product: panels add no rounding.
/// </summary>
/// <param name="data">[bytes] of unsigned bytes, as the layout says.</param>
/// <param name="layout">How the blocks lie.</param>
/// <param name="panels">Where panels are decoded in host memory.</param>
internal sealed class QuantizedMatrix(Tensor data, BlockLayout layout, PanelPool panels)
{
    private readonly BlockPanel _panel = new(layout, Accelerator: data.device_type != DeviceType.CPU);

    /// <summary>How the blocks lie.</summary>
    public BlockLayout Layout => layout;

    /// <summary>The blocks; valid while their tensor lives.</summary>
    public unsafe nint Address => (nint)TensorMemory.Pointer(data);

    /// <summary>x [T, in] → x·Wᵀ + b [T, out].</summary>
    public Tensor Map(Tensor x, Tensor? bias)
    {
        var most = _panel.Rows;
        if (most >= layout.Rows) return WithPanel(0, layout.Rows, 0, layout.Columns, x.dtype, w => nn.functional.linear(x, w, bias));
        using var scope = NewDisposeScope();
        var y = empty([x.shape[0], layout.Rows], x.dtype, x.device);
        for (var row = 0; row < layout.Rows; row += most)
        {
            var rows = Math.Min(most, layout.Rows - row);
            using var part = NewDisposeScope();
            y.narrow(1, row, rows).copy_(WithPanel(row, rows, 0, layout.Columns, x.dtype, w => nn.functional.linear(x, w, bias?.narrow(0, row, rows))));
        }
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>dy [T, out] → dy·W [T, in].</summary>
    public Tensor InputGradient(Tensor dy)
    {
        var most = _panel.Columns;
        if (most >= layout.Columns) return WithPanel(0, layout.Rows, 0, layout.Columns, dy.dtype, dy.matmul);
        using var scope = NewDisposeScope();
        var dx = empty([dy.shape[0], layout.Columns], dy.dtype, dy.device);
        for (var column = 0; column < layout.Columns; column += most)
        {
            var columns = Math.Min(most, layout.Columns - column);
            using var part = NewDisposeScope();
            dx.narrow(1, column, columns).copy_(WithPanel(0, layout.Rows, column, columns, dy.dtype, dy.matmul));
        }
        return dx.MoveToOuterDisposeScope();
    }

    /// <summary>The weights as plain numbers, [out, in].</summary>
    public Tensor Decode(ScalarType type) => WithPanel(0, layout.Rows, 0, layout.Columns, type, w => w.clone());

    private unsafe Tensor WithPanel(int row, int rows, int column, int columns, ScalarType type, Func<Tensor, Tensor> use)
    {
        using var scope = NewDisposeScope();
        if (_panel.Accelerator) return use(TensorBlocks.Decode(data, layout, row, rows, column, columns, type)).MoveToOuterDisposeScope();
        // Kernels decode to float32 and bfloat16.
        var decoded = type == ScalarType.BFloat16 ? type : ScalarType.Float32;
        var panel = panels.Rent((long)rows * columns, decoded);
        try
        {
            BlockTiles.Decode(
                new BlockMatrix(layout, Address), row, rows, column, columns, (nint)TensorMemory.Pointer(panel), HostFloats.Format(panel));
            GC.KeepAlive(data); // which no scope holds
            return use(panel.narrow(0, 0, (long)rows * columns).view(rows, columns).to(type)).MoveToOuterDisposeScope();
        }
        finally
        {
            panels.Return(panel);
        }
    }
}
