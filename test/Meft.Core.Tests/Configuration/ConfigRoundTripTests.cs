using CsCheck;
using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

public sealed class ConfigRoundTripTests : IDisposable
{
    private static readonly Gen<string> File =
        Gen.String[Gen.Char["abz 09.-_'\"\\:#{}[],&*!|>%@`~é漢\t\n\u0085\u2028"], 1, 12].Where(s => s.Trim('.') != "").Select(s => Path.GetFullPath("/" + s + ".txt"));

    private static readonly Gen<double> Number = Gen.Double[1e-12, 0.999];

    private static readonly Gen<LayerSelection> Layers = Gen.OneOf(
        Gen.Const<LayerSelection>(new LayerSelection.All()),
        Gen.Int[1, 99].Select(n => (LayerSelection)new LayerSelection.Last(n)),
        Gen.Int[1, 99].Select(n => (LayerSelection)new LayerSelection.Every(n)),
        Gen.Int[1, 100].Select(n => (LayerSelection)new LayerSelection.LastShare(n)),
        Gen.Int[0, 99].HashSet[1, 5].Select(s => (LayerSelection)new LayerSelection.Listed([.. s.Order()])));

    private static readonly TargetSelection[] Targets =
    [
        new TargetSelection.Named(["up_proj", "a: b"]), new TargetSelection.Named(["q_proj"]), new TargetSelection.AllLinear(),
        new TargetSelection.Pattern(@".*\.(q|v)_proj: ""x"""),
    ];

    private static readonly Gen<MethodConfig> Method =
        Gen.Select(Gen.Enum<MethodKind>(), Gen.Int[1, 100_000], Gen.Int[0, 500], Gen.Int[0, 500], Gen.Enum<GateKind>(), Layers, File.Null(), Number)
            .Select((kind, rank, experts, topK, gate, layers, init, number) =>
            {
                var meft = kind == MethodKind.Meft;
                var adapter = kind != MethodKind.Full;
                return new MethodConfig
                {
                    Kind = kind,
                    RequestedRank = adapter ? rank : 4096,
                    Experts = meft ? experts : 0,
                    Probe = meft && experts > 0 ? 1 + topK % experts : 0,
                    TopK = meft ? topK : 0,
                    Gate = meft && experts > 0 ? gate : GateKind.Linear,
                    Layers = adapter ? layers : new LayerSelection.All(),
                    Init = adapter ? init : null,
                    Alpha = kind == MethodKind.Lora ? number : 16,
                    Targets = kind == MethodKind.Lora ? Targets[topK % Targets.Length] : new TargetSelection.Named(["q_proj", "v_proj"]),
                    Rslora = kind == MethodKind.Lora && gate == GateKind.Softmax,
                    Dropout = kind == MethodKind.Lora ? number : 0,
                    RankPattern = kind == MethodKind.Lora ? [new("q_proj", rank), new(@"layers\.[13]\.mlp\..*", 1)] : [],
                    AlphaPattern = kind == MethodKind.Lora ? [new("\"v\": 'é'", number)] : [],
                };
            });

    private static readonly Gen<RunConfig> Config =
        Gen.Select(
            Gen.Select(File, File, Gen.Long[0, long.MaxValue], Method, File.Array[1, 3], File.Array[0, 2]),
            Gen.Select(Number, Number, Gen.Enum<ScheduleKind>(), Gen.Int[0, 500], Gen.Bool, Gen.Int[1, 1_000_000]),
            Gen.Select(Gen.Long[1, long.MaxValue].Nullable(), Gen.Enum<RowFormat>(), Gen.Enum<RecomputeMode>(), Gen.Enum<BaseDType>()))
            .Select((a, b, c) => new RunConfig
            {
                Model = a.Item1,
                Output = a.Item2,
                Seed = a.Item3,
                Method = a.Item4,
                DType = c.Item4,
                Device = b.Item5 ? "cuda:3" : "auto",
                Data = new DataConfig
                {
                    Train = [.. a.Item5.Distinct()],
                    TrainWeights = b.Item5 ? [.. a.Item5.Distinct().Select((_, i) => i + b.Item1)] : [],
                    Validation = [.. a.Item6],
                    Shuffle = b.Item5,
                    Packing = b.Item5,
                    Format = c.Item2,
                    MaxLength = 1 + b.Item6,
                },
                Optimizer = new OptimizerConfig { LearningRate = b.Item1 + 1e-6, Betas = (b.Item1, b.Item2), Eps = b.Item2, WeightDecay = b.Item1 },
                Schedule = new ScheduleConfig
                {
                    Kind = b.Item3,
                    Warmup = b.Item3 == ScheduleKind.Constant ? 0.05 : b.Item5 ? b.Item2 : b.Item4,
                },
                Epochs = b.Item5 ? b.Item6 : null,
                MaxSteps = b.Item5 ? null : b.Item6,
                Budget = new BudgetConfig { DeviceBytes = c.Item1, HostBytes = c.Item1 / 2 + 1 },
                Recompute = c.Item3,
                CheckWorstBatch = (WorstBatchCheck)(b.Item4 % 3),
                Evaluate = a.Item6.Length == 0
                    ? new EvaluateConfig { Every = b.Item4, Prompts = [.. a.Item5], MaxNewTokens = 1 + b.Item4 }
                    : new EvaluateConfig { Patience = 1 + b.Item4, MinDelta = b.Item1, KeepBest = b.Item5, Samples = b.Item6, MaxNewTokens = 1 + b.Item4 },
                Batch = new BatchConfig { Size = 1 + b.Item4, Accumulate = 2 },
            });

    private readonly ConfigTestFolder _folder = new();

    [Fact]
    public void A_config_written_back_loads_to_the_same_values() =>
        Config.Sample(config => _folder.Load(config.ToYaml()).ShouldBe(config), iter: 400, threads: 1);

    [Fact]
    public void A_loaded_config_says_every_default_when_written_back()
    {
        var yaml = _folder.Load(ConfigTestFolder.Minimal + "method: {rank: 10}").ToYaml();
        yaml.ShouldContain("  rank: 10\n  top_k: 32\n  experts: 16\n  probe: 8\n");
        yaml.ShouldContain("  learning_rate: 0.002\n");
        yaml.ShouldContain("  layers: every:3\n");
        yaml.ShouldNotContain("alpha");
    }

    [Theory]
    [InlineData("meft", "every:3", 0.002, 0.5)]
    [InlineData("parallel", "all", 0.004, 0.9)]
    [InlineData("lora", "all", 0.001, 0.9)]
    [InlineData("full", "all", 0.0001, 0.9)]
    public void Layers_rate_and_decay_follow_the_kind_where_nothing_is_said(string kind, string layers, double rate, double beta1)
    {
        var config = _folder.Load(ConfigTestFolder.Minimal + $"method: {{kind: {kind}}}");
        config.Method.Layers.ToString().ShouldBe(layers);
        config.Optimizer.LearningRate.ShouldBe(rate);
        config.Optimizer.Betas.ShouldBe((beta1, 0.999));
    }

    [Fact]
    public void All_layers_may_be_named_where_all_are_trained_and_a_share_may_not()
    {
        _folder.Load(ConfigTestFolder.Minimal + "method: {kind: full, layers: all}").Method.Kind.ShouldBe(MethodKind.Full);
        Should.Throw<Core.Errors.InvalidInputException>(() => _folder.Load(ConfigTestFolder.Minimal + "method: {kind: full, layers: last:20%}")).Message.ShouldContain("method.layers");
    }

    public void Dispose() => _folder.Dispose();
}
