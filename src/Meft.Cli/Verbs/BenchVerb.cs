using System.CommandLine;
using Meft.Benchmarking;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.Loading;
using Meft.Native;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft bench</c>: how fast this machine is at what the product does.</summary>
internal sealed class BenchVerb : IVerb
{
    private const string Kernels = "kernels", Optimizer = "optimizer", Step = "step", Generate = "generate", Loading = "load";
    private static readonly string[] Subjects = [Kernels, Optimizer, Step, Generate, Loading];

    private readonly Argument<string> _subject = new("WHAT") { Description = string.Join(" | ", Subjects) };
    private readonly BenchOptions _options = new();
    private readonly Option<string?> _output = new("--output") { HelpName = "FILE", Description = "Write the JSON document here as well." };
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document instead of tables." };

    public BenchVerb()
    {
        Command = new Command("bench", "Measure kernels, optimizer, training steps, generation and loading on this machine, beside what they are judged against.")
        {
            _subject,
        };
        _options.AddTo(Command);
        Command.Options.Add(_output);
        Command.Options.Add(_json);
    }

    /// <inheritdoc/>
    public Job Job => Job.Machine;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft bench step --model models/smollm2 --rows rows.jsonl --layers last:15 --ranks 4096,65536";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var subject = arguments.GetRequiredValue(_subject);
        if (!Subjects.Contains(subject)) throw new InvalidInputException($"WHAT is '{subject}'", "meft bench", string.Join(" | ", Subjects));
        var settings = _options.Read(arguments, subject);
        // A measurement takes minutes: that its place cannot be written is known before.
        if (arguments.GetValue(_output) is { } file && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
            throw new InvalidInputException($"the folder of --output {file} is not there", "meft bench", "a file in a folder that exists");
        ComputeThreads.Use();
        void Progress(string what) => context.Status.WriteLine($"bench {subject}: {what}");
        Action<string> status = Progress;
        var stop = context.Cancellation;
        switch (subject)
        {
            case Kernels:
                Report(arguments, context, KernelBenchmark.Run(settings.ToKernels(), status, stop), (view, result) => view.Write(result));
                break;
            case Optimizer:
                Report(arguments, context, OptimizerBenchmark.Run(settings.ToOptimizer(), status, stop), (view, result) => view.Write(result));
                break;
            case Step:
                RunSteps(settings, Required("--rows", settings.Rows, subject), arguments, context, status);
                break;
            case Loading:
                Report(arguments, context, LoadBenchmark.Run(Required("--model", settings.Model, subject), settings.ToLoad(), status, stop), (view, result) => view.Write(result));
                break;
            default:
                using (var model = Load(settings, subject, settings.Quantize[0], BasePlacement.Resident, context))
                    Report(arguments, context, GenerationBenchmark.Run(model, settings.ToGeneration(), status, stop), (view, result) => view.Write(result));
                break;
        }
        return 0;
    }

    private void RunSteps(BenchSettings settings, string path, ParseResult arguments, VerbContext context, Action<string> status)
    {
        var models = new List<LoadedModel>();
        try
        {
            foreach (var place in settings.Base)
            {
                foreach (var form in settings.Quantize) models.Add(Load(settings, Step, form, place, context));
            }
            var rows = StepRows.Read(path, models[0]);
            var result = StepBenchmark.Run(models, rows, settings.ToStep(), status, null, context.Cancellation);
            Report(arguments, context, result, (view, r) => view.Write(r));
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }
    }

    private static LoadedModel Load(BenchSettings settings, string subject, Quantization form, BasePlacement place, VerbContext context)
    {
        var path = Required("--model", settings.Model, subject);
        return LoadingView.Run(context.Status, progress => LoadedModel.Load(
            path, new ModelLoadOptions { Device = settings.Device, DType = settings.DType, Quantize = form, Base = place, Progress = progress }, context.Cancellation));
    }

    private static string Required(string option, string? value, string subject) =>
        value ?? throw new InvalidInputException($"{option} is required", $"meft bench {subject}", null, "`meft bench --help` lists what is allowed");

    private void Report<T>(ParseResult arguments, VerbContext context, T result, Action<BenchView, T> write)
    {
        var command = "meft " + string.Join(' ', arguments.Tokens.Select(t => t.Value.Contains(' ') ? $"'{t.Value}'" : t.Value));
        var machine = BenchmarkMachine.Read();
        var document = JsonText.Document(new Document<T>(command, machine, result));
        if (arguments.GetValue(_json))
        {
            context.Results.WriteLine(document);
        }
        else
        {
            var view = new BenchView(context.Results);
            view.WriteHead(command, machine);
            write(view, result);
        }
        if (arguments.GetValue(_output) is { } file) AtomicFile.WriteAllText(file, document + "\n");
    }

    /// <summary>A measurement with all that must be known to repeat it.</summary>
    private sealed record Document<T>(string Command, BenchmarkMachine Machine, T Result);
}
