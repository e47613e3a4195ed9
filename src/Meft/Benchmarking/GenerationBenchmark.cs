using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Generation;
using Meft.Loading;
using Meft.Models;

namespace Meft.Benchmarking;

/// <summary>What to time generation on.</summary>
public sealed record GenerationBenchmarkOptions
{
    /// <summary>Tokens of a prompt.</summary>
    public int PromptTokens { get; init; } = 64;

    /// <summary>Tokens that are added to each; none ends a row early.</summary>
    public int NewTokens { get; init; } = 64;

    /// <summary>Prompts of the larger batch; the other one has a single prompt.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>R of the adapter that is timed beside none.</summary>
    public int Rank { get; init; } = 4096;

    /// <summary>The adapted layers.</summary>
    public LayerSelection Layers { get; init; } = new LayerSelection.All();

    /// <summary>Warm-up and repeats.</summary>
    public BenchmarkRounds Rounds { get; init; } = new(1, 3);
}

/// <summary>Greedy decoding of one batch.</summary>
/// <param name="Prompts">Prompts in the batch.</param>
/// <param name="Rank">R of the adapter; 0 without one.</param>
/// <param name="Seconds">Median, the prompts included.</param>
/// <param name="TokensPerSecond">New tokens a second, over the batch.</param>
/// <param name="Ratio">Median, over the rounds, of the speed over that without an adapter.</param>
public sealed record GenerationFigure(int Prompts, int Rank, double Seconds, double TokensPerSecond, double Ratio);

/// <summary>
/// Times greedy decoding: one prompt and a batch, without an adapter and with one at its start values (which costs what a trained one
/// costs); all four take turns.
/// </summary>
public static class GenerationBenchmark
{
    /// <summary>Times all four.</summary>
    /// <param name="model">The base.</param>
    /// <param name="options">Sizes and rounds.</param>
    /// <param name="progress">Is told what comes next; null for nobody.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="InvalidInputException">The model has not so many positions, or not the layers.</exception>
    public static IReadOnlyList<GenerationFigure> Run(
        LoadedModel model, GenerationBenchmarkOptions options, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        if (options.PromptTokens + options.NewTokens > model.Config.MaxPositions)
        {
            throw new InvalidInputException(
                $"{options.PromptTokens} tokens of a prompt and {options.NewTokens} new ones", "bench generate",
                $"together at most the {model.Config.MaxPositions} positions of the model");
        }
        var experts = MethodConfig.AutoExperts(options.Rank);
        var method = new MethodConfig
        {
            RequestedRank = options.Rank,
            Experts = experts,
            Probe = Math.Min(experts, 8),
            TopK = 64,
            Layers = options.Layers,
        };
        using var adapter = new SparseAdapter(SparseAdapterSpec.From(method, model.Config.HiddenSize, model.Config.LayerCount)).Initialize(seed: 0);
        adapter.RunOn(ExecutionKind.Activations, model.Decoder.Device, null);
        Side[] sides =
        [
            .. new[] { 1, options.BatchSize }.Distinct().SelectMany(prompts => new[]
            {
                new Side(prompts, 0, null), new Side(prompts, adapter.Spec.Rank, adapter),
            }),
        ];
        for (var round = 0; round < options.Rounds.WarmUp + options.Rounds.Repeats; round++)
        {
            progress?.Invoke($"round {round + 1} of {options.Rounds.WarmUp + options.Rounds.Repeats}");
            foreach (var side in sides)
            {
                cancellation.ThrowIfCancellationRequested();
                var seconds = side.Generate(model, options);
                if (round >= options.Rounds.WarmUp) side.Seconds.Add(seconds);
            }
        }
        return [.. sides.Select((side, i) => side.Figure(sides[i - i % 2], options.NewTokens))];
    }

    private sealed record Side(int Prompts, int Rank, IDecoderAdapter? Adapter)
    {
        public List<double> Seconds { get; } = [];

        public double Generate(LoadedModel model, GenerationBenchmarkOptions options)
        {
            var prompts = Enumerable.Range(0, Prompts).Select(row => PromptOf(row, options.PromptTokens, model.Config.VocabularySize)).ToList();
            var decoding = new GenerationOptions { MaxNewTokens = options.NewTokens };
            return BenchmarkTimer.Seconds(() => new TextGenerator(model.Decoder, Adapter).Generate(prompts, decoding));
        }

        public GenerationFigure Figure(Side plain, int newTokens)
        {
            var seconds = BenchmarkTimer.Median(Seconds);
            var ratio = BenchmarkTimer.Median([.. plain.Seconds.Zip(Seconds, (without, with) => without / with)]);
            return new GenerationFigure(Prompts, Rank, seconds, (double)Prompts * newTokens / seconds, ratio);
        }

        /// <summary>Any ids of the vocabulary: what is said costs the same.</summary>
        private static IReadOnlyList<int> PromptOf(int row, int length, int vocabulary)
        {
            var random = new Random(row);
            return [.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary))];
        }
    }
}
