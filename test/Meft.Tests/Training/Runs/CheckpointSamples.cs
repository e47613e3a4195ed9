using Meft.Core.Configuration;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Meft.Training.Runs.Checkpoints;

namespace Meft.Tests.Training.Runs;

/// <summary>Methods whose rows change without a model, and folders to save them into.</summary>
internal static class CheckpointSamples
{
    public static CheckpointFolder NewFolder(
        TemporaryFolder folder, int keep = 2, IncrementalCheckpoints incremental = IncrementalCheckpoints.Auto, ICheckpointDisk? disk = null) =>
        new(folder.File("checkpoints"), keep, incremental, disk ?? new CheckpointDisk());

    public static CheckpointOwner Owner { get; } = new("meft", 64, [1, 2], "models/tiny", "aa11", 0);

    /// <summary>Changes rows of every layer, and the gate, as a step would.</summary>
    public static void Touch(SparseAdapterMethod method, float amount, params int[] rows)
    {
        foreach (var (_, store) in method.Sparse.Stores)
        {
            store.Changed.Add(rows);
            foreach (var matrix in new[] { store.Keys, store.Values }.SelectMany(p => new[] { p.Weights, p.FirstMoments, p.SecondMoments }))
            {
                foreach (var row in rows) matrix.Row(row)[row % matrix.Dimension] += amount;
            }
            store.Gate.Weights.Row(0)[0] += amount;
            store.Gate.FirstMoments.Row(1)[2] -= amount;
        }
    }

    public static float[] Loaded(CheckpointFolder folder, int step)
    {
        using var method = TinyTask.NewMethod();
        folder.Load(step, method);
        return TinyTask.Bits(method);
    }

    public static TrainingProgress Measured(int step, double loss) => TrainingProgress.None.Measured(step, loss);

    public static bool IsFull(CheckpointFolder folder, TemporaryFolder root, int step) =>
        CheckpointManifest.Read(root.File($"checkpoints/step-{step:D6}")) is { Kind: CheckpointKind.Full } && folder.Steps.Contains(step);
}
