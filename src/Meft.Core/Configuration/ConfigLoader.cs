namespace Meft.Core.Configuration;

/// <summary>Makes a <see cref="RunConfig"/> from a file and overrides, and collects every error on the way.</summary>
internal static class ConfigLoader
{
    /// <summary>Reads, overrides, checks.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="sets">Overrides <c>key=value</c>.</param>
    /// <param name="furtherRules">Rules beyond the contradictions.</param>
    /// <exception cref="ConfigException">All errors together.</exception>
    public static RunConfig Load(string path, IEnumerable<string> sets, IReadOnlyList<ConfigRule> furtherRules)
    {
        var settings = new ConfigSettings(path, Path.GetDirectoryName(Path.GetFullPath(path))!);
        settings.Add(ConfigFile.Read(path), replace: false);
        foreach (var (set, index) in sets.Select((s, i) => (s, i)))
        {
            if (ConfigFile.ReadOverride(set, index, "method.rank=8192", settings.Refuse) is { } node) settings.Add(node, replace: true);
        }
        var config = Complete(settings, furtherRules);
        return settings.Errors.Count == 0 ? config : throw new ConfigException(path, settings.Errors);
    }

    /// <summary>Makes a run of settings. Where these have errors, old ones or such as it adds, the run is one of defaults in their place.</summary>
    /// <param name="settings">All keys that are given.</param>
    /// <param name="furtherRules">Rules beyond the contradictions.</param>
    public static RunConfig Complete(ConfigSettings settings, IReadOnlyList<ConfigRule> furtherRules)
    {
        settings.ReadValues();
        var config = Build(settings);
        settings.Check(config, ConfigContradictions.Rules);
        settings.CheckApplicable(config);
        settings.Check(config, furtherRules);
        return config;
    }

    private static RunConfig Build(ConfigSettings s) => new()
    {
        Model = s.Get(ConfigSchema.Model),
        Output = s.Get(ConfigSchema.Output),
        Seed = s.Get(ConfigSchema.Seed),
        Device = s.Get(ConfigSchema.Device),
        DType = s.Get(ConfigSchema.DType),
        Quantize = s.Get(ConfigSchema.Quantize),
        Base = s.Get(ConfigSchema.Base),
        Method = BuildMethod(s),
        Optimizer = BuildOptimizer(s),
        Schedule = new ScheduleConfig { Kind = s.Get(ConfigSchema.Schedule), Warmup = s.Get(ConfigSchema.Warmup) },
        Data = new DataConfig
        {
            Train = [.. s.Get(ConfigSchema.Train).Select(f => f.File)],
            TrainWeights = WeightedFile.WeightsOf(s.Get(ConfigSchema.Train)),
            Validation = s.Get(ConfigSchema.Validation),
            Format = s.Get(ConfigSchema.Format),
            MaxLength = s.Get(ConfigSchema.MaxLength),
            OverLength = s.Get(ConfigSchema.OverLength),
            BadRows = s.Get(ConfigSchema.BadRows),
            TrainOnPrompt = s.Get(ConfigSchema.TrainOnPrompt),
            Packing = s.Get(ConfigSchema.Packing),
            Shuffle = s.Get(ConfigSchema.Shuffle),
            GroupByLength = s.Get(ConfigSchema.GroupByLength),
        },
        Batch = new BatchConfig { Size = s.Get(ConfigSchema.BatchSize), Accumulate = s.Get(ConfigSchema.Accumulate) },
        Epochs = s.IsGiven(ConfigSchema.MaxSteps) && !s.IsGiven(ConfigSchema.Epochs) ? null : s.Get(ConfigSchema.Epochs),
        MaxSteps = s.Get(ConfigSchema.MaxSteps),
        Evaluate = new EvaluateConfig
        {
            Every = s.Get(ConfigSchema.EvaluateEvery),
            Patience = s.Get(ConfigSchema.Patience),
            MinDelta = s.Get(ConfigSchema.MinDelta),
            KeepBest = s.Get(ConfigSchema.KeepBest),
            Samples = s.Get(ConfigSchema.Samples),
            Prompts = s.Get(ConfigSchema.Prompts),
            MaxNewTokens = s.Get(ConfigSchema.MaxNewTokens),
        },
        Checkpoint = new CheckpointConfig
        {
            Every = s.Get(ConfigSchema.CheckpointEvery),
            Keep = s.Get(ConfigSchema.CheckpointKeep),
            Incremental = s.Get(ConfigSchema.CheckpointIncremental),
        },
        Budget = new BudgetConfig { DeviceBytes = s.Get(ConfigSchema.DeviceBudget), HostBytes = s.Get(ConfigSchema.HostBudget) },
        Recompute = s.Get(ConfigSchema.Recompute),
        CheckWorstBatch = s.Get(ConfigSchema.CheckWorstBatch),
    };

    private static OptimizerConfig BuildOptimizer(ConfigSettings s)
    {
        var usual = OptimizerConfig.For(s.Get(ConfigSchema.Kind));
        return new OptimizerConfig
        {
            Rows = s.Get(ConfigSchema.UpdatedRows),
            LearningRate = s.IsGiven(ConfigSchema.LearningRate) ? s.Get(ConfigSchema.LearningRate) : usual.LearningRate,
            Betas = s.IsGiven(ConfigSchema.Betas) ? s.Get(ConfigSchema.Betas) : usual.Betas,
            Eps = s.Get(ConfigSchema.Eps),
            WeightDecay = s.Get(ConfigSchema.WeightDecay),
            MaxGradNorm = s.Get(ConfigSchema.MaxGradNorm),
        };
    }

    /// <summary>Resolves what depends on the kind: the dense parallel adapter has no router and no limit k (method.md §1).</summary>
    private static MethodConfig BuildMethod(ConfigSettings s)
    {
        var kind = s.Get(ConfigSchema.Kind);
        var rank = kind == MethodKind.Lora && !s.IsGiven(ConfigSchema.Rank) ? MethodConfig.DefaultLoraRank : s.Get(ConfigSchema.Rank);
        var experts = kind == MethodKind.Meft ? s.Get(ConfigSchema.Experts) ?? MethodConfig.AutoExperts(rank) : 0;
        var probe = s.IsGiven(ConfigSchema.Probe) ? s.Get(ConfigSchema.Probe) : Math.Min(MethodConfig.DefaultProbe, experts);
        return new MethodConfig
        {
            Kind = kind,
            RequestedRank = rank,
            TopK = kind == MethodKind.Meft ? s.Get(ConfigSchema.TopK) : 0,
            Experts = experts,
            Probe = experts == 0 ? 0 : probe,
            Gate = experts == 0 ? GateKind.Linear : s.Get(ConfigSchema.Gate),
            Layers = s.IsGiven(ConfigSchema.Layers) ? s.Get(ConfigSchema.Layers) : MethodConfig.DefaultLayers(kind),
            Init = s.Get(ConfigSchema.Init),
            Execution = s.Get(ConfigSchema.Execution),
            Alpha = s.Get(ConfigSchema.Alpha),
            Targets = s.Get(ConfigSchema.Targets),
            Dropout = s.Get(ConfigSchema.Dropout),
            Rslora = s.Get(ConfigSchema.Rslora),
            RankPattern = s.Get(ConfigSchema.RankPattern),
            AlphaPattern = s.Get(ConfigSchema.AlphaPattern),
        };
    }
}
