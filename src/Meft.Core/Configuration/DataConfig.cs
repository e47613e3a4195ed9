namespace Meft.Core.Configuration;

/// <summary>Where rows come from and how they become tokens (the config's <c>data</c>).</summary>
public sealed record DataConfig
{
    /// <summary>Full paths of the files to train on, in order.</summary>
    public required ValueList<string> Train { get; init; }

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

    /// <summary>Whether several rows share one sequence.</summary>
    public bool Packing { get; init; }

    /// <summary>Whether each epoch visits the rows in a new seeded order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Whether a step takes rows of like length.</summary>
    public bool GroupByLength { get; init; }
}

/// <summary>Rows a step (the config's <c>batch</c>): <see cref="Size"/> · <see cref="Accumulate"/>.</summary>
public sealed record BatchConfig
{
    /// <summary>B: rows of a micro-batch.</summary>
    public int Size { get; init; } = 16;

    /// <summary>Micro-batches a step.</summary>
    public int Accumulate { get; init; } = 1;
}
