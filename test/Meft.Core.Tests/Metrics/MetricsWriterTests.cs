using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Metrics;

public sealed class MetricsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static StepMetrics Step(int number, double loss = 1.5) => new()
    {
        Step = number,
        Epoch = 0.5,
        Loss = loss,
        LearningRate = 1e-3,
        GradNorm = 2,
        Tokens = 300,
        TrainedTokens = 100,
        Seconds = 2,
        DeviceBytesPeak = 1,
        HostBytes = 2,
        HostToDeviceBytes = 3,
        DeviceToHostBytes = 4,
        ActiveRows = 0.25,
        Phases = new Dictionary<string, double> { ["data"] = 0.5, ["forward"] = 1.5 },
    };

    [Fact]
    public void A_step_is_one_line_with_the_promised_fields_in_order()
    {
        var path = _folder.File("metrics.jsonl");
        using (var writer = new MetricsWriter(path)) writer.Write(Step(7));

        File.ReadAllText(path).ShouldBe(
            """
            {"step":7,"epoch":0.5,"loss":1.5,"learning_rate":0.001,"grad_norm":2,"tokens":300,"trained_tokens":100,"seconds":2,
            "tokens_per_second":150,"device_bytes_peak":1,"host_bytes":2,"host_to_device_bytes":3,"device_to_host_bytes":4,
            "active_rows":0.25,"phases":{"data":0.5,"forward":1.5}}
            """.ReplaceLineEndings("") + "\n");
    }

    [Fact]
    public void Each_line_is_on_disk_before_the_writer_is_closed()
    {
        var path = _folder.File("metrics.jsonl");
        using var writer = new MetricsWriter(path);
        for (var step = 1; step <= 3; step++)
        {
            writer.Write(Step(step));
            using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(step);
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_number_that_is_not_finite_is_null(double loss)
    {
        var path = _folder.File("metrics.jsonl");
        using (var writer = new MetricsWriter(path)) writer.Write(Step(1, loss) with { Seconds = 0, ActiveRows = double.NaN });

        using var json = JsonDocument.Parse(File.ReadAllText(path));
        foreach (var field in new[] { "loss", "tokens_per_second", "active_rows" })
            json.RootElement.GetProperty(field).ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public void Opening_again_appends_after_the_last_whole_line()
    {
        var path = _folder.File("metrics.jsonl");
        using (var writer = new MetricsWriter(path)) writer.Write(Step(1));
        File.AppendAllText(path, "{\"step\":2,\"lo");
        using (var writer = new MetricsWriter(path)) writer.Write(Step(2));

        Steps(path).ShouldBe([1, 2]);
    }

    [Fact]
    public void A_resumed_run_drops_the_steps_that_it_will_take_again()
    {
        var path = _folder.File("metrics.jsonl");
        using (var writer = new MetricsWriter(path))
        {
            for (var step = 1; step <= 5; step++) writer.Write(Step(step));
        }
        using (var writer = new MetricsWriter(path, keepThroughStep: 3)) writer.Write(Step(4));

        Steps(path).ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_an_error_that_names_it()
    {
        var path = _folder.File("absent/metrics.jsonl");
        Should.Throw<RunFailedException>(() => new MetricsWriter(path)).Location.ShouldBe(path);
    }

    public void Dispose() => _folder.Dispose();

    private static int[] Steps(string path) =>
        [.. File.ReadLines(path).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32())];
}
