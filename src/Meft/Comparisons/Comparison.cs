using System.Globalization;
using Meft.Benchmarking;
using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Storage;
using Meft.Evaluation;
using Meft.Reporting.Comparisons;
using Meft.Training.Runs;

namespace Meft.Comparisons;

/// <summary>
/// Methods side by side: every one is planned against the budget, its rate is chosen on a held-out split, it is trained with the same rows in the same
/// order, and judged by the same questions as the base. Whatever is done is done once: after an interruption <see cref="Run"/> goes on where it was.
/// </summary>
public sealed class Comparison : IDisposable
{
    /// <summary>The result's files.</summary>
    public const string ResultFile = "compare.json", ReportFile = "report.html", TableFile = "table.md", ConfigFile = "compare.yaml";

    private readonly ComparisonConfig _config;
    private readonly string _configText;
    private readonly RunLock? _lock;
    private readonly TemporaryRows? _planned;
    private readonly IReadOnlyList<AskedTask> _tasks;
    private readonly AskedTask? _gridTask;
    private readonly IReadOnlyList<string>? _rows, _gridRows;
    private readonly IReadOnlyList<PlannedMethod> _methods;
    private readonly IComparisonObserver _observer;
    private readonly CellRunner _runner;
    private readonly ComparisonRecord _record;

    /// <param name="config">The comparison.</param>
    /// <param name="observer">Is told of it.</param>
    /// <param name="held">The output folder's lock; null to plan and leave nothing behind.</param>
    private Comparison(ComparisonConfig config, IComparisonObserver observer, RunLock? held)
    {
        (_config, _observer, _lock) = (config, observer, held);
        _configText = string.Concat(config.Overrides.Select(set => $"# --set {set.ReplaceLineEndings(" ")}\n")) + File.ReadAllText(config.Path);
        _tasks = [.. config.Tasks.Select(AskedTask.Read)];
        _gridTask = config.Grid is null ? null : AskedTask.Read(config.Grid.Task);
        _planned = held is null ? new TemporaryRows() : null;
        try
        {
            _rows = RowsOf(config.Train, "train");
            _gridRows = config.Grid?.Train is { } source ? RowsOf(source, "grid") : _rows;
            _methods = [.. config.Methods.Select(method => PlannedMethod.Of(method, _rows))];
        }
        catch
        {
            _planned?.Dispose();
            throw;
        }
        var model = ModelLocation.Find(config.Methods[0].Run.Model);
        var machine = BenchmarkMachine.Read();
        _record = new ComparisonRecord(config, [.. _tasks.SelectMany(task => task.Figures())], _methods, machine);
        _runner = new CellRunner(held is null ? "" : EvalFingerprint.OfModel(model), _record.Machine, machine.Meft, observer);
    }

    /// <summary>Reads and checks all that a comparison needs, makes its rows, and plans every method; trains nothing.</summary>
    /// <param name="config">The comparison.</param>
    /// <param name="observer">Is told of it.</param>
    /// <exception cref="InvalidInputException">A record, the model, a method is wrong; or the output folder is another's, or another process is at work in it.</exception>
    /// <exception cref="RunFailedException">The output folder cannot be written.</exception>
    public static Comparison Prepare(ComparisonConfig config, IComparisonObserver observer)
    {
        FairMethods.Require(config);
        ComparisonPlace.Require(config);
        var isNew = !Directory.Exists(config.Output);
        var held = RunLock.Take(config.Output);
        try
        {
            var comparison = new Comparison(config, observer, held);
            observer.Planned(comparison._record.Result());
            return comparison;
        }
        catch
        {
            held.Dispose();
            if (isNew) RemoveBeginning(config.Output);
            throw;
        }
    }

    /// <summary>Checks and plans as <see cref="Prepare"/> does, and leaves nothing behind. What has been done already is not looked at.</summary>
    /// <exception cref="InvalidInputException">As there.</exception>
    public static ComparisonResult Plan(ComparisonConfig config, IComparisonObserver observer)
    {
        FairMethods.Require(config);
        ComparisonPlace.Require(config);
        using var comparison = new Comparison(config, observer, held: null);
        var plan = comparison._record.Result();
        observer.Planned(plan);
        return plan;
    }

    /// <summary>What it has come to so far.</summary>
    public ComparisonResult Result => _record.Result();

    /// <summary>Does what is left to do.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop; all that was done is saved.</exception>
    /// <exception cref="MeftException">Something stands in the way that is no method's own failure.</exception>
    public ComparisonResult Run(CancellationToken cancellation = default)
    {
        if (_lock is null) throw new InvalidOperationException("the comparison was planned alone");
        WriteConfig();
        // The mark by which the folder is known; what is there already stays until there is news.
        if (!File.Exists(Path.Combine(_config.Output, ResultFile))) Save(_record.Result());
        _record.Before = _runner.RunBase(Path.Combine(_config.Output, ComparisonPlace.Before), _config.Methods[0].Run, _tasks, cancellation);
        foreach (var method in _methods) TakeUp(method);
        if (_methods.Sum(method => method.Seeds.Count) is > 0 and var before) _observer.Remarked(string.Create(CultureInfo.InvariantCulture, $"{before} runs were done before"));
        Tell(new ComparisonStep("the base alone", null));
        foreach (var method in _methods.Where(method => method is { Rate: null, Failure: null }))
            method.Rate = RateOf(method, cell => Attempt(method, cell, cancellation), Tell);
        foreach (var (index, seed) in _config.Seeds.Index())
        {
            foreach (var method in _methods.Where(method => method.Failure is null && method.Seeds.Count <= index))
            {
                var cell = Cell.OfSeed(_config, method.Method, seed, method.Rate!.Value, _rows, _tasks);
                if (Attempt(method, cell, cancellation) is { } result) method.Seeds.Add(result);
                else if (method.IsLeftOut) continue;
                Tell(new ComparisonStep(cell.Title, method.Method.Name));
            }
        }
        _record.IsComplete = true;
        var complete = _record.Result();
        Save(complete);
        return complete;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _planned?.Dispose();
        _lock?.Dispose();
    }

    /// <summary>
    /// Takes what earlier runs of the comparison have left of a method: its rate where the grid has come to one, and its seeds up to the first that is missing. So
    /// what was shown before is shown while something else is done.
    /// </summary>
    private void TakeUp(PlannedMethod method)
    {
        method.Rate = RateOf(method, _runner.Find, _ => { });
        if (method.Rate is not { } rate) return;
        foreach (var seed in _config.Seeds)
        {
            if (_runner.Find(Cell.OfSeed(_config, method.Method, seed, rate, _rows, _tasks)) is not { Failure: null } done) break;
            method.Seeds.Add(done);
        }
    }

    /// <summary>The rate of a method: the config's, or the one that the grid chooses; null where every rate of the grid failed, or a run of it is not to be had.</summary>
    /// <param name="method">The method.</param>
    /// <param name="run">Gives what a run came to; null where there is nothing.</param>
    /// <param name="tell">Is told of every rate.</param>
    private double? RateOf(PlannedMethod method, Func<Cell, CellResult?> run, Action<ComparisonStep> tell)
    {
        if (_config.Grid is not { } grid || method.Method.LearningRates.Count == 0) return method.Method.Run.Optimizer.LearningRate;
        var (figure, rates) = (_gridTask!.Mean(), new JudgedRates(method.Method.LearningRates, grid.Extend, _gridTask.Source.Metrics[0].Metric));
        method.Grid.Clear();
        while (rates.Next() is { } rate)
        {
            var (title, results) = ("", new List<CellResult?>());
            foreach (var cell in Cell.OfRate(_config, method.Method, rate, _gridRows, _gridTask))
            {
                title = cell.Title;
                results.Add(run(cell));
                if (results[^1] is not { Failure: null }) break; // a rate that fails once is none to take
            }
            if (results[^1] is null && method.Failure is null || method.IsLeftOut) return null;
            var failure = results[^1]?.Failure ?? (results[^1] is null ? method.Failure : null);
            var point = new GridPoint(rate, rates.Add(rate, failure is null ? [.. results.SelectMany(result => result!.Figures)] : null), failure);
            method.Grid.Add(point);
            tell(new ComparisonStep(title, method.Method.Name, point, figure));
            if (method.Failure is not null) return null;
        }
        method.IsRateAtEdge = rates.IsAtEdge;
        if (rates.Chosen is null) method.Failure = "every rate that was tried ended in numbers that are not finite";
        return rates.Chosen;
    }

    /// <summary>Runs a cell; what fails for the method's own reasons, such as memory, is the method's failure and no end of the comparison.</summary>
    private CellResult? Attempt(PlannedMethod method, Cell cell, CancellationToken cancellation)
    {
        // What is done stays done where it was, whatever fits here and now.
        if (method.DoesNotFit is { } tooLarge && _runner.Find(cell) is null)
        {
            method.LeaveOut(tooLarge);
            return null;
        }
        try
        {
            var result = _runner.Run(cell, cancellation);
            if (result.Failure is { } failure && cell.Tasks == _tasks) method.Failure = failure;
            return result.Failure is null || cell.Tasks != _tasks ? result : null;
        }
        catch (Exception e) when (e is Training.BatchMemoryException or Memory.DeviceBudgetException)
        {
            method.Failure = ((MeftException)e).Problem;
            return null;
        }
    }

    /// <summary>The file of rows made of a task; null where the runs name theirs.</summary>
    private string[]? RowsOf(TaskSource? source, string name)
    {
        if (source is null) return null;
        var path = Path.Combine(_planned?.Folder ?? Path.Combine(_config.Output, ComparisonPlace.Rows), string.Create(CultureInfo.InvariantCulture, $"{name}.jsonl"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        TrainingRowsOfTask.Write(source, path);
        return [path];
    }

    private void Tell(ComparisonStep step)
    {
        var result = _record.Result();
        Save(result);
        _observer.Progressed(result, step);
    }

    /// <summary>A copy of the config beside the results, unless that is where it lies.</summary>
    private void WriteConfig()
    {
        var copy = Path.Combine(_config.Output, ConfigFile);
        if (!Path.Exists(copy) || LinkTarget(copy) != LinkTarget(_config.Path)) AtomicFile.WriteAllText(copy, _configText);

        static string LinkTarget(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
    }

    /// <summary>Removes what a comparison that could not be prepared has made in a folder that was not there.</summary>
    private static void RemoveBeginning(string output)
    {
        try
        {
            if (Path.Combine(output, ComparisonPlace.Rows) is var rows && Directory.Exists(rows)) Directory.Delete(rows, recursive: true);
            Directory.Delete(output);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What stays is harmless; what went wrong is told.
        }
    }

    private void Save(ComparisonResult result)
    {
        Write(ResultFile, result.ToJson());
        Write(TableFile, ComparisonMarkdown.Text(result));
        foreach (var (file, svg) in ComparisonPicture.Files(result)) Write(file, svg);
        Write(ReportFile, ComparisonReport.Html(result, _configText));
    }

    private void Write(string name, string text) => AtomicFile.WriteAllText(Path.Combine(_config.Output, name), text);
}
