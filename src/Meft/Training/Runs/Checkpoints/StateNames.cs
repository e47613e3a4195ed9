namespace Meft.Training.Runs.Checkpoints;

/// <summary>Names of a checkpoint's tensors: a parameter has its own name, what belongs to it that name behind a prefix.</summary>
internal static class StateNames
{
    /// <summary>The file of the tensors.</summary>
    public const string FileName = "state.safetensors";

    /// <summary>Adam's first moments of a parameter, as torch names them.</summary>
    public static string FirstMoments(string parameter) => "exp_avg." + parameter;

    /// <summary>Adam's second moments of a parameter.</summary>
    public static string SecondMoments(string parameter) => "exp_avg_sq." + parameter;

    /// <summary>In an incremental checkpoint: the numbers of the rows that the three tensors of a parameter hold.</summary>
    public static string Rows(string parameter) => "rows." + parameter;
}
