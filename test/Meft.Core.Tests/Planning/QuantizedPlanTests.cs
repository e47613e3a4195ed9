using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Planning;

public class QuantizedPlanTests
{
    // 7B: 4 maps of 4096², 3 of 4096·11008 and two norms a layer; embedding, head and the last norm stay in bfloat16.
    private const long Maps = 4L * 4096 * 4096 + 3L * 4096 * 11008, Norms = 2 * 4096, Ends = 2L * 32000 * 4096 + 4096;

    [Fact]
    public void Int8_takes_68_bytes_for_64_weights() =>
        DeviceBytes(BlockFormat.Int8, Quantization.Int8, "quantised base weights").ShouldBe(32 * (Maps / 64 * 68 + 2 * Norms) + 2 * Ends);

    [Fact]
    public void Nf4_takes_33_bytes_for_64_weights_and_four_for_256_scales()
    {
        // In each map also one float32, the mean of its scales.
        var map = Maps / 64 * 33 + Maps / 64 / 256 * 4 + 7 * 4;
        DeviceBytes(BlockFormat.Nf4, Quantization.Nf4, "quantised base weights").ShouldBe(32 * (map + 2 * Norms) + 2 * Ends);
    }

    [Fact]
    public void A_panel_of_plain_weights_is_counted()
    {
        // The largest map whole: 2 bytes a weight of the panel and, of nf4, 4 beside it and 8 a block for its scales.
        DeviceBytes(BlockFormat.Nf4, Quantization.Nf4, "dequantised panel").ShouldBe((2 + 4) * 4096L * 11008 + 8 * 4096L * 11008 / 64);
        // Of a file's blocks the most rows of 11,008 that have no more than 2²⁴ weights; 11 beside.
        DeviceBytes(BlockFormat.Q4K, Quantization.Gguf, "dequantised panel").ShouldBe((2 + 11) * (1L << 24));
        DeviceBytes(BlockFormat.Int8, Quantization.Int8, "dequantised panel").ShouldBe(2 * 4096L * 11008);
    }

    [Fact]
    public void A_streamed_one_waits_quantised()
    {
        var quantized = QuantizedBase.Of(Quantization.Nf4, BlockFormat.Nf4, PlanSamples.Model);
        var config = PlanSamples.Config() with { Quantize = Quantization.Nf4, Base = BasePlacement.Streamed };
        var plan = new RunPlanner(config, PlanSamples.Model, accelerator: true, MemoryBounds.None, machine: null, quantized: quantized).Plan(PlanSamples.Work());
        var layer = quantized.LayerBytes(PlanSamples.Model, 2);
        BytesOf(plan, MemoryTier.Device, "quantised base weights").ShouldBe(2 * layer + 2 * Ends);
        BytesOf(plan, MemoryTier.Pinned, "quantised base weights").ShouldBe(32 * layer);
    }

    [Fact]
    public void Loading_takes_the_quantised_weights_and_the_largest_tensor_not_the_file()
    {
        var quantized = QuantizedBase.Of(Quantization.Nf4, BlockFormat.Nf4, PlanSamples.Model);
        var config = PlanSamples.Config() with { Quantize = Quantization.Nf4 };
        var memory = new RunPlanner(config, PlanSamples.Model, accelerator: false, MemoryBounds.None, machine: null, quantized: quantized).Plan(PlanSamples.Work()).Memory;
        var embedding = 2L * 32000 * 4096;
        memory.LoadBytes.ShouldBe(ProgramMemory.RuntimeBytes + 32 * quantized.LayerBytes(PlanSamples.Model, 2) + 2 * Ends + embedding);
        memory.LoadBytes.ShouldBeLessThan(5 * PlanSamples.GiB); // the file has 12.6
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void Kept_blocks_take_what_they_take_in_the_file()
    {
        var location = ModelLocation.Find(Assets.Require("models", "smollm2-135m-instruct"));
        var quantized = QuantizedBase.Of(Quantization.Gguf, location, location.ReadConfig(), 2).ShouldNotBeNull();
        // Q4_1: 20 bytes for 32 weights. Two maps of 576², two of 192·576, three of 1536·576.
        quantized.MapBytes.ShouldBe((2 * 576 * 576 + 2 * 192 * 576 + 3 * 1536 * 576) / 32 * 20);
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void Blocks_cannot_be_kept_where_there_is_no_gguf_file()
    {
        var location = ModelLocation.Find(Assets.Require("models", "tiny", "llama"));
        Should.Throw<InvalidInputException>(() => QuantizedBase.Of(Quantization.Gguf, location, location.ReadConfig(), 4)).Message.ShouldContain("a .gguf file");
    }

    private static long DeviceBytes(BlockFormat format, Quantization quantize, string cause)
    {
        var quantized = QuantizedBase.Of(quantize, format, PlanSamples.Model);
        var config = PlanSamples.Config() with { Quantize = quantize };
        var plan = new RunPlanner(config, PlanSamples.Model, accelerator: true, MemoryBounds.None, machine: null, quantized: quantized).Plan(PlanSamples.Work());
        return BytesOf(plan, MemoryTier.Device, cause);
    }

    private static long BytesOf(RunPlan plan, MemoryTier tier, string cause) => plan.Memory.Items.Where(i => i.Tier == tier && i.Cause == cause).Sum(i => i.Bytes);
}
