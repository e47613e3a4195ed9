using System.Diagnostics;
using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Generation;
using Meft.Kernels;
using Meft.Models;
using Meft.Training;
using static TorchSharp.torch;

namespace Meft.Demonstration;

/// <summary>
/// The whole job with nothing but the program: a small base model learns a synthetic world's stories from scratch, then is taught facts
/// about people who are new in that world, and what it knew and knows is measured.
/// </summary>
public sealed class Demo
{
    private const ulong ReplayStream = 0x5265706C6179;
    private const int HeldOutBase = 1 << 28;
    private readonly DemoOptions _options;
    private readonly IDemoProgress _progress;
    private readonly CancellationToken _cancellation;
    private readonly WordTokenizer _tokenizer;
    private readonly IReadOnlyList<TokenRow> _stories;
    private readonly IReadOnlyList<Fact> _facts;
    private readonly Examination _examination;

    private Demo(DemoOptions options, IDemoProgress progress, CancellationToken cancellation)
    {
        (_options, _progress, _cancellation) = (options, progress, cancellation);
        var world = SyntheticWorld.Create(options.Seed, options.People, options.Newcomers);
        string[] stories = [.. Enumerable.Range(0, options.Stories).Select(world.Story)];
        string[] heldOut = [.. Enumerable.Range(HeldOutBase, options.HeldOutStories).Select(world.Story)];
        _facts = world.FactsOf(world.Newcomers);
        _tokenizer = WordTokenizer.Of([.. stories, .. _facts.Select(fact => fact.Prompt + fact.Answer)]);
        var rows = new RowTokenizer(_tokenizer, WordTokenizer.EndOfTextId, trainOnPrompt: false);
        _stories = [.. stories.Select((text, i) => rows.Tokenize(new TextRow(new RowOrigin("stories", i + 1), text)))];
        _examination = new Examination(
            _tokenizer, _facts, world.FactsOf(world.People),
            [.. heldOut.Select((text, i) => rows.Tokenize(new TextRow(new RowOrigin("held-out stories", i + 1), text)))]);
        _progress.Remark(
            $"text: {stories.Length:N0} stories of {options.People} people, {_stories.Sum(row => (long)row.Length):N0} tokens, "
            + $"vocabulary {_tokenizer.VocabularySize:N0}; for example:");
        _progress.Remark($"  {stories[0]}");
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
        var meft = TeachFacts(decoder);
        return new DemoReport(
            _options.Seed, KernelThreads.Count, _facts.Count, baseReport, [meft], Stopwatch.GetElapsedTime(start).TotalSeconds);
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
        var report = new BaseReport(
            decoder.Config.ParameterCount, decoder.Config.LayerCount, decoder.Config.HiddenSize, training, _examination.Ask(decoder, null),
            _examination.Sample(decoder, null));
        _progress.Remark(
            $"base: {report.Parameters:N0} parameters, loss {training.FirstLoss:0.00} → {training.LastLoss:0.00}, on held-out stories "
            + $"{report.Knowledge.OldTextLoss:0.000}; knows {report.Knowledge.OldFacts:P0} of the facts its text tells");
        return report;
    }

    private MethodReport TeachFacts(Decoder decoder)
    {
        var sizes = new MethodConfig
        {
            RequestedRank = _options.Rank,
            TopK = _options.TopK,
            Experts = MethodConfig.AutoExperts(_options.Rank),
            Probe = _options.Probe,
        };
        var spec = SparseAdapterSpec.From(sizes, decoder.Config.HiddenSize, decoder.Config.LayerCount);
        using var method = new SparseAdapterMethod(
            new SparseAdapter(spec).Initialize(_options.Seed), OptimizerRows.Touched,
            new AdapterIdentity("demo", BaseFingerprint.Of(decoder.Config), null));
        var description =
            $"R = {spec.Rank:N0} neurons a layer in N = {spec.Experts} experts, P = {spec.Probe} of them probed and k = {spec.TopK} neurons kept a token; "
            + $"each fact read {_options.Epochs} times, a step reads {_options.FactBatch} facts and, against forgetting, {_options.ReplayStories} old {(_options.ReplayStories == 1 ? "story" : "stories")}";
        var training = new DemoTraining(decoder, _progress, _cancellation).Run(
            "new facts through the sparse adapter", method, FactSteps(), new OptimizerConfig { LearningRate = _options.LearningRate });
        return new MethodReport(
            "meft", description, method.ParameterCount, training, _examination.Ask(decoder, method.Adapter),
            _examination.Sample(decoder, method.Adapter));
    }

    /// <summary>Every step: some facts, trained on their answers alone, and some old stories.</summary>
    private IReadOnlyList<IReadOnlyList<TokenRow>> FactSteps()
    {
        var tokenizer = new RowTokenizer(_tokenizer, endToken: null, trainOnPrompt: false);
        var rows = _facts.Select((fact, i) => tokenizer.Tokenize(new PromptCompletionRow(new RowOrigin("facts", i + 1), fact.Prompt, fact.Answer)));
        var schedule = new BatchSchedule(
            [.. rows], new BatchConfig { Size = _options.FactBatch }, (long)_options.Seed, _options.Epochs, maxSteps: null, shuffle: true);
        var random = new RandomStream(_options.Seed, ReplayStream);
        return
        [
            .. schedule.Steps().Select(IReadOnlyList<TokenRow> (step) =>
                [.. step.MicroBatches[0], .. Enumerable.Range(0, _options.ReplayStories).Select(_ => random.Pick(_stories))]),
        ];
    }
}
