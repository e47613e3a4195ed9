using CsCheck;
using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Shouldly;

namespace Meft.Core.Tests.Planning;

public class BlockPanelTests
{
    [Theory]
    [InlineData(BlockFormat.Int8, false, 1 << 21)]
    [InlineData(BlockFormat.Nf4, true, 1 << 26)]
    [InlineData(BlockFormat.Int8, true, 1 << 26)]
    [InlineData(BlockFormat.Q4K, true, 1 << 24)]
    public void A_panel_is_the_whole_matrix_or_nearly_as_much_as_is_allowed(BlockFormat format, bool accelerator, long most) =>
        Gen.Select(Gen.Int[1, 20000], Gen.Int[1, 20000]).Sample((rows, columns) =>
        {
            var panel = new BlockPanel(new BlockLayout(format, rows, columns), accelerator);
            panel.Rows.ShouldBeInRange(1, rows);
            if (panel.Rows < rows) ((panel.Rows + 1L) * columns).ShouldBeGreaterThan(most);
            if (panel.Columns < columns) (panel.Columns % panel.Layout.BlockWeights).ShouldBe(0);
            panel.Weights.ShouldBeLessThanOrEqualTo(Math.Max(most, Math.Max((long)rows * panel.Layout.BlockWeights, columns)));
            panel.Weights.ShouldBeGreaterThanOrEqualTo(Math.Min(most / 2, (long)rows * columns));
        });

    [Fact]
    public void What_operations_hold_beside_a_panel_is_counted_on_an_accelerator_alone()
    {
        BlockPanel Of(BlockFormat format, bool accelerator) => new(new BlockLayout(format, 256, 512), accelerator);
        const long weights = 256 * 512;
        Of(BlockFormat.Nf4, false).Bytes(2).ShouldBe(2 * weights);
        Of(BlockFormat.Int8, true).Bytes(2).ShouldBe(2 * weights);
        Of(BlockFormat.Nf4, true).Bytes(2).ShouldBe((2 + 4) * weights + 8 * weights / 64);
        Of(BlockFormat.Q6K, true).Bytes(2).ShouldBe((2 + 11) * weights);
        // A row's last block is not full.
        new BlockPanel(new BlockLayout(BlockFormat.Int8, 256, 500), Accelerator: true).Bytes(2).ShouldBe(2 * 2 * 256 * 500);
    }
}
