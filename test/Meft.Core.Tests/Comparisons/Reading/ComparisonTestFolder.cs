using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Reading;
using Meft.Core.Configuration;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Reading;

/// <summary>A folder with a comparison's config, and what it names.</summary>
internal sealed class ComparisonTestFolder : IDisposable
{
    public const string Minimal = """
        output: out
        run: {model: base, data: {train: rows.jsonl}}
        tasks:
          - {task: gsm8k, data: edits.json}
        methods:
          - {name: one}
        """;

    /// <summary>Every key but those that exclude others.</summary>
    public const string Full = """
        output: ../runs/facts
        seeds: [0, 7, 2]
        keep_adapters: true
        run:
          model: base
          batch: {size: 32}
          epochs: 6
          budget: {device: 1GiB}
        train: {task: counterfact, part: efficacy, data: edits.json, distinct: subject, skip: 2, first: 1000}
        tasks:
          - task: counterfact
            data: edits.json
            distinct: subject
            first: 1000
            batch: 64
            show: [efficacy/starts_with, generalisation/starts_with, {metric: specificity/starts_with, label: neighbours}]
          - {task: perplexity, data: text.txt, first: 8, show: perplexity, old_knowledge: true}
          - {task: own.yaml}
        grid:
          learning_rates: [4e-3, 5e-4, 1e-3]
          extend: 2
          train: {task: counterfact, part: efficacy, data: held.json, distinct: subject, first: 500}
          task: {task: counterfact, data: held.json, distinct: subject, first: 500, show: [efficacy/starts_with]}
        methods:
          - name: LoRA r = 8
            method: {kind: lora, rank: 8}
            learning_rates: [2e-3, 1e-3]
          - name: MEFT R = 4,096
            method: {kind: meft, rank: 4096}
            optimizer: {learning_rate: 2e-3}
            epochs: 3
          - name: Full
            method: {kind: full}
        reference: LoRA r = 8
        """;

    private readonly TemporaryFolder _folder = new();

    public ComparisonTestFolder()
    {
        foreach (var name in new[] { "rows.jsonl", "edits.json", "held.json", "text.txt", "base/config.json" }) _folder.Write(name, "");
        _folder.Write("own.yaml", """
            data: {path: held.json}
            parts:
              said: {prompt: x, answers: a, metrics: [exact_match, f1]}
              chosen_one: {kind: choose, prompt: x, choices: a, right: 0}
            """);
    }

    public string ConfigPath => _folder.File("compare.yaml");

    public string File(string name) => _folder.File(name);

    public string Write(string name, string text) => _folder.Write(name, text);

    public ComparisonConfig Load(string yaml, params string[] sets) => ComparisonFile.Load(_folder.Write("compare.yaml", yaml), sets);

    /// <summary>The errors as they are told, the folder's path left out.</summary>
    public IReadOnlyList<string> Errors(string yaml, params string[] sets) =>
        [.. Should.Throw<ConfigException>(() => Load(yaml, sets)).Errors.Select(e => e.ToString().Replace($"{_folder.Path}/", "", StringComparison.Ordinal))];

    public void Dispose() => _folder.Dispose();
}
