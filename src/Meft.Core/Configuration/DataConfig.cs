namespace Meft.Core.Configuration;

/// <summary>Where rows come from and how they become tokens (the config's <c>data</c>).</summary>
public sealed record DataConfig
{
    /// <summary>Full paths of the files to train on, in order.</summary>
    public required ValueList<string> Train { get; init; }

    /// <summary>How often an epoch takes the rows of each file of <see cref="Train"/>; empty where each is taken once.</summary>
    public ValueList<double> TrainWeights { get; init; } = [];

    /// <summary>Full paths of the files to measure the loss on; empty for none.</summary>
    public ValueList<string> Validation { get; init; } = [];

    /// <summary>The rows' form.</summary>
    public RowFormat Format { get; init; } = RowFormat.Auto;

    /// <summary>The most tokens a row may have.</summary>
    public int MaxLength { get; init; } = 512;

    /// <summary>What happens to longer rows.</summary>
    public OverLength OverLength { get; init; } = OverLength.Error;

    /// <summary>What happens to rows that cannot be used.</summary>
    public BadRows BadRows { get; init; } = BadRows.Error;

    /// <summary>Whether the prompt's tokens are trained too.</summary>
    public bool TrainOnPrompt { get; init; }

    /// <summary>Whether whole rows are packed into bins of at most <see cref="MaxLength"/> tokens, each of them one row of a batch.</summary>
    public bool Packing { get; init; }

    /// <summary>Whether each epoch visits the rows in a new seeded order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Whether a step takes rows of like length.</summary>
    public bool GroupByLength { get; init; }

    /// <summary>The weights of the files of <see cref="Train"/> by file; empty where there are none.</summary>
    /// <exception cref="ArgumentException">There are weights, and not one for each file.</exception>
    public IReadOnlyDictionary<string, double> WeightsByFile()
    {
        if (TrainWeights.Count == 0) return new Dictionary<string, double>();
        if (TrainWeights.Count != Train.Count) throw new ArgumentException($"{Train.Count} files have {TrainWeights.Count} weights");
        return Train.Zip(TrainWeights).ToDictionary(pair => pair.First, pair => pair.Second);
    }
}

/// <summary>Rows a step (the config's <c>batch</c>): <see cref="Size"/> · <see cref="Accumulate"/>.</summary>
public sealed record BatchConfig
{
    /// <summary>B: rows of a micro-batch.</summary>
    public int Size { get; init; } = 16;

    /// <summary>Micro-batches a step.</summary>
    public int Accumulate { get; init; } = 1;
}
