using System.Security.Cryptography;
using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Metrics;
using Meft.Models;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using TorchSharp;

namespace Meft.Tests.Training.Runs;

/// <summary>A small random model and rows of all lengths on disk, and runs on them.</summary>
internal sealed class SampleRun : IDisposable
{
    public const string Sparse = "method: {kind: meft, rank: 64, top_k: 6, experts: 8, probe: 2, layers: all}";

    private static readonly ModelConfig Model = new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = 96,
        HiddenSize = 64,
        IntermediateSize = 96,
        LayerCount = 3,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadSize = 16,
        MaxPositions = 64,
        TiedEmbeddings = true,
        InitializerRange = 0.2,
    };

    private readonly TemporaryFolder _folder = new();

    public SampleRun()
    {
        using var decoder = Decoder.Initialize(Model, seed: 7, torch.CPU, torch.ScalarType.Float32);
        decoder.Save(_folder.File("model"));
        _folder.Write("rows.jsonl", Rows(23, seed: 1));
        _folder.Write("validation.jsonl", Rows(5, seed: 2));
    }

    public string Folder => _folder.Path;

    public string File(string name) => _folder.File(name);

    public string Write(string name, string text) => _folder.Write(name, text);

    /// <summary>A config: accumulation, shuffling, validation and checkpoints on.</summary>
    /// <param name="output">The run folder's name.</param>
    /// <param name="method">The method, as YAML.</param>
    /// <param name="sets">Overrides.</param>
    public RunConfig Config(string output, string method = Sparse, params string[] sets) => RunConfig.Load(
        _folder.Write("config.yaml", $$"""
            model: model
            device: cpu
            output: {{output}}
            {{method}}
            optimizer: {learning_rate: 2e-2, weight_decay: 0.01}
            data: {train: rows.jsonl, validation: validation.jsonl, max_length: 48}
            batch: {size: 2, accumulate: 3}
            evaluate: {every: 2}
            checkpoint: {every: 3}
            max_steps: 9
            """), sets);

    /// <summary>Runs to the end, or stops after a step as Ctrl-C would.</summary>
    public static RunResult Run(RunConfig config, ExistingRun existing = ExistingRun.Refuse, int? stopAfter = null, ITrainingObserver? observer = null)
    {
        using var run = TrainingRun.Prepare(config, existing, cancellation: TestContext.Current.CancellationToken);
        using var stop = StopAfterStep.Linked(stopAfter ?? int.MaxValue, observer, TestContext.Current.CancellationToken);
        return run.Run(stop, stop.Token);
    }

    /// <summary>SHA-256 of the run's result.</summary>
    public string ResultHash(string output)
    {
        var adapter = File(Path.Combine(output, "adapter", "adapter_model.safetensors"));
        var file = System.IO.File.Exists(adapter) ? adapter : File(Path.Combine(output, "model", "model.safetensors"));
        return Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(file)));
    }

    /// <summary>The run's metrics without what is allowed to differ: times, and memory that the process happens to hold.</summary>
    public IReadOnlyList<string> Metrics(string output) =>
        [.. System.IO.File.ReadAllLines(File(Path.Combine(output, "metrics.jsonl"))).Select(line => Without(line, "seconds", "tokens_per_second", "phases", "host_bytes", "checkpoint"))];

    /// <summary>The run's result without what is allowed to differ.</summary>
    public string Result(string output) =>
        Without(System.IO.File.ReadAllText(File(Path.Combine(output, "result.json"))), "seconds", "step_seconds", "tokens_per_second", "peak_resident_bytes", "predicted");

    /// <summary>Every file of a folder with its hash.</summary>
    public IReadOnlyDictionary<string, string> Files(string output) => Directory.EnumerateFiles(File(output), "*", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetRelativePath(File(output), f), f => Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(f))));

    public void Dispose() => _folder.Dispose();

    private static string Without(string text, params string[] names)
    {
        using var json = JsonDocument.Parse(text);
        return string.Join(", ", json.RootElement.EnumerateObject().Where(p => !names.Contains(p.Name)).Select(p => $"{p.Name}: {p.Value.GetRawText()}"));
    }

    private static string Rows(int count, int seed)
    {
        var random = new Random(seed);
        return string.Concat(Enumerable.Range(0, count).Select(_ =>
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(3, 40)).Select(_ => random.Next(96))];
            int[] labels = [.. ids.Select((id, i) => i < 2 ? -100 : id)];
            return $"{{\"input_ids\":[{string.Join(',', ids)}],\"labels\":[{string.Join(',', labels)}]}}\n";
        }));
    }

    /// <summary>What a run remarked.</summary>
    public sealed class Remarks : ITrainingObserver
    {
        public List<string> Texts { get; } = [];

        public void Started(int fromStep, int totalSteps)
        {
        }

        public void Remarked(string text) => Texts.Add(text);

        public void StepTaken(StepMetrics metrics)
        {
        }

        public void Evaluated(int step, double loss)
        {
        }

        public void CheckpointSaved(int step, string folder)
        {
        }
    }
}
