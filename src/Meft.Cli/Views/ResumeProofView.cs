using Meft.Training.Runs;

namespace Meft.Cli.Views;

/// <summary>What a proof found, on standard output.</summary>
internal static class ResumeProofView
{
    /// <summary>Writes a few plain lines.</summary>
    public static void Write(TextWriter results, ResumeProof proof)
    {
        var (straight, resumed) = proof.Kind == ProofKind.Checkpoints
            ? ($"saved by the run after step {proof.ToStep}", $"resumed from step {proof.ResumedAfter}, after step {proof.ToStep}")
            : ($"at one go, after step {proof.ToStep}", $"stopped and resumed after step {proof.ResumedAfter}, after step {proof.ToStep}");
        var width = Math.Max(straight.Length, resumed.Length);
        foreach (var remark in proof.Remarks) results.WriteLine($"note: {remark}");
        results.WriteLine($"{straight.PadRight(width)}  {proof.StraightHash}");
        results.WriteLine($"{resumed.PadRight(width)}  {proof.ResumedHash}");
        results.WriteLine(proof.Difference is { } difference
            ? $"DIFFERENT: the first bits that differ are in {difference} ({proof.Threads} threads)"
            : $"the same bits: weights and moments, {proof.ToStep - proof.FromStep:N0} steps, {proof.Threads} threads");
    }
}
