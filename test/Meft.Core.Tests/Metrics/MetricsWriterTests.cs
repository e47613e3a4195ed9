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
        DeviceBytesByCause = new Dictionary<string, long> { ["base weights"] = 1 },
        LinkBytesByCause = new Dictionary<string, long> { ["row gradients"] = 7 },
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
            "active_rows":0.25,"device_bytes_by_cause":{"base_weights":1},"link_bytes_by_cause":{"row_gradients":7},"phases":{"data":0.5,"forward":1.5}}
            """.ReplaceLineEndings("") + "\n");
    }

    [Theory]
    [InlineData(null, "null")]
    [InlineData(0.75, "0.75")]
    public void A_checkpoint_beside_the_step_is_an_object_of_its_own(double? written, string expected)
    {
        var path = _folder.File("metrics.jsonl");
        using (var writer = new MetricsWriter(path)) writer.Write(Step(7) with { Checkpoint = new CheckpointMetrics(6, "incremental", 1234, 0.25, written) });

        var text = File.ReadAllText(path);
        text.ShouldContain($$"""
            "checkpoint":{"step":6,"kind":"incremental","bytes":1234,"held_seconds":0.25,"write_seconds":{{expected}}}
            """);
        JsonDocument.Parse(text).RootElement.EnumerateObject().Count(p => p.Name == "checkpoint").ShouldBe(1);
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

    [Fact]
    public void A_disk_that_fills_leaves_whole_lines_and_one_error()
    {
        var path = _folder.File("metrics.jsonl");
        var disk = new FillingDisk(path);
        var error = Should.Throw<RunFailedException>(() =>
        {
            using var writer = new MetricsWriter(path, disk);
            writer.Write(Step(1));
            disk.IsFull = true;
            writer.Write(Step(2));
        });
        error.Location.ShouldBe(path);
        error.Problem.ShouldContain("No space left");
        File.ReadAllText(path).ShouldEndWith("\n");
        Steps(path).ShouldBe([1]);
    }

    [Fact]
    public void A_writer_goes_on_after_a_line_that_did_not_fit()
    {
        var path = _folder.File("metrics.jsonl");
        var disk = new FillingDisk(path) { IsFull = true };
        using (var writer = new MetricsWriter(path, disk))
        {
            Should.Throw<RunFailedException>(() => writer.Write(Step(1)));
            disk.IsFull = false;
            writer.Write(Step(2));
        }
        Steps(path).ShouldBe([2]);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A file on a disk that takes half of a line, and fails once more when it is closed, as a buffer does.</summary>
    private sealed class FillingDisk(string path) : FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0)
    {
        public bool IsFull { get; set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(IsFull ? buffer[..(buffer.Length / 2)] : buffer);
            if (IsFull) throw new IOException("No space left on device");
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing && IsFull) throw new IOException("No space left on device");
        }
    }

    private static int[] Steps(string path) =>
        [.. File.ReadLines(path).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32())];
}
