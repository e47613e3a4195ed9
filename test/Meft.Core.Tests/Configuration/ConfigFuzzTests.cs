using System.Text;
using Meft.Core.Configuration;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;

namespace Meft.Core.Tests.Configuration;

/// <summary>Configs changed in every way.</summary>
public sealed class ConfigFuzzTests : IDisposable
{
    private static readonly string[] Texts =
    [
        ConfigTestFolder.Minimal,
        """
        model: models/base
        output: runs/facts # a remark
        seed: 12
        method: {kind: meft, rank: 8192, top_k: 64, experts: auto, layers: [3, 4, 20], gate: softmax}
        optimizer:
          learning_rate: 2e-3
          betas: [0.9, 0.999]
        data:
          train: [a.jsonl, "b.jsonl"]
          over_length: truncate
        batch: {size: 16, accumulate: 2}
        epochs: 3
        checkpoint: {every: 200, keep: 2}
        budget: {device: 6GiB, host: null}
        """,
        """
        model: m
        output: o
        method:
          kind: lora
          rank: 8
          alpha: 16
          targets: '.*\.mlp\.(up|down)_proj'
          rank_pattern: {q_proj: 4, '.*_proj': 2}
          alpha_pattern: {v_proj: 1.5}
          dropout: 0.1
        data: {train: t.jsonl, max_length: 64}
        max_steps: 10
        schedule: {kind: cosine, warmup: 0.05}
        """,
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_changed_config_is_read_or_refused()
    {
        var path = _folder.File("config.yaml");
        byte[][] valid = [.. Texts.Select(Encoding.UTF8.GetBytes)];
        // A character may be a node of its own, which YamlDotNet keeps as an event, a node and a position.
        ReaderFuzz.Run(path, valid, () => Read(path), e => e is ConfigException, path, cases: 500, bytesPerByte: 1500);
    }

    private static void Read(string path) => RunConfig.Load(path, []).ToYaml();
}
