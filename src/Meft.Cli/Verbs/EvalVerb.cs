using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Tasks;
using Meft.Evaluation;
using Meft.Loading;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft eval</c>: how well a model does a task.</summary>
internal sealed class EvalVerb : IVerb
{
    private readonly Argument<string> _task = new("TASK")
    { Description = $"A task by name ({string.Join(", ", ShippedTasks.Names)}) or the path of a task file (docs/eval.md)." };
    private readonly ModelOptions _model = new();
    private readonly Option<string?> _data = new("--data")
    { HelpName = "F", Description = "The data: .jsonl, .json or .txt, or a folder of such files [what the task file names]." };
    private readonly Option<string?> _output = new("--output")
    { HelpName = "ROWS", Description = "Write each question's row here, a JSON object a line; the same command goes on where it was interrupted." };
    private readonly Option<int?> _limit = new("--limit") { HelpName = "N", Description = "Ask only the first N records; of texts, score only the first N windows [all]." };
    private readonly Option<long> _seed = new("--seed")
    { HelpName = "S", DefaultValueFactory = _ => 0, Description = "The seed of the confidence intervals' resampling [0]." };
    private readonly Option<int> _batch = new("--batch")
    { HelpName = "N", DefaultValueFactory = _ => 16, Description = "Prompts that are continued together [16]." };
    private readonly Option<bool> _json = new("--json") { Description = "Write the result as one JSON document." };

    public EvalVerb()
    {
        Command = new Command("eval", "Judge a model on a task: answers, facts, choices, calls of tools, perplexity.") { _task };
        _model.AddTo(Command);
        foreach (var option in new Option[] { _data, _output, _limit, _seed, _batch, _json }) Command.Options.Add(option);
    }

    /// <inheritdoc/>
    public Job Job => Job.Use;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft eval nq_open --model models/smollm2 --adapter runs/facts/adapter --data NQ-open.dev.jsonl --output rows.jsonl";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var (limit, batch, output) = (arguments.GetValue(_limit), arguments.GetValue(_batch), arguments.GetValue(_output));
        if (limit < 1) throw new InvalidInputException($"--limit is {limit}", null, "a whole number from 1");
        if (batch < 1) throw new InvalidInputException($"--batch is {batch}", null, "a whole number from 1");
        var task = EvalTask.Load(arguments.GetRequiredValue(_task));
        var data = arguments.GetValue(_data) ?? task.DataPath ?? throw new InvalidInputException(
            $"the task {task.Name} names no data", "meft eval", "--data with a file or a folder, or data.path in the task file");
        foreach (var file in EvalQuestions.FilesOf(data)) ResultLines.RefuseInput(output, file, "--data");
        var questions = EvalQuestions.Read(task, data, limit);

        using var model = _model.Load(arguments, context);
        var items = EvalItems.Encode(questions, model.Tokenizer, model.Limits, task.Limited(limit).Windows);
        using var rows = output is null ? null : EvalRowsFile.Open(output, Identity(arguments, task, data, model, limit, batch));
        var answered = Answer(new TaskEvaluation(model) { BatchSize = batch }, items, rows, context);
        var summary = EvalSummary.Of(task, items, answered.Values, arguments.GetValue(_seed));
        var report = new EvalReport(task, summary, arguments.GetRequiredValue(_model.Model), _model.AdapterOf(arguments), data, arguments.GetValue(_seed));
        if (arguments.GetValue(_json)) context.Results.WriteLine(report.ToJson());
        else report.WriteText(context.Results);
        return 0;
    }

    private static IReadOnlyDictionary<int, EvalRow> Answer(
        TaskEvaluation evaluation, IReadOnlyList<EvalItem> items, EvalRowsFile? file, VerbContext context)
    {
        var found = file?.Rows.Count ?? 0;
        if (found > 0) context.Status.WriteLine($"{found:N0} of {items.Count:N0} rows are there already");
        var clock = Stopwatch.StartNew();
        var rows = WorkProgress.Run(context.Status, "answering", progress =>
            evaluation.Run(items, file, done => progress(done, items.Count), context.Cancellation));
        context.Status.WriteLine($"{rows.Count - found:N0} rows in {clock.Elapsed.TotalSeconds:0.0} s");
        return rows;
    }

    private EvalIdentity Identity(ParseResult arguments, EvalTask task, string data, LoadedModel model, int? limit, int batch) => EvalFingerprint.Of(
        task, EvalQuestions.FilesOf(data), model.Location, _model.AdapterOf(arguments), new Dictionary<string, string>
        {
            ["meft"] = MeftProgram.Version,
            ["dtype"] = arguments.GetRequiredValue(_model.Type),
            ["device"] = model.Decoder.Device.type == TorchSharp.DeviceType.CPU ? "cpu" : "cuda",
            ["quantize"] = ChoiceName.Of(_model.QuantizeOf(arguments)),
            ["limit"] = limit?.ToString(CultureInfo.InvariantCulture) ?? "none",
            ["batch"] = batch.ToString(CultureInfo.InvariantCulture),
        });
}
