using Meft.Benchmarking;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Loading;
using Meft.Models;
using Meft.Tests.Training;
using Meft.TestSupport;
using Shouldly;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Tests.Benchmarking;

public sealed class StepBenchmarkTests : IDisposable
{
    /// <summary>What the benchmark leaves to everything but its sides.</summary>
    private const long Reserve = 2L << 30;

    private static readonly StepBenchmarkOptions Options = new() { Ranks = [16, 64], Methods = ["meft"], BatchSize = 4, Rounds = new(0, 2) };

    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model;

    public StepBenchmarkTests()
    {
        using (var decoder = Decoder.Initialize(TinyTask.Config, 1, CPU, ScalarType.Float32)) decoder.Save(_folder.File("model"));
        _model = LoadedModel.Load(_folder.File("model"), new ModelLoadOptions { Device = "cpu" });
    }

    [Fact]
    public void What_memory_does_not_hold_at_once_is_timed_in_groups_each_with_the_side_that_all_are_compared_with()
    {
        // 3 layers of (2·16 + 16)·16 and of (2·64 + 32)·16 parameters, 16 bytes each.
        const long first = 3 * 48 * 16 * 16, second = 3 * 160 * 16 * 16;
        Run(first + second).Groups.ShouldBe(1);
        var three = Run(first + second, Options with { Ranks = [16, 64, 32] });
        three.Groups.ShouldBe(2);
        three.Reference.ShouldBe("meft R = 16");
        three.Sides.Select(s => (s.Rank, s.Group)).ShouldBe([(16, 1), (64, 1), (48, 2)]);
        three.Sides[0].Ratio.ShouldBe(1);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_the_numbers_before_memory_is_taken()
    {
        var error = Should.Throw<InvalidInputException>(() => Run(100_000));
        error.Message.ShouldContain("meft R = 64 beside meft R = 16 takes up to 159,744 bytes");
        error.Message.ShouldContain("100,000 are free");
        error.Message.ShouldContain("--ranks");
    }

    [Fact]
    public void Forms_of_a_base_take_turns_and_are_compared_with_the_first()
    {
        using var quantized = LoadedModel.Load(
            _folder.File("model"), new ModelLoadOptions { Quantize = Quantization.Nf4 }, TestContext.Current.CancellationToken);
        var result = Run(1 << 30, models: [_model, quantized]);
        result.Reference.ShouldBe("meft R = 16");
        result.Sides.Select(s => (s.Base, s.Rank)).ShouldBe([("none", 16), ("nf4", 16), ("none", 64), ("nf4", 64)]);
        // 3 layers of 7 maps; a block of 64 weights and its scale are 33 bytes, and rows of 16 or 24 weights fill one each.
        result.Sides[1].DeviceBytesByCause["base weights"].ShouldBeLessThan(result.Sides[0].DeviceBytesByCause["base weights"]);
    }

    [Fact]
    public void Ways_to_run_are_sides_and_each_counts_what_it_moved_itself()
    {
        using var streamed = LoadedModel.Load(
            _folder.File("model"), new ModelLoadOptions { Base = BasePlacement.Streamed }, TestContext.Current.CancellationToken);
        var options = Options with { Ranks = [16], Methods = ["lora", "meft"], Executions = [ExecutionKind.Activations, ExecutionKind.Rows], Recompute = true };
        var result = Run(1 << 30, options, [_model, streamed]);
        result.Sides.Select(s => (s.Base, s.Method, s.Execution)).ShouldBe(
        [
            ("none", "lora", null), ("none streamed", "lora", null), ("none", "meft", "activations"), ("none streamed", "meft", "activations"),
            ("none", "meft", "rows"), ("none streamed", "meft", "rows"),
        ]);
        // On each streamed side the layers came and went in its own steps.
        foreach (var pair in result.Sides.Chunk(2)) pair[1].HostToDeviceBytes.ShouldBeGreaterThan(pair[0].HostToDeviceBytes);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        Run(1 << 30);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Run(1 << 30, Options with { Methods = ["parallel", "masked", "meft"], Profile = true });
        DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount.ShouldBe(before);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private StepBenchmarkResult Run(long free, StepBenchmarkOptions? options = null, IReadOnlyList<LoadedModel>? models = null) =>
        StepBenchmark.Run(models ?? [_model], TinyTask.Rows(10), options ?? Options, limits: new MemoryLimits(null, Reserve + free, null, null));
}
