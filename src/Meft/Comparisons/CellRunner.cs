using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Results;
using Meft.Evaluation;
using Meft.Loading;
using Meft.Training.Runs;

namespace Meft.Comparisons;

/// <summary>
/// Trains what a cell says and puts the questions to it. What is there already is not done again: a finished cell is read, a run that was interrupted is
/// resumed, answers that were given stay. What is there of another cell (other data, other settings) is put aside.
/// </summary>
/// <param name="modelFact">The base model's files, in short.</param>
/// <param name="machine">What it runs on.</param>
/// <param name="version">The version of Meft.</param>
/// <param name="observer">Is told of it.</param>
internal sealed class CellRunner(string modelFact, string machine, string version, IComparisonObserver observer)
{
    private const string RowsFile = "rows-", RowsEnding = ".jsonl", BaseTitle = "the base alone";

    /// <summary>What a cell came to; null where it is not done. Of one that is done, what a process that was killed then has not removed is removed.</summary>
    public CellResult? Find(Cell cell) => Find(cell, cell.Facts(modelFact));

    /// <summary>Runs a cell, or reads what it came to.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop; all is saved.</exception>
    /// <exception cref="MeftException">Something stands in the way that is not the method's own failure.</exception>
    public CellResult Run(Cell cell, CancellationToken cancellation)
    {
        var facts = cell.Facts(modelFact);
        if (Find(cell, facts) is { } done) return done;
        Claim(cell.Title, cell.Folder, facts);
        if (CellResult.Find(cell.Folder, facts) is { } earlier) return earlier; // it had been put aside
        CellResult result;
        try
        {
            var trained = Train(cell, cancellation);
            var figures = Ask(cell.Title, cell.Folder, OptionsOf(cell.Run, trained), ModelOf(cell.Run, trained), cell.Tasks, new EvalIdentity(facts), cancellation);
            var (experts, rows) = RunCosts.ReadDead(cell.RunFolder);
            result = new CellResult(facts, RunCosts.Read(cell.RunFolder), figures, experts, rows, null, machine, version);
        }
        catch (DivergedException e)
        {
            // A rate that is too high fails every time: that is a result.
            result = new CellResult(facts, null, [], [], [], e.Problem, machine, version);
        }
        result.Write(cell.Folder);
        Tidy(cell);
        return result;
    }

    /// <summary>Puts the questions to the base alone.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop; the answers so far are saved.</exception>
    /// <exception cref="MeftException">Something stands in the way, numbers of the base's that are not finite among it.</exception>
    public CellResult RunBase(string folder, RunConfig run, IReadOnlyList<AskedTask> tasks, CancellationToken cancellation)
    {
        var facts = new Dictionary<string, string>
        {
            ["model"] = modelFact,
            ["dtype"] = ChoiceName.Of(run.DType),
            [Cell.TasksFact] = string.Join(' ', tasks.Select(task => task.Fact)),
        };
        if (run.Quantize != Quantization.None) facts["quantize"] = ChoiceName.Of(run.Quantize);
        if (CellResult.Find(folder, facts) is { } done) return done;
        Claim(BaseTitle, folder, facts);
        if (CellResult.Find(folder, facts) is { } earlier) return earlier;
        var figures = Ask(BaseTitle, folder, OptionsOf(run, null), run.Model, tasks, new EvalIdentity(facts), cancellation);
        var result = new CellResult(facts, null, figures, [], [], null, machine, version);
        result.Write(folder);
        return result;
    }

    private static CellResult? Find(Cell cell, Dictionary<string, string> facts)
    {
        if (CellResult.Find(cell.Folder, facts) is not { } done) return null;
        if (Directory.Exists(Path.Combine(cell.RunFolder, RunFolder.CheckpointsName))) Tidy(cell);
        return done;
    }

    /// <summary>Makes a folder the own one of what has these facts.</summary>
    private void Claim(string title, string folder, Dictionary<string, string> facts)
    {
        try
        {
            if (CellFolder.Claim(folder, new EvalIdentity(facts)) is { } aside)
                observer.Remarked($"{title}: what is there was made with other data or settings; it lies in {Path.GetFileName(aside)} now");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the folder of a run cannot be made: {e.Message}", folder, null, "change output or its permissions", e);
        }
    }

    /// <summary>The folder of what was trained.</summary>
    private string Train(Cell cell, CancellationToken cancellation)
    {
        var folder = RunFolder.ResultFolderOf(cell.RunFolder, cell.Run.Method.Kind);
        if (RunFolder.ResultOf(cell.RunFolder) is { Interrupted: false } && Directory.Exists(folder)) return folder;
        var existing = File.Exists(Path.Combine(cell.RunFolder, RunFolder.ConfigFileName)) ? ExistingRun.Resume : ExistingRun.Refuse;
        if (existing == ExistingRun.Refuse && Directory.Exists(cell.RunFolder)) Directory.Delete(cell.RunFolder, recursive: true);
        var told = observer.Training(cell.Title);
        using var run = TrainingRun.Prepare(cell.Run, existing, progress: observer.Loading(cell.Title), cancellation: cancellation);
        run.SkipLastCheckpoint();
        var result = run.Run(told, cancellation);
        if (result.Interrupted) throw new OperationCanceledException(cancellation);
        return result.ResultFolder!;
    }

    private List<FigureNumbers> Ask(
        string title, string folder, ModelLoadOptions options, string modelPath, IReadOnlyList<AskedTask> tasks, EvalIdentity identity, CancellationToken cancellation)
    {
        using var model = LoadedModel.Load(modelPath, options with { Progress = observer.Loading(title) }, cancellation);
        var figures = new List<FigureNumbers>();
        foreach (var (index, task) in tasks.Index())
        {
            var progress = observer.Evaluating($"{title}: {task.Source.Task.Name}");
            var items = task.Items(model);
            using var file = EvalRowsFile.Open(Path.Combine(folder, $"{RowsFile}{index + 1}{RowsEnding}"), identity);
            var rows = new TaskEvaluation(model) { BatchSize = task.Source.Batch }.Run(items, file, done => progress(done, items.Count), cancellation);
            figures.AddRange(task.Numbers(rows));
        }
        return figures;
    }

    private static string ModelOf(RunConfig run, string trained) => run.Method.Kind == MethodKind.Full ? trained : run.Model;

    private static ModelLoadOptions OptionsOf(RunConfig run, string? trained) => new()
    {
        Device = run.Device,
        DType = run.DType,
        Quantize = run.Quantize,
        Base = run.Base,
        Adapter = run.Method.Kind == MethodKind.Full ? null : trained,
    };

    /// <summary>Removes what is large and has done its service: the adapter unless it is to stay, and checkpoints, last: while they are there, this was not done.</summary>
    private static void Tidy(Cell cell)
    {
        string[] large = cell.KeepsAdapter ? [RunFolder.CheckpointsName] : [.. RunFolder.ResultNames, RunFolder.CheckpointsName];
        foreach (var folder in large.Select(name => Path.Combine(cell.RunFolder, name)).Where(Directory.Exists)) Directory.Delete(folder, recursive: true);
    }
}
