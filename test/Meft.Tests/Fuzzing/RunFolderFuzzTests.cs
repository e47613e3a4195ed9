using System.Text;
using Meft.Core.Errors;
using Meft.Inspection;
using Meft.Reporting;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Fuzzing;

/// <summary>What a run leaves, each of its files changed in every way.</summary>
public sealed class RunFolderFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("state.safetensors")]
    public void A_changed_checkpoint_is_loaded_or_refused(string name)
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = new CheckpointFolder(_folder.Path, keep: 1);
        var folder = checkpoints.Save(3, method);
        var path = Path.Combine(folder, name);
        ReaderFuzz.Run(path, [File.ReadAllBytes(path)], () => checkpoints.Load(3, method), e => e is InvalidInputException, folder, cases: 200);
    }

    [Fact]
    public void A_changed_checkpoint_is_looked_at_or_refused()
    {
        using var method = TinyTask.NewMethod();
        var folder = new CheckpointFolder(_folder.Path, keep: 1).Save(3, method);
        var path = Path.Combine(folder, "manifest.json");
        ReaderFuzz.Run(path, [File.ReadAllBytes(path)], () => PathInspector.Inspect(folder, 8), e => e is InvalidInputException, folder, cases: 200);
    }

    [Fact]
    public void A_changed_manifest_of_a_run_is_read_or_refused()
    {
        var now = Manifest();
        var path = _folder.Write("manifest.json", now.ToJson());
        ReaderFuzz.Run(path, [File.ReadAllBytes(path)], () => Compare(RunManifest.Read(path), now), e => e is InvalidInputException, path, cases: 300);
    }

    [Theory]
    [InlineData("\"ab\"", "null")]
    [InlineData("\"ef\"", "null")]
    [InlineData("\"resumed\": []", "\"resumed\": [null]")]
    public void A_manifest_with_nothing_in_a_list_is_refused(string said, string instead)
    {
        var text = Manifest().ToJson();
        text.ShouldContain(said);
        var path = _folder.Write("manifest.json", text.Replace(said, instead, StringComparison.Ordinal));
        Should.Throw<InvalidInputException>(() => RunManifest.Read(path)).Message.ShouldContain("is null");
    }

    [Theory]
    [InlineData("{\"\\ud800 and more than that\": 1}")]
    [InlineData("{\"format_version\": 1, \"step\": \"1\", \"state_bytes\": 1}")]
    public void A_manifest_that_is_no_text_or_of_other_types_is_refused(string text)
    {
        var path = _folder.Write("manifest.json", text);
        Should.Throw<InvalidInputException>(() => RunManifest.Read(path)).Message.ShouldContain(path);
        path = _folder.Write("step-1/manifest.json", text);
        Should.Throw<InvalidInputException>(() => PathInspector.Inspect(_folder.File("step-1"))).Message.ShouldContain(path);
    }

    [Fact]
    public void The_best_is_made_of_changed_metrics_and_results()
    {
        const string metrics =
            """
            {"step": 1, "loss": 2.5, "validation_loss": null, "phases": {"forward": 0.1, "backward": 0.2}, "link_bytes_by_cause": {"rows": 10}}
            {"step": 2, "loss": 2.25, "seconds": 0.5, "learning_rate": 1e-3}
            """;
        var path = _folder.Write("metrics.jsonl", metrics);
        ReaderFuzz.Run(path, [Encoding.UTF8.GetBytes(metrics)], () => { _ = LoggedStep.Read(path).Count(); }, _ => false, path, cases: 300, refuses: false);
        _folder.Write("config.yaml", "model: m\noutput: o\ndata: {train: t.jsonl}\n");
        ReaderFuzz.Run(path, [Encoding.UTF8.GetBytes(metrics)], () => PathInspector.Inspect(_folder.Path, 8), _ => false, path, cases: 200, refuses: false);
        var result = new RunResult { Steps = 3, Interrupted = false, Seconds = 1.5, PeakResidentBytes = 10, Predicted = new PredictedResult(1, 2, null) }.ToJson();
        path = _folder.Write("result.json", result);
        ReaderFuzz.Run(path, [Encoding.UTF8.GetBytes(result)], () => RunResult.TryRead(path), _ => false, path, cases: 300, refuses: false);
    }

    private static RunManifest Manifest() => new()
    {
        Seed = 1,
        Device = "cpu",
        Execution = "rows",
        Model = new Dictionary<string, string> { ["config.json"] = "ab", ["model.safetensors"] = "cd" },
        Data = new Dictionary<string, string> { ["rows.jsonl"] = "ef" },
        Template = null,
    };

    private static void Compare(RunManifest before, RunManifest now)
    {
        _ = before.Beginning.Differences(now.Beginning).Count();
        try
        {
            before.RequireSameFiles(now);
        }
        catch (InvalidInputException e) when (e.Problem.StartsWith("the run began with other files", StringComparison.Ordinal))
        {
            // It names the file that differs, not the manifest.
        }
    }
}
