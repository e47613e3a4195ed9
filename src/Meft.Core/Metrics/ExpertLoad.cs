namespace Meft.Core.Metrics;

/// <summary>
/// How a sparse adapter was used over a window of steps: one line of <c>experts.jsonl</c>. A window begins where the one before ended and ends with an
/// evaluation, a checkpoint or the run, so that the lines of a run add up to the whole of it, resumed or not. Counted are training's own passes, not
/// evaluations.
/// </summary>
/// <param name="Step">The window's last step.</param>
/// <param name="FromStep">Its first step.</param>
/// <param name="Tokens">Tokens that passed through each layer.</param>
/// <param name="Layers">Each adapted layer, ascending.</param>
public sealed record ExpertLoad(int Step, int FromStep, long Tokens, IReadOnlyList<LayerLoad> Layers)
{
    /// <summary>The share of all experts that no token probed; NaN without a router.</summary>
    public double DeadExperts => Layers.Sum(l => l.ExpertTokens.Count) is var experts and > 0 ? (double)Layers.Sum(l => l.DeadExperts) / experts : double.NaN;

    /// <summary>The share of all neurons that have not been active since the run began; NaN without layers.</summary>
    public double DeadRows => Layers.Sum(l => (long)l.Rank) is var rows and > 0 ? (double)Layers.Sum(l => (long)l.DeadRows) / rows : double.NaN;
}

/// <summary>How one layer was used over a window.</summary>
/// <param name="Layer">Its absolute index.</param>
/// <param name="Rank">R: its neurons.</param>
/// <param name="ExpertTokens">[N]: how many tokens probed each expert; empty without a router.</param>
/// <param name="ActiveRows">Share of R that was active in a micro-batch, mean over the window's; NaN where there was none.</param>
/// <param name="UsedRows">Neurons that were active at least once in the window.</param>
/// <param name="DeadRows">Neurons that no token of any step since the run began has selected, whether the run was resumed or not.</param>
public sealed record LayerLoad(int Layer, int Rank, IReadOnlyList<long> ExpertTokens, double ActiveRows, int UsedRows, int DeadRows)
{
    /// <summary>Experts that no token probed in the window.</summary>
    public int DeadExperts => ExpertTokens.Count(tokens => tokens == 0);
}
