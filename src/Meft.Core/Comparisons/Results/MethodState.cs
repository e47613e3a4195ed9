namespace Meft.Core.Comparisons.Results;

/// <summary>How a method stands.</summary>
public enum MethodState
{
    /// <summary>It has figures, of all seeds or of some.</summary>
    Measured,

    /// <summary>It has no figures yet.</summary>
    Waiting,

    /// <summary>It does not fit the memory there is, and was not tried.</summary>
    DoesNotFit,

    /// <summary>Training failed before there was a figure.</summary>
    Failed,
}
