using System.Diagnostics;
using System.Globalization;
using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Kernels;
using Meft.Models;
using Meft.Training;
using static TorchSharp.torch;

namespace Meft.Demonstration;

/// <summary>
/// The whole job with nothing but the program: a small base model learns a synthetic world's stories from scratch, then several methods are each taught
/// the same facts about people who are new in that world, and what each knows and costs is set side by side.
/// </summary>
public sealed class Demo
{
    private const int HeldOutBase = 1 << 28;

    /// <summary>Rates that the search may try beyond either end.</summary>
    private const int ExtendRates = 3;

    private readonly DemoOptions _options;
    private readonly IDemoProgress _progress;
    private readonly CancellationToken _cancellation;
    private readonly WordTokenizer _tokenizer;
    private readonly IReadOnlyList<TokenRow> _stories;
    private readonly IReadOnlyList<IReadOnlyList<TokenRow>> _lessons, _rateLessons;
    private readonly Examination _examination, _rateExamination;

    private Demo(DemoOptions options, IDemoProgress progress, CancellationToken cancellation)
    {
        (_options, _progress, _cancellation) = (options, progress, cancellation);
        var world = SyntheticWorld.Create(options.Seed, options.People, options.Newcomers + options.RateNewcomers);
        string[] stories = [.. Enumerable.Range(0, options.Stories).Select(world.Story)];
        string[] heldOut = [.. Enumerable.Range(HeldOutBase, options.HeldOutStories).Select(world.Story)];
        var (facts, rateFacts) = (world.FactsOf(world.Newcomers.Take(options.Newcomers)), world.FactsOf(world.Newcomers.Skip(options.Newcomers)));
        _tokenizer = WordTokenizer.Of([.. stories, .. facts.Concat(rateFacts).Select(fact => fact.Prompt + fact.Answer)]);
        var rows = new RowTokenizer(_tokenizer, WordTokenizer.EndOfTextId, trainOnPrompt: false);
        _stories = [.. stories.Select((text, i) => rows.Tokenize(new TextRow(new RowOrigin("stories", i + 1), text)))];
        TokenRow[] heldOutRows = [.. heldOut.Select((text, i) => rows.Tokenize(new TextRow(new RowOrigin("held-out stories", i + 1), text)))];
        var lessons = new Lessons(options, _tokenizer, _stories);
        (_lessons, _rateLessons) = (lessons.Of(facts), lessons.Of(rateFacts));
        _examination = new Examination(_tokenizer, facts, world.FactsOf(world.People), heldOutRows);
        _rateExamination = new Examination(_tokenizer, rateFacts, world.FactsOf(world.People), heldOutRows);
        Tell(
            $"text: {stories.Length:N0} stories of {options.People} people, {_stories.Sum(row => (long)row.Length):N0} tokens, vocabulary {_tokenizer.VocabularySize:N0}; for example:");
        Tell($"  {stories[0]}");
    }

    /// <summary>Runs a demonstration.</summary>
    /// <param name="options">Its sizes.</param>
    /// <param name="progress">Watches.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DemoReport Run(DemoOptions options, IDemoProgress progress, CancellationToken cancellation = default) =>
        new Demo(options, progress, cancellation).Run();

    private DemoReport Run()
    {
        var start = Stopwatch.GetTimestamp();
        var config = _options.Base.ToConfig(_tokenizer.VocabularySize, WordTokenizer.EndOfTextId);
        using var decoder = Decoder.Initialize(config, _options.Seed, CPU, float32);
        var baseReport = TrainBase(decoder);
        var result = new DemoResult(_options, baseReport.Parameters, _examination.Ask(decoder, null));
        Tell($"base: {baseReport.Parameters:N0} parameters, loss {baseReport.Training.FirstLoss:0.00} → {baseReport.Training.Cost.LastLoss:0.00}; knows {result.Before[2].Value * 100:0.0} % of the facts its text tells");
        var samples = new List<Sample>();
        foreach (var spec in _options.Methods)
        {
            if (Teach(decoder, spec, out var sample) is var taught && sample is not null) samples.Add(sample);
            result.Add(taught);
            Tell($"{spec.Name}: {(taught.Numbers is [var score, ..] ? $"{FigureStatistics.Of([score], null, isPerplexity: false).Value * 100:0.0} % of the new facts recalled, {taught.Cost!.Seconds:0} s" : taught.DoesNotFit)}");
        }
        var comparison = result.Comparison();
        return new DemoReport(
            _options.Seed, KernelThreads.Count, baseReport, comparison, samples, DemoReading.Of(comparison),
            [.. _options.Methods.Select(method => method.Describe(_options)), Teaching()], Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private BaseReport TrainBase(Decoder decoder)
    {
        TrainingReport training;
        using (var method = new FullMethod(decoder))
        {
            var optimizer = new OptimizerConfig { LearningRate = _options.BaseLearningRate, Betas = (0.9, 0.95), WeightDecay = 0.01 };
            training = new DemoTraining(decoder, _progress, _cancellation).Run(
                "base model from scratch", method, [.. _stories.Chunk(_options.BaseBatch)], optimizer);
        }
        decoder.SetTrainable(false);
        foreach (var parameter in decoder.Parameters.Values) parameter.grad = null;
        return new BaseReport(
            decoder.Config.ParameterCount, decoder.Config.LayerCount, decoder.Config.HiddenSize, training, _examination.Sample("base alone", decoder, null));
    }

    /// <summary>Teaches a method the facts, if it fits the device, and asks what it knows then.</summary>
    private TaughtMethod Teach(Decoder decoder, DemoMethod spec, out Sample? sample)
    {
        sample = null;
        using var method = spec.Create(decoder, _options);
        var training = new DemoTraining(decoder, _progress, _cancellation);
        var bytes = training.DeviceBytesOf(method, _lessons);
        var taught = new TaughtMethod { Method = spec, Parameters = method.ParameterCount, DeviceBytes = bytes, HostBytes = method.HostByteCount, Rate = spec.LearningRate };
        if (bytes > _options.DeviceBudget)
        {
            return taught with
            {
                Rate = null,
                DoesNotFit = string.Create(CultureInfo.InvariantCulture, $"a step holds {ComparisonText.Bytes(bytes)} on the device, and the budget is {ComparisonText.Bytes(_options.DeviceBudget)}"),
            };
        }
        if (_options.FindsRates) taught = FindRate(decoder, taught);
        var cost = training.Run(spec.Name, method, _lessons, spec.OptimizerAt(taught.Rate!.Value)).Cost;
        sample = _examination.Sample(spec.Name, decoder, method.Adapter);
        return taught with { Cost = cost, Numbers = _examination.Ask(decoder, method.Adapter), Load = method.Usage?.Take(1, cost.Steps) };
    }

    /// <summary>Teaches facts about other people with several rates, beginning with the method's own and its double; the best rate is the one with most of them recalled.</summary>
    private TaughtMethod FindRate(Decoder decoder, TaughtMethod taught)
    {
        var spec = taught.Method;
        var search = new RateSearch([spec.LearningRate, 2 * spec.LearningRate], ExtendRates);
        var tried = new List<GridPoint>();
        while (search.Next() is { } rate)
        {
            using var method = spec.Create(decoder, _options);
            double? score = null;
            string? failure = null;
            try
            {
                new DemoTraining(decoder, _progress, _cancellation).Run($"{spec.Name}, rate {rate}", method, _rateLessons, spec.OptimizerAt(rate));
                score = FigureStatistics.Of([_rateExamination.AskNew(decoder, method.Adapter)], null, isPerplexity: false).Value;
            }
            catch (DivergedException e)
            {
                failure = e.Problem;
            }
            search.Add(rate, score ?? double.NaN);
            tried.Add(new GridPoint(rate, score, failure));
            Tell($"{spec.Name}, rate {rate}: {(score is { } share ? $"{share * 100:0.0} % of the held-out facts recalled" : failure)}");
        }
        return taught with { Rate = search.Chosen ?? spec.LearningRate, IsRateAtEdge = search.IsAtEdge, Grid = [.. tried.OrderBy(point => point.LearningRate)] };
    }

    private string Teaching() => string.Create(
        CultureInfo.InvariantCulture,
        $"each fact is read {_options.Epochs} times; a step reads {_options.FactBatch} facts and, against forgetting, {_options.ReplayStories} old {(_options.ReplayStories == 1 ? "story" : "stories")}; {(_options.FindsRates ? "each method has the best of several rates, tried on facts about other people" : _options.RatesAreFrom)}");

    private void Tell(FormattableString text) => _progress.Remark(text.ToString(CultureInfo.InvariantCulture));
}
