namespace Meft.Training.Runs;

/// <summary>What to do with an output folder that is there already.</summary>
public enum ExistingRun
{
    /// <summary>Refuse: a run is never overwritten by accident.</summary>
    Refuse,

    /// <summary>Go on from its newest complete checkpoint.</summary>
    Resume,

    /// <summary>Remove it and start anew.</summary>
    Overwrite,
}
