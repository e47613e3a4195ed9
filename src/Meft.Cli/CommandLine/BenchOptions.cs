using System.CommandLine;
using System.Globalization;
using Meft.Benchmarking;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Loading;

namespace Meft.Cli.CommandLine;

/// <summary>The options of <c>meft bench</c>.</summary>
internal sealed class BenchOptions
{
    private const string Verb = "meft bench";
    private const int MostRank = 1 << 24, MostSize = 1 << 20;

    private readonly Option<string?> _ranks = new("--ranks") { HelpName = "R,R", Description = "Neurons a layer [kernels 4096,65536; optimizer 4096,16384,65536; step 1024,4096,16384,65536; generate 4096]." };
    private readonly Option<string?> _tokens = new("--tokens") { HelpName = "T,T", Description = "kernels: tokens of a micro-batch [312,1260]." };
    private readonly Option<int?> _hidden = new("--hidden") { HelpName = "D", Description = "kernels, optimizer: hidden size [576]." };
    private readonly Option<int?> _warmUp = new("--warm-up") { HelpName = "N", Description = "Rounds before timing begins [3; step 2; generate, load 1]." };
    private readonly Option<int?> _repeats = new("--repeats") { HelpName = "N", Description = "Rounds that are timed; medians count [15; step, load 5; generate 3]." };
    private readonly Option<int?> _megabytes = new("--megabytes") { HelpName = "N", Description = "kernels, optimizer: size of a stream of memory [128]." };

    private readonly Option<string?> _model = new("--model") { HelpName = "M", Description = "step, generate, load: a Hugging Face folder or a .gguf file." };
    private readonly Option<string> _type = new("--dtype") { HelpName = "TYPE", DefaultValueFactory = _ => "auto", Description = $"step, generate, load: the model's numbers, {ModelOptions.TypeForms} [auto]." };
    private readonly Option<string> _device = new("--device") { HelpName = "D", DefaultValueFactory = _ => "auto", Description = $"step, generate, load: where the model computes, {ComputeDevice.Allowed} [auto]." };
    private readonly Option<string> _quantize = new("--quantize")
    { HelpName = "FORM", DefaultValueFactory = _ => "none", Description = $"step, generate, load: how the layers' weights are held, {ModelOptions.QuantizeForms} [none]; step, load: several with commas between them, side by side." };
    private readonly Option<string?> _rows = new("--rows") { HelpName = "F.jsonl", Description = "step: rows to train on, in order, for example {\"input_ids\",\"labels\"}." };
    private readonly Option<string> _layers = new("--layers") { HelpName = "LAYERS", DefaultValueFactory = _ => "all", Description = "step, generate: adapted layers, all | every:N | last:N | last:N% | 3,4,20 [all]." };
    private readonly Option<int?> _batch = new("--batch") { HelpName = "N", Description = "Rows of a step [8]; prompts of the larger batch [16]." };
    private readonly Option<string?> _methods = new("--methods")
    { HelpName = "A,B", Description = $"step: what is timed, of {string.Join(", ", StepBenchmark.MethodNames)} [all]; the others are compared with the first." };
    private readonly Option<string> _base = new("--base")
    { HelpName = "WHERE", DefaultValueFactory = _ => "resident", Description = "step: where the layers wait, resident | streamed [resident]; both with a comma between them, side by side." };
    private readonly Option<string?> _execution = new("--execution")
    { HelpName = "WHAT", Description = "step: what travels between host and device for meft, activations | rows [activations]; both with a comma between them, side by side." };
    private readonly Option<bool> _recompute = new("--recompute") { Description = "step: layers compute their activations again in the backward pass." };
    private readonly Option<bool> _profile = new("--profile") { Description = "step: the adapter's share of the forward and the backward pass as well." };
    private readonly Option<int?> _promptTokens = new("--prompt-tokens") { HelpName = "N", Description = "generate: tokens of a prompt [64]." };
    private readonly Option<int?> _newTokens = new("--new-tokens") { HelpName = "N", Description = "generate: tokens that are added [64]." };

    private readonly Option<bool> _cold = new("--cold") { Description = "load: from the disk, without what the system has kept of the files in memory." };

    /// <summary>Adds the options to the verb's command.</summary>
    public void AddTo(Command command)
    {
        Option[] options =
        [
            _model, _type, _quantize, _device, _rows, _layers, _batch, _methods, _ranks, _base, _execution, _recompute, _profile, _promptTokens, _newTokens, _cold, _tokens, _hidden, _megabytes,
            _warmUp, _repeats,
        ];
        foreach (var option in options) command.Options.Add(option);
    }

    /// <summary>What the arguments say.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="subject">What is measured: options of other subjects are refused.</param>
    /// <exception cref="InvalidInputException">A value is out of range, or an option has no effect here.</exception>
    public BenchSettings Read(ParseResult arguments, string subject)
    {
        RequireEffect(arguments, subject);
        return Read(arguments);
    }

    private void RequireEffect(ParseResult arguments, string subject)
    {
        Option[] rounds = [_warmUp, _repeats], always = [_ranks, .. rounds], loaded = [_model, _type, _quantize, _device], model = [.. loaded, _layers, _batch], ways = [_base, _execution, _recompute];
        Option[] allowed = subject switch
        {
            "kernels" => [.. always, _tokens, _hidden, _megabytes],
            "optimizer" => [.. always, _hidden, _megabytes],
            "step" => [.. always, .. model, _rows, _methods, .. ways, _profile],
            "load" => [.. rounds, .. loaded, _cold],
            _ => [.. always, .. model, _promptTokens, _newTokens],
        };
        Option[] own =
        [
            _model, _type, _quantize, _device, _rows, _layers, _batch, _methods, .. ways, _profile, _promptTokens, _newTokens, _cold, _tokens, _hidden, _megabytes, _ranks,
        ];
        var useless = own.Except(allowed).FirstOrDefault(o => arguments.GetResult(o) is { Implicit: false });
        if (useless is not null)
            throw new InvalidInputException($"{useless.Name} has no effect on {subject}", $"{Verb} {subject}", string.Join(' ', allowed.Select(o => o.Name)), "leave it away");
        if (subject == "generate" && arguments.GetValue(_quantize)?.Contains(',') == true)
            throw new InvalidInputException($"--quantize is '{arguments.GetValue(_quantize)}'", $"{Verb} {subject}", "one form");
        if (subject == "generate" && arguments.GetValue(_ranks)?.Contains(',') == true)
            throw new InvalidInputException($"--ranks is '{arguments.GetValue(_ranks)}'", $"{Verb} {subject}", "one rank");
    }

    private BenchSettings Read(ParseResult arguments) => new()
    {
        Model = arguments.GetValue(_model),
        DType = ModelOptions.ParseType(arguments.GetRequiredValue(_type), Verb),
        Quantize = [.. arguments.GetRequiredValue(_quantize).Split(',').Distinct().Select(ModelOptions.ParseQuantize)],
        Device = arguments.GetRequiredValue(_device),
        Rows = arguments.GetValue(_rows),
        Layers = LayersOf(arguments.GetRequiredValue(_layers)),
        Batch = Number("--batch", arguments.GetValue(_batch), 1, MostSize),
        Methods = arguments.GetValue(_methods)?.Split(',').Distinct().ToList(),
        Ranks = Numbers("--ranks", arguments.GetValue(_ranks), MostRank),
        Base = ListOf<BasePlacement>("--base", arguments.GetRequiredValue(_base)),
        Executions = arguments.GetValue(_execution) is { } executions ? ListOf<ExecutionKind>("--execution", executions) : null,
        Recompute = arguments.GetValue(_recompute),
        Profile = arguments.GetValue(_profile),
        PromptTokens = Number("--prompt-tokens", arguments.GetValue(_promptTokens), 1, MostSize),
        Cold = arguments.GetValue(_cold),
        NewTokens = Number("--new-tokens", arguments.GetValue(_newTokens), 1, MostSize),
        Tokens = Numbers("--tokens", arguments.GetValue(_tokens), MostSize),
        HiddenSize = Number("--hidden", arguments.GetValue(_hidden), 1, MostSize),
        Megabytes = Number("--megabytes", arguments.GetValue(_megabytes), 1, 1024),
        WarmUp = Number("--warm-up", arguments.GetValue(_warmUp), 0, MostSize),
        Repeats = Number("--repeats", arguments.GetValue(_repeats), 1, MostSize),
    };

    /// <summary>Choices with commas between them. What the planner decides has no meaning here.</summary>
    private static List<T> ListOf<T>(string option, string text) where T : struct, Enum
    {
        var names = ChoiceName.All<T>().Where(name => name != "auto").ToList();
        return [.. text.Split(',').Distinct().Select(part => names.Contains(part) ? ChoiceName.Find<T>(part)!.Value
            : throw new InvalidInputException($"{option} is '{text}'", Verb, $"{string.Join(" | ", names)}, or several with commas between them"))];
    }

    private static LayerSelection LayersOf(string text)
    {
        if (LayerSelection.OfWord(text) is { } named) return named;
        var indices = new SortedSet<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || !indices.Add(index))
                throw new InvalidInputException($"--layers is '{text}'", Verb, "all, every:N, last:N, last:N%, or distinct indices with commas between them, for example 3,4,20");
        }
        return new LayerSelection.Listed([.. indices]);
    }

    private static int? Number(string option, int? value, int least, int most) => value is null || (value >= least && value <= most)
        ? value
        : throw new InvalidInputException($"{option} is {value}", Verb, $"{least} to {most}");

    private static List<int>? Numbers(string option, string? text, int most)
    {
        if (text is null) return null;
        var numbers = new List<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1 || number > most)
                throw new InvalidInputException($"{option} is '{text}'", Verb, $"whole numbers from 1 to {most} with commas between them, for example 1024,4096");
            numbers.Add(number);
        }
        return [.. numbers.Distinct()];
    }
}
