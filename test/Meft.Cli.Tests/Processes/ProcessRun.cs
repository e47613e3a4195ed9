using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Processes;

/// <summary>A model, rows and configs on disk for runs of the real program.</summary>
internal sealed class ProcessRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ProcessRun() => SampleModel.Write(_folder);

    public string Folder => _folder.Path;

    public string File(string name) => _folder.File(name);

    /// <summary>A config.</summary>
    /// <param name="steps">Steps of the run.</param>
    /// <param name="checkpointEvery">Steps between checkpoints.</param>
    /// <param name="rows">Rows; a step takes all of them where <paramref name="size"/> is as large.</param>
    /// <param name="size">Rows of a step.</param>
    public string Config(int steps, int checkpointEvery, int rows = 20, int size = 4)
    {
        string[] prompts = ["ab", "ba", "ca", "bc", "abcabc"];
        _folder.Write("rows.jsonl", string.Concat(
            Enumerable.Range(0, rows).Select(i => $"{{\"prompt\":\"{prompts[i % 5]}\",\"completion\":\"{"abca"[i % 4]}{"cbabc"[i % 3]}c\"}}\n")));
        return _folder.Write("config.yaml", $$"""
            model: model
            output: run
            method: {kind: meft, rank: 2048, top_k: 16, experts: 16, probe: 2, layers: all}
            optimizer: {learning_rate: 1e-2}
            data: {train: rows.jsonl, max_length: 12}
            batch: {size: {{size}}}
            checkpoint: {every: {{checkpointEvery}}, keep: 2}
            max_steps: {{steps}}
            """);
    }

    /// <summary>The bits of what a straight run in this process gives.</summary>
    public byte[] Straight(string config)
    {
        Train(config, "--set", $"output={File("straight")}");
        return Adapter("straight");
    }

    /// <summary>Trains in this process, to the end.</summary>
    public static string Train(string config, params string[] more)
    {
        var run = ProgramRun.Of(["train", config, .. more]);
        run.ExitCode.ShouldBe(0, run.Error);
        return run.Error;
    }

    public byte[] Adapter(string output) => System.IO.File.ReadAllBytes(File(output + "/adapter/adapter_model.safetensors"));

    public void Dispose() => _folder.Dispose();
}
