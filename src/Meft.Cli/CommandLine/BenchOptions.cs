using System.CommandLine;
using System.Globalization;
using Meft.Benchmarking;
using Meft.Core.Errors;

namespace Meft.Cli.CommandLine;

/// <summary>The options of <c>meft bench</c>.</summary>
internal sealed class BenchOptions
{
    private const int MostRank = 1 << 24, MostSize = 1 << 20;

    private readonly Option<string?> _ranks = new("--ranks") { HelpName = "R,R", Description = "Neurons a layer [kernels 4096,65536; optimizer 4096,16384,65536; step 1024,4096,16384,65536; generate 4096]." };
    private readonly Option<string?> _tokens = new("--tokens") { HelpName = "T,T", Description = "kernels: tokens of a micro-batch [312,1260]." };
    private readonly Option<int?> _hidden = new("--hidden") { HelpName = "D", Description = "kernels, optimizer: hidden size [576]." };
    private readonly Option<int?> _warmUp = new("--warm-up") { HelpName = "N", Description = "Rounds before timing begins [3; step 2; generate 1]." };
    private readonly Option<int?> _repeats = new("--repeats") { HelpName = "N", Description = "Rounds that are timed; medians count [15; step 5; generate 3]." };
    private readonly Option<int?> _megabytes = new("--megabytes") { HelpName = "N", Description = "kernels, optimizer: size of a stream of memory [128]." };

    /// <summary>Adds the options to the verb's command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _ranks, _tokens, _hidden, _warmUp, _repeats, _megabytes }) command.Options.Add(option);
    }

    /// <summary>What the arguments say.</summary>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public Values Read(ParseResult arguments) => new(
        Numbers("--ranks", arguments.GetValue(_ranks), MostRank), Numbers("--tokens", arguments.GetValue(_tokens), MostSize),
        Number("--hidden", arguments.GetValue(_hidden), 1, MostSize), Number("--warm-up", arguments.GetValue(_warmUp), 0, MostSize),
        Number("--repeats", arguments.GetValue(_repeats), 1, MostSize), Number("--megabytes", arguments.GetValue(_megabytes), 1, 1024));

    private static int? Number(string option, int? value, int least, int most) => value is null || (value >= least && value <= most)
        ? value
        : throw new InvalidInputException($"{option} is {value}", "meft bench", $"{least} to {most}");

    private static List<int>? Numbers(string option, string? text, int most)
    {
        if (text is null) return null;
        var numbers = new List<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1 || number > most)
                throw new InvalidInputException($"{option} is '{text}'", "meft bench", $"whole numbers from 1 to {most} with commas between them, for example 1024,4096");
            numbers.Add(number);
        }
        return numbers;
    }

    /// <summary>The options as numbers; null where the default counts.</summary>
    internal sealed record Values(
        IReadOnlyList<int>? Ranks, IReadOnlyList<int>? Tokens, int? HiddenSize, int? WarmUp, int? Repeats, int? Megabytes)
    {
        /// <summary>For <see cref="KernelBenchmark"/>.</summary>
        public KernelBenchmarkOptions ToKernels()
        {
            var standard = new KernelBenchmarkOptions();
            return standard with
            {
                HiddenSize = HiddenSize ?? standard.HiddenSize,
                Tokens = Tokens ?? standard.Tokens,
                Ranks = Ranks ?? standard.Ranks,
                Rounds = Rounds(standard.Rounds),
                RoofMatrixSize = HiddenSize is { } size ? Math.Min(standard.RoofMatrixSize, 4 * size) : standard.RoofMatrixSize,
                RoofStreamFloats = StreamFloats ?? standard.RoofStreamFloats,
            };
        }

        /// <summary>For <see cref="OptimizerBenchmark"/>.</summary>
        public OptimizerBenchmarkOptions ToOptimizer()
        {
            var standard = new OptimizerBenchmarkOptions();
            return standard with
            {
                HiddenSize = HiddenSize ?? standard.HiddenSize,
                Ranks = Ranks ?? standard.Ranks,
                Rounds = Rounds(standard.Rounds),
                TouchedFloats = StreamFloats ?? standard.TouchedFloats,
            };
        }

        private int? StreamFloats => Megabytes * (1 << 20) / sizeof(float);

        private BenchmarkRounds Rounds(BenchmarkRounds standard) => new(WarmUp ?? standard.WarmUp, Repeats ?? standard.Repeats);
    }
}
