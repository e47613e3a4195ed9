using System.CommandLine;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Generation;

namespace Meft.Cli.CommandLine;

/// <summary>
/// The options of decoding. Greedy unless sampling is asked for, by <c>--sample</c> or by an option that means nothing without it; what is
/// not given is as the model's generation_config.json says.
/// </summary>
/// <param name="maxNewTokens">The default of <c>--max-new-tokens</c>.</param>
internal sealed class DecodingOptions(int maxNewTokens = 128)
{
    private readonly Option<int> _maxNewTokens = Of("--max-new-tokens", "N", maxNewTokens, $"The most tokens to add [{maxNewTokens}].");
    private readonly Option<int?> _minNewTokens = Of<int?>("--min-new-tokens", "N", null, "No end before so many new tokens [0].");
    private readonly Option<bool> _sample = new("--sample") { Description = "Draw tokens instead of taking the likeliest." };
    private readonly Option<double?> _temperature = Of<double?>("--temperature", "X", null, "Sampling: what logits are divided by [1]; 0 is greedy.");
    private readonly Option<int?> _topK = Of<int?>("--top-k", "N", null, "Sampling: how many of the likeliest tokens stay [all].");
    private readonly Option<double?> _topP = Of<double?>("--top-p", "X", null, "Sampling: the share of probability that stays [1].");
    private readonly Option<double?> _minP = Of<double?>("--min-p", "X", null, "Sampling: tokens below this share of the likeliest one's probability go [0].");
    private readonly Option<double?> _typical = Of<double?>("--typical", "X", null, "Sampling: the share nearest to the expected surprise that stays [1].");
    private readonly Option<ulong?> _seed = Of<ulong?>("--seed", "N", null, "Sampling: the seed [0].");
    private readonly Option<double?> _repetitionPenalty = Of<double?>("--repetition-penalty", "X", null, "Above 1, tokens that have occurred become unlikelier [1].");
    private readonly Option<int?> _noRepeatNgram = Of<int?>("--no-repeat-ngram", "N", null, "No run of so many tokens occurs twice [0: no ban].");
    private readonly Option<int> _beams = Of("--beams", "N", 1, "The beams of a beam search [1: none].");
    private readonly Option<double> _lengthPenalty = Of("--length-penalty", "X", 1.0, "Beams: above 0 favours long answers, below 0 short ones [1].");
    private readonly Option<string> _earlyStopping = Of("--early-stopping", "WHEN", "heuristic", $"Beams: when the search stops, {string.Join(" | ", ChoiceName.All<EarlyStopping>())} [heuristic].");

    /// <summary>A new option <c>--stop</c>.</summary>
    public static Option<string[]> CreateStop() => new("--stop")
    { HelpName = "TEXT", Arity = ArgumentArity.OneOrMore, Description = "End where this text comes, which is left out; may be given several times." };

    /// <summary>Adds the options to a verb's command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _maxNewTokens, _minNewTokens, _sample, _temperature, _topK, _topP, _minP, _typical, _seed, _repetitionPenalty, _noRepeatNgram,
            _beams, _lengthPenalty, _earlyStopping,
        })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the arguments ask for, over a model's own defaults.</summary>
    /// <exception cref="InvalidInputException">A value is out of its range.</exception>
    public GenerationOptions Read(ParseResult arguments, GenerationConfig defaults)
    {
        var temperature = arguments.GetValue(_temperature);
        var asked = arguments.GetValue(_sample) || temperature is not null || arguments.GetValue(_topK) is not null
            || arguments.GetValue(_topP) is not null || arguments.GetValue(_minP) is not null || arguments.GetValue(_typical) is not null
            || arguments.GetValue(_seed) is not null;
        var model = GenerationOptions.From(defaults);
        var stopping = arguments.GetRequiredValue(_earlyStopping);
        var options = model with
        {
            MaxNewTokens = arguments.GetValue(_maxNewTokens),
            MinNewTokens = arguments.GetValue(_minNewTokens) ?? 0,
            Sample = asked && temperature is not 0,
            Temperature = temperature is null or 0 ? model.Temperature : temperature.Value,
            TopK = arguments.GetValue(_topK) ?? model.TopK,
            TopP = arguments.GetValue(_topP) ?? model.TopP,
            MinP = arguments.GetValue(_minP) ?? model.MinP,
            TypicalP = arguments.GetValue(_typical) ?? model.TypicalP,
            Seed = arguments.GetValue(_seed) ?? 0,
            RepetitionPenalty = arguments.GetValue(_repetitionPenalty) ?? model.RepetitionPenalty,
            NoRepeatNgramSize = arguments.GetValue(_noRepeatNgram) ?? 0,
            BeamCount = arguments.GetValue(_beams),
            LengthPenalty = arguments.GetValue(_lengthPenalty),
            EarlyStopping = ChoiceName.Find<EarlyStopping>(stopping) ?? throw new InvalidInputException(
                $"--early-stopping is '{stopping}'", null, string.Join(" | ", ChoiceName.All<EarlyStopping>())),
        };
        options.Validate();
        return options;
    }

    private static Option<T> Of<T>(string name, string value, T otherwise, string description) =>
        new(name) { HelpName = value, DefaultValueFactory = _ => otherwise, Description = description };
}
