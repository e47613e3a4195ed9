using Meft.Core.Planning;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Planning;

public sealed class CalibrationCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_machine_is_measured_once()
    {
        var cache = new CalibrationCache(_folder.File("cache"));
        var measured = PlanSamples.Machine();
        cache.GetOrMeasure(measured.Key, () => measured).ShouldBe(measured);
        cache.GetOrMeasure(measured.Key, NotAgain).ShouldBe(measured);
        Directory.GetFiles(_folder.File("cache")).ShouldHaveSingleItem();
    }

    [Fact]
    public void Another_thread_count_or_version_is_measured_anew()
    {
        var cache = new CalibrationCache(_folder.Path);
        var measured = PlanSamples.Machine();
        cache.GetOrMeasure(measured.Key, () => measured);
        foreach (var key in new[]
        {
            measured.Key with { Threads = 3 }, measured.Key with { Processor = "other" }, measured.Key with { ToolVersion = "9" },
            measured.Key with { LibtorchVersion = "9" }, measured.Key with { Device = "cuda:0" },
        })
        {
            var other = measured with { Key = key, DotFlops = 7 };
            cache.GetOrMeasure(key, () => other).ShouldBe(other);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"key\": null}")]
    public void What_cannot_be_read_is_measured_again_and_mended(string content)
    {
        var cache = new CalibrationCache(_folder.Path);
        var measured = PlanSamples.Machine();
        File.WriteAllText(cache.PathOf(measured.Key), content);
        cache.GetOrMeasure(measured.Key, () => measured).ShouldBe(measured);
        cache.GetOrMeasure(measured.Key, NotAgain).ShouldBe(measured);
    }

    [Fact]
    public void A_speed_that_cannot_be_is_not_believed()
    {
        var cache = new CalibrationCache(_folder.Path);
        var measured = PlanSamples.Machine();
        cache.GetOrMeasure(measured.Key, () => measured with { DotFlops = -1 });
        cache.GetOrMeasure(measured.Key, () => measured).ShouldBe(measured);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_no_reason_to_fail()
    {
        var cache = new CalibrationCache(Path.Combine(_folder.Write("file", ""), "below"));
        var measured = PlanSamples.Machine();
        cache.GetOrMeasure(measured.Key, () => measured).ShouldBe(measured);
    }

    [Fact]
    public void The_rate_of_a_product_lies_between_the_two_that_were_measured()
    {
        var rate = new MatmulRate(100, 500);
        rate.At(1).ShouldBe(100);
        rate.At(Calibration.SmallTokens).ShouldBe(100);
        rate.At(256).ShouldBe(300);
        rate.At(Calibration.LargeTokens).ShouldBe(500);
        rate.At(1e6).ShouldBe(500);
    }

    public void Dispose() => _folder.Dispose();

    private static Calibration NotAgain() => throw new InvalidOperationException("measured twice");
}
