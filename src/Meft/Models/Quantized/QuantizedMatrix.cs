using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// A frozen weight [out, in] held in blocks. Its products are made panel by panel: as many rows (or, for the gradient, columns) as make a panel become plain
/// numbers of the type that is computed in, and are multiplied as plain weights are. Every number of a result comes from one product: panels add no rounding.
/// </summary>
/// <param name="data">[bytes] of unsigned bytes, as the panel's layout says.</param>
/// <param name="panel">How the blocks lie, who decodes them, and how many at once. Operations on tensors decode on any device, the kernels in host memory.</param>
/// <param name="panels">Where the kernels' panels are.</param>
internal sealed class QuantizedMatrix(Tensor data, BlockPanel panel, PanelPool panels) : IDisposable
{
    private readonly TensorBlocks? _blocks = panel.Accelerator ? new TensorBlocks(data, panel.Layout) : null;

    /// <summary>How the blocks lie.</summary>
    public BlockLayout Layout => panel.Layout;

    /// <summary>The blocks; valid while their tensor lives.</summary>
    public unsafe nint Address => (nint)TensorMemory.Pointer(data);

    /// <summary>x [T, in] → x·Wᵀ + b [T, out].</summary>
    public Tensor Map(Tensor x, Tensor? bias)
    {
        var most = panel.Rows;
        if (most >= Layout.Rows) return WithPanel(0, Layout.Rows, 0, Layout.Columns, x.dtype, w => nn.functional.linear(x, w, bias));
        using var scope = NewDisposeScope();
        var y = empty([x.shape[0], Layout.Rows], x.dtype, x.device);
        for (var row = 0; row < Layout.Rows; row += most)
        {
            var rows = Math.Min(most, Layout.Rows - row);
            using var part = NewDisposeScope();
            y.narrow(1, row, rows).copy_(WithPanel(row, rows, 0, Layout.Columns, x.dtype, w => nn.functional.linear(x, w, bias?.narrow(0, row, rows))));
        }
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>dy [T, out] → dy·W [T, in].</summary>
    public Tensor InputGradient(Tensor dy)
    {
        var most = panel.Columns;
        if (most >= Layout.Columns) return WithPanel(0, Layout.Rows, 0, Layout.Columns, dy.dtype, dy.matmul);
        using var scope = NewDisposeScope();
        var dx = empty([dy.shape[0], Layout.Columns], dy.dtype, dy.device);
        for (var column = 0; column < Layout.Columns; column += most)
        {
            var columns = Math.Min(most, Layout.Columns - column);
            using var part = NewDisposeScope();
            dx.narrow(1, column, columns).copy_(WithPanel(0, Layout.Rows, column, columns, dy.dtype, dy.matmul));
        }
        return dx.MoveToOuterDisposeScope();
    }

    /// <summary>The weights as plain numbers, [out, in].</summary>
    public Tensor Decode(ScalarType type) => WithPanel(0, Layout.Rows, 0, Layout.Columns, type, w => w.clone());

    /// <summary>Frees what is held beside the blocks, which belong to whoever made them.</summary>
    public void Dispose() => _blocks?.Dispose();

    private unsafe Tensor WithPanel(int row, int rows, int column, int columns, ScalarType type, Func<Tensor, Tensor> use)
    {
        using var scope = NewDisposeScope();
        if (_blocks is not null) return use(_blocks.Decode(row, rows, column, columns, type)).MoveToOuterDisposeScope();
        // Kernels decode to float32 and bfloat16.
        var decoded = type == ScalarType.BFloat16 ? type : ScalarType.Float32;
        var plain = panels.Rent((long)rows * columns, decoded);
        try
        {
            BlockTiles.Decode(
                new BlockMatrix(Layout, Address), row, rows, column, columns, (nint)TensorMemory.Pointer(plain), HostFloats.Format(plain));
            GC.KeepAlive(data); // which no scope holds
            return use(plain.narrow(0, 0, (long)rows * columns).view(rows, columns).to(type)).MoveToOuterDisposeScope();
        }
        finally
        {
            panels.Return(plain);
        }
    }
}
