using CsCheck;
using Meft.Kernels;
using Meft.Kernels.Quantization;
using Meft.Models.Quantized;
using Meft.Native;
using Meft.Tests.Devices.Cuda;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>The form for cards, on the CPU, against the kernels.</summary>
public unsafe class TensorBlocksTests
{
    public static TheoryData<BlockFormat> Formats => [.. Enum.GetValues<BlockFormat>()];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Any_part_has_the_bits_that_the_kernels_give(BlockFormat format) => ShouldBeAsTheKernels(format, CPU);

    [Theory]
    [Trait("Category", "Card")]
    [MemberData(nameof(Formats))]
    public void So_it_has_on_a_card(BlockFormat format) => ShouldBeAsTheKernels(format, Card.Require());

    private static void ShouldBeAsTheKernels(BlockFormat format, Device device) =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 900], Gen.Bool, Gen.Int[0, 10000]).Sample((rows, columns, narrow, seed) =>
        {
            using var scope = NewDisposeScope();
            var layout = new BlockLayout(format, rows, columns);
            var data = SampleBlocks.Random(layout, seed);
            var random = new Random(seed);
            int row = random.Next(rows), count = random.Next(1, rows - row + 1), first = random.Next(layout.BlocksOfRow);
            var column = first * layout.BlockWeights;
            var width = Math.Min(columns, random.Next(first + 1, layout.BlocksOfRow + 1) * layout.BlockWeights) - column;
            var type = narrow ? ScalarType.BFloat16 : ScalarType.Float32;
            var expected = empty([count, width], type);
            BlockTiles.Decode(
                new BlockMatrix(layout, (nint)TensorMemory.Pointer(data)), row, count, column, width, (nint)TensorMemory.Pointer(expected),
                narrow ? FloatFormat.BFloat16 : FloatFormat.Single);
            // A layer that streams lies behind others in one buffer.
            var behind = cat([zeros(68, ScalarType.Byte), data]).narrow(0, 68, data.numel());
            foreach (var where in new[] { data.to(device), behind.to(device) })
            {
                using var blocks = new TensorBlocks(where, layout);
                var actual = blocks.Decode(row, count, column, width, type);
                actual.dtype.ShouldBe(type);
                actual.shape.ShouldBe([count, width]);
                // A file's half may be no number; which NaN comes of it is nobody's promise.
                actual.cpu().to(float32).data<float>().ToArray().ShouldBe(expected.to(float32).data<float>().ToArray());
            }
        }, iter: 30, threads: device.type == TorchSharp.DeviceType.CPU ? -1 : 1);
}
