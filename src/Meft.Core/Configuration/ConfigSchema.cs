using Meft.Core.Configuration.Types;

namespace Meft.Core.Configuration;

/// <summary>
/// Every key of the config, in the order of the documentation. Reading, error texts, suggestions, docs/config.md and writing all
/// follow from this table; the defaults are those of the records.
/// </summary>
internal static class ConfigSchema
{
    /// <summary>The largest rank that is taken; far above what memory allows, it keeps later sums within their types.</summary>
    public const int MaxRank = 1 << 28;

    private static readonly List<ConfigKey> Keys = [];
    private static readonly RunConfig Defaults = new() { Model = "", Output = "", Data = new DataConfig { Train = [] } };

    private static readonly ConfigCondition Meft = new("method.kind: meft", c => c.Method.Kind == MethodKind.Meft);
    private static readonly ConfigCondition Routed =
        new("method.kind: meft with experts", c => c.Method.Kind == MethodKind.Meft && c.Method.Experts > 0);
    private static readonly ConfigCondition Lora = new("method.kind: lora", c => c.Method.Kind == MethodKind.Lora);
    private static readonly ConfigCondition Rows =
        new("method.kind: meft or parallel", c => c.Method.Kind is MethodKind.Meft or MethodKind.Parallel);
    private static readonly ConfigCondition Adapter = new("an adapter (method.kind other than full)", c => c.Method.Kind != MethodKind.Full);
    private static readonly ConfigCondition Validating =
        new("data.validation", c => c.Data.Validation.Count > 0);
    private static readonly ConfigCondition Comparing =
        new("evaluate.patience or evaluate.keep_best", c => c.Evaluate.Patience > 0 || c.Evaluate.KeepBest);
    private static readonly ConfigCondition Sampling =
        new("evaluate.samples or evaluate.prompts", c => c.Evaluate.HasSamples);
    private static readonly ConfigCondition Warming =
        new("a schedule with a warm-up (schedule.kind other than constant)", c => c.Schedule.Kind != ScheduleKind.Constant);

    public static readonly ConfigKey<string> Model = Add(new ConfigKey<string>(
        "model", new PathType("a Hugging Face folder or a .gguf file"), "", c => c.Model, "The base model; it stays frozen unless method.kind is full.")
    { Required = true, OtherNames = ["model_name_or_path", "base_model"] });
    public static readonly ConfigKey<string> Output = Add(new ConfigKey<string>(
        "output", new PathType("a folder"), "", c => c.Output, "The run folder; never overwritten without --resume or --overwrite.")
    { Required = true, OtherNames = ["output_dir"] });
    public static readonly ConfigKey<long> Seed = Integer("seed", 0L, long.MaxValue, c => c.Seed, "Seeds start values and row order.");
    public static readonly ConfigKey<string> Device = Add(new ConfigKey<string>(
        "device", new DeviceType(), Defaults.Device, c => c.Device, "Where the base computes; auto takes an accelerator where there is one."));
    public static readonly ConfigKey<BaseDType> DType = Choice(
        "dtype", c => c.DType, "Element type of the frozen base; auto is the checkpoint's. fp16 is for cards without bfloat16, and slow on a CPU.", "torch_dtype");
    public static readonly ConfigKey<Quantization> Quantize = Choice(
        "quantize", c => c.Quantize,
        "How the linear maps of the frozen layers are held in memory: 8 bits, QLoRA's 4-bit normal floats, or the blocks of a .gguf file as they are; none is dtype.");
    public static readonly ConfigKey<BasePlacement> Base = Choice("base", c => c.Base, "Where the frozen layers wait for their turn.");

    public static readonly ConfigKey<MethodKind> Kind = Choice(
        "method.kind", c => c.Method.Kind, "What is trained: the sparse adapter, the dense parallel adapter, LoRA, or the base itself.");
    public static readonly ConfigKey<int> Rank = Add(new ConfigKey<int>(
        "method.rank", new IntegerType<int>(1, MaxRank), Defaults.Method.RequestedRank, c => c.Method.RequestedRank,
        "Neurons a layer, rounded up to a multiple of experts (lora: r).")
    { AppliesWhen = Adapter, DefaultNote = "4096; lora: 8", OtherNames = ["r", "lora_rank"] });
    public static readonly ConfigKey<int> TopK = Integer(
        "method.top_k", 0, int.MaxValue, c => c.Method.TopK, "Neurons that a token may activate; 0 is no limit.", Meft);
    public static readonly ConfigKey<int?> Experts = Add(new ConfigKey<int?>(
        "method.experts", new ExpertsType(), null, c => c.Method.Experts, "Experts of the router; auto is 4·ceil(sqrt(rank)), 0 is no router.")
    { AppliesWhen = Meft, DefaultNote = "auto", OtherNames = ["num_experts"] });
    public static readonly ConfigKey<int> Probe = Add(new ConfigKey<int>(
        "method.probe", new IntegerType<int>(1, MaxRank), Defaults.Method.Probe, c => c.Method.Probe, "Experts that a token probes; at most experts.")
    { AppliesWhen = Routed, DefaultNote = "8, or all where there are fewer" });
    public static readonly ConfigKey<GateKind> Gate = Choice(
        "method.gate", c => c.Method.Gate, "How a router value becomes an expert's coefficient.", condition: Routed);
    public static readonly ConfigKey<LayerSelection> Layers = Add(new ConfigKey<LayerSelection>(
        "method.layers", new LayersType(), Defaults.Method.Layers, c => c.Method.Layers, "The adapted layers.")
    { AppliesWhen = Adapter, DefaultNote = "every:3; lora, parallel: all", DefaultIn = c => MethodConfig.DefaultLayers(c.Method.Kind), OtherNames = ["layers_to_transform"] });
    public static readonly ConfigKey<string> Init = Add(new ConfigKey<string>(
        "method.init", new PathType("an adapter folder"), null!, c => c.Method.Init!, "An adapter to start from.")
    { AppliesWhen = Adapter });
    public static readonly ConfigKey<ExecutionKind> Execution = Choice(
        "method.execution", c => c.Method.Execution,
        "What travels between host and device: the active rows or the activations.", condition: Meft);
    public static readonly ConfigKey<double> Alpha = Number(
        "method.alpha", new NumberType(0, above: true), c => c.Method.Alpha, "Numerator of LoRA's scale.", Lora, "lora_alpha");
    public static readonly ConfigKey<TargetSelection> Targets = Add(new ConfigKey<TargetSelection>(
        "method.targets", new TargetsType(), Defaults.Method.Targets, c => c.Method.Targets, "The modules that LoRA adapts.")
    { AppliesWhen = Lora, OtherNames = ["target_modules"] });
    public static readonly ConfigKey<double> Dropout = Number(
        "method.dropout", new NumberType(0, below: 1), c => c.Method.Dropout, "LoRA's dropout.", Lora, "lora_dropout");
    public static readonly ConfigKey<bool> Rslora = Boolean(
        "method.rslora", c => c.Method.Rslora, "Scale by alpha/sqrt(r) instead of alpha/r.", Lora, "use_rslora");
    public static readonly ConfigKey<ValueList<ModulePattern<int>>> RankPattern = Add(new ConfigKey<ValueList<ModulePattern<int>>>(
        "method.rank_pattern", new ModulePatternsType<int>(new IntegerType<int>(1, MaxRank)), [], c => c.Method.RankPattern,
        "LoRA's r of certain modules, the first match holds.")
    { AppliesWhen = Lora });
    public static readonly ConfigKey<ValueList<ModulePattern<double>>> AlphaPattern = Add(new ConfigKey<ValueList<ModulePattern<double>>>(
        "method.alpha_pattern", new ModulePatternsType<double>(new NumberType(0, above: true)), [], c => c.Method.AlphaPattern,
        "LoRA's alpha of certain modules, the first match holds.")
    { AppliesWhen = Lora });

    public static readonly ConfigKey<OptimizerRows> UpdatedRows = Choice(
        "optimizer.rows", c => c.Optimizer.Rows, "Which rows AdamW moves: those active in the step, or all.", condition: Meft);
    public static readonly ConfigKey<double> LearningRate = Add(new ConfigKey<double>(
        "optimizer.learning_rate", new NumberType(0, above: true), Defaults.Optimizer.LearningRate, c => c.Optimizer.LearningRate, "The schedule's base rate.")
    { DefaultNote = "0.002; parallel: 0.004; lora: 0.001; full: 0.0001", OtherNames = ["lr"] });
    public static readonly ConfigKey<(double, double)> Betas = Add(new ConfigKey<(double, double)>(
        "optimizer.betas", new PairType(new NumberType(0, below: 1)), Defaults.Optimizer.Betas, c => c.Optimizer.Betas, "Decay of AdamW's first and second moment.")
    { DefaultNote = "[0.5, 0.999]; lora, parallel, full: [0.9, 0.999]", OtherNames = ["adam_beta1", "adam_beta2"] });
    public static readonly ConfigKey<double> Eps = Number(
        "optimizer.eps", new NumberType(0, above: true), c => c.Optimizer.Eps,
        "Added to the root of the second moment.", null, "adam_epsilon");
    public static readonly ConfigKey<double> WeightDecay = Number(
        "optimizer.weight_decay", new NumberType(0), c => c.Optimizer.WeightDecay, "Decoupled weight decay.");
    public static readonly ConfigKey<double> MaxGradNorm = Number(
        "optimizer.max_grad_norm", new NumberType(0), c => c.Optimizer.MaxGradNorm, "Clips the global gradient norm; 0 does not clip.");

    public static readonly ConfigKey<ScheduleKind> Schedule = Choice(
        "schedule.kind", c => c.Schedule.Kind,
        "How the learning rate moves, as transformers' get_scheduler names it.", "lr_scheduler_type");
    public static readonly ConfigKey<double> Warmup = Number(
        "schedule.warmup", new NumberType(0), c => c.Schedule.Warmup,
        "Warm-up: below 1 a share of all steps, else a number of steps.", Warming, "warmup_ratio", "warmup_steps");

    public static readonly ConfigKey<ValueList<WeightedFile>> Train = Add(new ConfigKey<ValueList<WeightedFile>>(
        "data.train", new OneOrMoreType<WeightedFile>(
            new WeightedFileType(), "a file or a list of files (.jsonl .json .csv .parquet .txt), absolute or relative to the config file, each alone or as "
            + "{file: a.jsonl, weight: 2}, the weight a number above 0"),
        [], c => WeightedFile.Of(c.Data), "The rows to train on. An epoch takes the rows of a file as often as its weight says (1): "
        + "0.5 takes half of them, another half the next epoch; 2.5 takes each twice and half of them once more.")
    { Required = true, OtherNames = ["train_file"] });
    public static readonly ConfigKey<ValueList<string>> Validation = Add(new ConfigKey<ValueList<string>>(
        "data.validation", Files(), [], c => c.Data.Validation, "The rows to measure the loss on.")
    { OtherNames = ["validation_file"] });
    public static readonly ConfigKey<RowFormat> Format = Choice(
        "data.format", c => c.Data.Format, "The rows' form; auto tells it from the rows.");
    public static readonly ConfigKey<int> MaxLength = Integer(
        "data.max_length", 2, 1 << 24, c => c.Data.MaxLength, "The most tokens a row may have.", null, "max_seq_length");
    public static readonly ConfigKey<OverLength> OverLength = Choice(
        "data.over_length", c => c.Data.OverLength, "What happens to longer rows (a text is cut into several rows first).");
    public static readonly ConfigKey<BadRows> BadRows = Choice(
        "data.bad_rows", c => c.Data.BadRows, "What happens to rows that cannot be read or have nothing to train on.");
    public static readonly ConfigKey<bool> TrainOnPrompt = Boolean(
        "data.train_on_prompt", c => c.Data.TrainOnPrompt, "Train the prompt's tokens too, of a conversation all that the template renders.");
    public static readonly ConfigKey<bool> Packing = Boolean(
        "data.packing", c => c.Data.Packing,
        "Pack whole rows into bins of at most max_length tokens; batch.size then counts bins. Each row keeps to itself: its own attention and positions.");
    public static readonly ConfigKey<bool> Shuffle = Boolean(
        "data.shuffle", c => c.Data.Shuffle, "Visit the rows in a new seeded order each epoch.");
    public static readonly ConfigKey<bool> GroupByLength = Boolean(
        "data.group_by_length", c => c.Data.GroupByLength,
        "A step takes rows of like length, the steps in a seeded order. Tokens are packed on the CPU, where this saves nothing; attention on a CUDA card pads, up to half.");

    public static readonly ConfigKey<int> BatchSize = Integer(
        "batch.size", 1, 1 << 20, c => c.Batch.Size, "Rows of a micro-batch.", null, "per_device_train_batch_size", "batch_size");
    public static readonly ConfigKey<int> Accumulate = Integer(
        "batch.accumulate", 1, 1 << 20, c => c.Batch.Accumulate, "Micro-batches a step.", null, "gradient_accumulation_steps");
    public static readonly ConfigKey<int?> Epochs = Count(
        "epochs", c => c.Epochs, "Passes over the rows; give this or max_steps.", "1, unless max_steps is given", "num_train_epochs");
    public static readonly ConfigKey<int?> MaxSteps = Count("max_steps", c => c.MaxSteps, "Steps in all; give this or epochs.", "null");
    public static readonly ConfigKey<int> EvaluateEvery = Integer(
        "evaluate.every", 0, int.MaxValue, c => c.Evaluate.Every,
        "Steps between evaluations, the validation loss and samples; 0 is at the end of an epoch.", null, "eval_steps");
    public static readonly ConfigKey<int> Patience = Integer(
        "evaluate.patience", 0, int.MaxValue, c => c.Evaluate.Patience,
        "Stop after so many evaluations in a row that did not improve on the best validation loss; 0 never stops early.", Validating, "early_stopping_patience");
    public static readonly ConfigKey<double> MinDelta = Number(
        "evaluate.min_delta", new NumberType(0), c => c.Evaluate.MinDelta,
        "By how much, in nats, a validation loss must be lower than the best one to improve on it.", Comparing, "early_stopping_threshold");
    public static readonly ConfigKey<bool> KeepBest = Boolean(
        "evaluate.keep_best", c => c.Evaluate.KeepBest,
        "The result is the state with the best validation loss, which is kept as a checkpoint, instead of the last one.", Validating, "load_best_model_at_end");
    public static readonly ConfigKey<int> Samples = Integer(
        "evaluate.samples", 0, 1 << 20, c => c.Evaluate.Samples,
        "So many validation rows, the first ones, have their prompts continued before the run and at every evaluation (samples.jsonl).", Validating);
    public static readonly ConfigKey<ValueList<string>> Prompts = Add(new ConfigKey<ValueList<string>>(
        "evaluate.prompts", new OneOrMoreType<string>(new TextType(), "a text or a list of texts"), [], c => c.Evaluate.Prompts,
        "Texts that are continued as they are, beside or instead of those of evaluate.samples."));
    public static readonly ConfigKey<int> MaxNewTokens = Integer(
        "evaluate.max_new_tokens", 1, 1 << 20, c => c.Evaluate.MaxNewTokens, "The most tokens of a sample.", Sampling);
    public static readonly ConfigKey<int> CheckpointEvery = Integer(
        "checkpoint.every", 0, int.MaxValue, c => c.Checkpoint.Every,
        "Steps between checkpoints; 0 is at the end only.", null, "save_steps");
    public static readonly ConfigKey<int> CheckpointKeep = Integer(
        "checkpoint.keep", 1, int.MaxValue, c => c.Checkpoint.Keep,
        "How many of the newest checkpoints stay; the one with the least validation loss stays beside them.", null, "save_total_limit");
    public static readonly ConfigKey<IncrementalCheckpoints> CheckpointIncremental = Choice(
        "checkpoint.incremental", c => c.Checkpoint.Incremental,
        "Between two full checkpoints save only the rows that have changed since the last full one; auto does where that saves half the bytes or more.",
        condition: Meft);
    public static readonly ConfigKey<long?> DeviceBudget = Size(
        "budget.device", c => c.Budget.DeviceBytes, "The most memory to use on the device.");
    public static readonly ConfigKey<long?> HostBudget = Size("budget.host", c => c.Budget.HostBytes, "The most host memory to use.");
    public static readonly ConfigKey<RecomputeMode> Recompute = Choice(
        "recompute", c => c.Recompute,
        "Compute activations again in the backward pass; auto does where the plan needs it.", "gradient_checkpointing");
    public static readonly ConfigKey<WorstBatchCheck> CheckWorstBatch = Choice(
        "check_worst_batch", c => c.CheckWorstBatch,
        "Try the largest micro-batch of the run before its first step, so that it fails at once where memory is short; auto does unless it is among the first 10 steps.");

    /// <summary>All keys, in the order above.</summary>
    public static IReadOnlyList<ConfigKey> All => Keys;

    /// <summary>The key with a path, or null.</summary>
    public static ConfigKey? Find(string path) => Keys.FirstOrDefault(k => k.Path == path);

    /// <summary>Whether a name at the top is that of a group of keys.</summary>
    public static bool IsSection(string name) => name.Length > 0 && Keys.Any(k => k.Section == name);

    /// <summary>The path of the key that someone probably meant; null where none is close.</summary>
    public static string? IfClose(string section, string leaf)
    {
        var inOtherWords = Keys.FirstOrDefault(k => k.OtherNames.Contains(leaf, StringComparer.OrdinalIgnoreCase));
        if (inOtherWords is not null) return inOtherWords.Path;
        // A key of another group is meant less often than a misspelt one of the same group.
        return Keys.Where(k => NearestName.IfClose(leaf, [k.Leaf]) is not null)
            .MinBy(k => NearestName.Distance(leaf, k.Leaf) + (k.Section == section ? 0.0 : 0.5))?.Path;
    }

    private static TKey Add<TKey>(TKey key) where TKey : ConfigKey
    {
        Keys.Add(key);
        return key;
    }

    private static ConfigKey<T> Integer<T>(
        string path, T min, T max, Func<RunConfig, T> get, string doc, ConfigCondition? condition = null, params string[] otherNames)
        where T : struct, System.Numerics.IBinaryInteger<T>, System.Numerics.IMinMaxValue<T> =>
        Add(new ConfigKey<T>(path, new IntegerType<T>(min, max), get(Defaults), get, doc) { AppliesWhen = condition, OtherNames = otherNames });

    private static ConfigKey<double> Number(
        string path, NumberType type, Func<RunConfig, double> get, string doc, ConfigCondition? condition = null, params string[] otherNames) =>
        Add(new ConfigKey<double>(path, type, get(Defaults), get, doc) { AppliesWhen = condition, OtherNames = otherNames });

    private static ConfigKey<bool> Boolean(
        string path, Func<RunConfig, bool> get, string doc, ConfigCondition? condition = null, params string[] otherNames) =>
        Add(new ConfigKey<bool>(path, new BooleanType(), get(Defaults), get, doc) { AppliesWhen = condition, OtherNames = otherNames });

    private static ConfigKey<T> Choice<T>(string path, Func<RunConfig, T> get, string doc, string? otherName = null, ConfigCondition? condition = null)
        where T : struct, Enum =>
        Add(new ConfigKey<T>(path, new ChoiceType<T>(), get(Defaults), get, doc)
        { AppliesWhen = condition, OtherNames = otherName is null ? [] : [otherName] });

    private static ConfigKey<int?> Count(string path, Func<RunConfig, int?> get, string doc, string defaultNote, params string[] otherNames) =>
        Add(new ConfigKey<int?>(path, new NullableType<int>(new IntegerType<int>(1, int.MaxValue)), get(Defaults), get, doc)
        { DefaultNote = defaultNote, OtherNames = otherNames });

    private static ConfigKey<long?> Size(string path, Func<RunConfig, long?> get, string doc) =>
        Add(new ConfigKey<long?>(path, new NullableType<long>(new SizeType()), null, get, doc));

    private static OneOrMoreType<string> Files() =>
        new(new PathType("a file"), "a file or a list of files (.jsonl .json .csv .parquet .txt), absolute or relative to the config file");
}
