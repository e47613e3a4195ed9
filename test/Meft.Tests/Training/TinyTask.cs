using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Schedules;
using Meft.Models;
using Meft.Training;
using static TorchSharp.torch;

namespace Meft.Tests.Training;

/// <summary>A very small model with a sparse adapter and rows of random ids, for tests of the loop.</summary>
internal sealed class TinyTask : IDisposable
{
    public const int Vocabulary = 50;

    public static readonly ModelConfig Config = new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = Vocabulary,
        HiddenSize = 16,
        IntermediateSize = 24,
        LayerCount = 3,
        HeadCount = 2,
        KeyValueHeadCount = 1,
        HeadSize = 8,
        MaxPositions = 64,
        TiedEmbeddings = true,
        InitializerRange = 0.2,
    };

    public static readonly SparseAdapterSpec Spec = new(64, 16, 8, 2, 6, GateKind.Linear, [1, 2]);

    public Decoder Decoder { get; } = Decoder.Initialize(Config, seed: 7, CPU, ScalarType.Float32);

    public static AdapterIdentity Identity => new("tiny", BaseFingerprint.Of(Config), null);

    public static SparseAdapterMethod NewMethod(OptimizerRows rows = OptimizerRows.Touched) =>
        new(new SparseAdapter(Spec).Initialize(seed: 3), rows, Identity);

    public static LoraMethod NewLora(double dropout = 0)
    {
        var settings = new LoraSettings { Rank = 4, Alpha = 6, Dropout = dropout, Targets = new TargetSelection.Named(["q_proj", "v_proj"]), Layers = [1, 2] };
        return new(new LoraAdapter(settings.Resolve(Config), CPU).Initialize(seed: 3), PeftLoraConfig.Create(settings, "tiny"), seed: 3);
    }

    public TrainingTask Create(ITrainedMethod method, BatchConfig? batch = null, int steps = 12, int checkpointEvery = 0, IReadOnlyList<TokenRow>? rows = null) => new()
    {
        Decoder = Decoder,
        Method = method,
        Batches = new BatchSchedule(rows ?? Rows(20), batch ?? new BatchConfig { Size = 4 }, seed: 1, epochs: null, maxSteps: steps, shuffle: true),
        Rates = new LearningRateSchedule(ScheduleKind.Constant, 0.01, 0, steps),
        Optimizer = new OptimizerConfig { WeightDecay = 0.01 },
        Validation = Rows(3, seed: 99),
        CheckpointEvery = checkpointEvery,
    };

    public static List<TokenRow> Rows(int count, int seed = 5)
    {
        var random = new Random(seed);
        var rows = new List<TokenRow>();
        for (var r = 0; r < count; r++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(3, 12)).Select(_ => random.Next(Vocabulary))];
            int[] labels = [.. ids.Select((id, i) => i < 2 ? TokenRow.Ignored : id)];
            rows.Add(new TokenRow(ids, labels, new RowOrigin("rows.jsonl", r + 1)));
        }
        return rows;
    }

    public static float[] Bits(ITrainedMethod method) =>
    [
        .. method.Matrices.SelectMany(m => new[] { m.Rows.Weights, m.Rows.FirstMoments, m.Rows.SecondMoments })
            .SelectMany(m => Enumerable.Range(0, m.Rows).SelectMany(r => m.Row(r).ToArray())),
    ];

    public void Dispose() => Decoder.Dispose();
}
