using Meft.Host;
using Meft.Kernels;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>
/// What a checkpoint is to hold. As it is made it looks at the method's own memory, so it must be written before the next step; a
/// <see cref="Copied"/> one has memory of its own.
/// </summary>
internal sealed unsafe class CheckpointContent : IDisposable
{
    private const int CopyBytes = 1 << 22, Alignment = 64;
    private readonly List<HostMatrix> _owned;

    private CheckpointContent(int step, FullCheckpoint mark, TrainingProgress? progress, IReadOnlyList<StateTensor> tensors, List<HostMatrix> owned, bool full)
    {
        (Step, Mark, Progress, Tensors, _owned, IsFull) = (step, mark, progress, tensors, owned, full);
    }

    /// <summary>After how many steps.</summary>
    public int Step { get; }

    /// <summary>The full checkpoint: this one, or the one that this one counts from.</summary>
    public FullCheckpoint Mark { get; }

    /// <summary>Whether this is the full checkpoint.</summary>
    public bool IsFull { get; }

    /// <summary>Whether it is saved only because its validation loss is the least so far: it takes the place of none that <c>keep</c> counts.</summary>
    public bool OnlyAsBest { get; init; }

    /// <summary>The loop's small state.</summary>
    public TrainingProgress? Progress { get; }

    /// <summary>The tensors.</summary>
    public IReadOnlyList<StateTensor> Tensors { get; }

    /// <summary>Bytes of the tensors.</summary>
    public long ByteCount => Tensors.Sum(t => t.ByteCount);

    /// <summary>All numbers of a method.</summary>
    public static CheckpointContent Full(int step, FullCheckpoint mark, ITrainedMethod method, TrainingProgress? progress, bool onlyAsBest) =>
        new(step, mark, progress, [.. method.Matrices.SelectMany(Whole)], [], full: true) { OnlyAsBest = onlyAsBest };

    /// <summary>The rows that have changed since a full checkpoint, and whole what does not change by rows.</summary>
    public static CheckpointContent Since(FullCheckpoint mark, int step, ITrainedMethod method, TrainingProgress? progress, bool onlyAsBest)
    {
        var tensors = new List<StateTensor>();
        var owned = new List<HostMatrix>();
        foreach (var matrix in method.Matrices)
        {
            if (matrix.Rows.Changed is not { } changed)
            {
                tensors.AddRange(Whole(matrix));
                continue;
            }
            var rows = changed.ToArray();
            var numbers = new HostMatrix(rows.Length, 1);
            owned.Add(numbers);
            rows.CopyTo(new Span<int>(numbers.Data, rows.Length));
            tensors.Add(StateTensor.Integers(StateNames.Rows(matrix.Name), numbers));
            tensors.Add(StateTensor.Chosen(matrix.Name, rows, matrix.Rows.Weights));
            tensors.Add(StateTensor.Chosen(StateNames.FirstMoments(matrix.Name), rows, matrix.Rows.FirstMoments));
            tensors.Add(StateTensor.Chosen(StateNames.SecondMoments(matrix.Name), rows, matrix.Rows.SecondMoments));
        }
        return new CheckpointContent(step, mark, progress, tensors, owned, full: false) { OnlyAsBest = onlyAsBest };
    }

    /// <summary>Bytes that <see cref="Since"/> would have now.</summary>
    public static long BytesSince(ITrainedMethod method) => method.Matrices.Sum(m => m.Rows.Changed is not { } changed
        ? m.Rows.ByteCount
        : changed.Count * (sizeof(int) + 3L * m.Rows.Weights.Dimension * sizeof(float)));

    /// <summary>The same content in memory of its own, as the numbers are now.</summary>
    /// <exception cref="Core.Errors.RunFailedException">The system has not that much memory left.</exception>
    public CheckpointContent Copied()
    {
        const int dimension = CopyBytes / sizeof(float);
        var bytes = Tensors.Sum(t => Aligned(t.ByteCount));
        var memory = new HostMatrix((int)((bytes + CopyBytes - 1) / CopyBytes), dimension);
        var tensors = new List<StateTensor>();
        var pieces = new List<(StateTensor Tensor, long Row, long Count, nint Target)>();
        var place = (nint)memory.Data;
        foreach (var tensor in Tensors)
        {
            tensors.Add(tensor.At(place));
            var rowBytes = tensor.RowCount == 0 ? 1 : tensor.ByteCount / tensor.RowCount;
            var rows = Math.Max(1, CopyBytes / rowBytes);
            for (long row = 0; row < tensor.RowCount; row += rows)
                pieces.Add((tensor, row, Math.Min(rows, tensor.RowCount - row), place + (nint)(row * rowBytes)));
            place += (nint)Aligned(tensor.ByteCount);
        }
        KernelThreads.For(pieces.Count, grain: 1, (from, to) =>
        {
            for (var i = from; i < to; i++) pieces[i].Tensor.CopyTo(pieces[i].Row, pieces[i].Count, (byte*)pieces[i].Target);
        });
        return new CheckpointContent(Step, Mark, Progress, tensors, [memory], IsFull) { OnlyAsBest = OnlyAsBest };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var matrix in _owned) matrix.Dispose();
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static StateTensor[] Whole(TrainedMatrix matrix) =>
    [
        StateTensor.Whole(matrix.Name, matrix.Shape, matrix.Rows.Weights),
        StateTensor.Whole(StateNames.FirstMoments(matrix.Name), matrix.Shape, matrix.Rows.FirstMoments),
        StateTensor.Whole(StateNames.SecondMoments(matrix.Name), matrix.Shape, matrix.Rows.SecondMoments),
    ];
}
