using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Planning;

namespace Meft.Core.Tests.Planning;

/// <summary>A machine, models and configs to plan with.</summary>
internal static class PlanSamples
{
    public const long GiB = 1L << 30;

    public static Calibration Machine(double? link = null) => new()
    {
        Key = new CalibrationKey("a processor", 2, "cpu", "2.10", "0.1"),
        SingleMatmul = new MatmulRate(1e11, 1.5e11),
        HalfMatmul = new MatmulRate(3e11, 6e11),
        DotFlops = 1e11,
        HostBytesPerSecond = 5e10,
        DeviceBytesPerSecond = 1e11,
        OperationSeconds = 2e-6,
        ToDeviceBytesPerSecond = link,
        ToHostBytesPerSecond = link,
    };

    /// <summary>The sizes of LLaMA-7B, as its config.json says them.</summary>
    public const string SevenBillion = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
         "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
         "hidden_act": "silu", "tie_word_embeddings": false, "torch_dtype": "bfloat16"}
        """;

    public static ModelConfig Model { get; } = ModelConfigReader.Parse(SevenBillion);

    public static RunConfig Config(MethodConfig? method = null) => new()
    {
        Model = "m",
        Output = "/nowhere/out",
        Data = new DataConfig { Train = ["rows.jsonl"] },
        Method = method ?? new MethodConfig { RequestedRank = 6144, Experts = 256, Probe = 8, TopK = 64, Layers = new LayerSelection.All() },
        Checkpoint = new CheckpointConfig { Keep = 1 },
    };

    public static Workload Work(long tokens = 1024, int microBatches = 1) =>
        new(tokens, tokens / 2, tokens, tokens / 2.0, microBatches, 1, 10, null);

    public static RunPlanner Planner(RunConfig config, MemoryBounds? bounds = null, bool accelerator = false, ModelConfig? model = null) =>
        new(config, model ?? Model, accelerator, bounds ?? MemoryBounds.None, Machine(accelerator ? 2.5e10 : null));

    public static long BytesOf(this RunPlan plan, MemoryTier tier, params string[] causes) =>
        plan.Memory.Items.Where(i => i.Tier == tier && causes.Contains(i.Cause)).Sum(i => i.Bytes);
}
