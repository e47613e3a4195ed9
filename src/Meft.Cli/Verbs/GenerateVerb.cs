using System.CommandLine;
using System.Diagnostics;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Generation;
using Meft.Loading;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft generate</c>: continues one prompt on the terminal, or the prompts of a file.</summary>
internal sealed class GenerateVerb : IVerb
{
    private readonly ModelOptions _model = new();
    private readonly Option<string?> _prompt = new("--prompt") { HelpName = "TEXT", Description = "The text to continue; the continuation is written as it comes." };
    private readonly Option<string?> _input = new("--input")
    { HelpName = "F", Description = "Prompts to continue (.jsonl, .json, .csv or .parquet): {\"prompt\"}, {\"messages\"}, {\"instruction\",\"input\"} or {\"input_ids\"}." };
    private readonly Option<string?> _output = new("--output") { HelpName = "G", Description = "With --input: write here instead of to standard output." };
    private readonly DecodingOptions _decoding = new();
    private readonly Option<string[]> _stop = DecodingOptions.CreateStop();
    private readonly Option<int> _batch = new("--batch")
    { HelpName = "N", DefaultValueFactory = _ => 16, Description = "Prompts of a file that are continued together [16]." };

    public GenerateVerb()
    {
        Command = new Command("generate", "Continue prompts: greedy, sampled or by beam search.");
        _model.AddTo(Command);
        foreach (var option in new Option[] { _prompt, _input, _output }) Command.Options.Add(option);
        _decoding.AddTo(Command);
        Command.Options.Add(_stop);
        Command.Options.Add(_batch);
    }

    /// <inheritdoc/>
    public Job Job => Job.Use;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft generate --model models/stories260K --prompt Once --max-new-tokens 100";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var (prompt, input, output) = (arguments.GetValue(_prompt), arguments.GetValue(_input), arguments.GetValue(_output));
        if (prompt is null == input is null)
        {
            throw new InvalidInputException(
                prompt is null ? "neither --prompt nor --input is given" : "--prompt and --input are both given", "meft generate", "one of them");
        }
        if (input is null && output is not null)
            throw new InvalidInputException("--output is given with --prompt", "meft generate", "--output with --input");
        if (input is not null) ResultLines.RefuseInput(output, input);
        var batch = arguments.GetValue(_batch);
        if (batch < 1) throw new InvalidInputException($"--batch is {batch}", null, "a whole number from 1");

        using var model = _model.Load(arguments, context);
        var options = _decoding.Read(arguments, model.Defaults);
        var continuation = new TextContinuation(model.CreateGenerator(), model.HasTokenizer ? model.Tokenizer : null)
        {
            StopStrings = arguments.GetValue(_stop) ?? [],
            BatchSize = batch,
        };
        if (prompt is not null) Stream(continuation, PromptRows.Of(prompt, "--prompt", model.Tokenizer, model.Limits), options, context);
        else ContinueFile(continuation, input!, output, model, options, context);
        return 0;
    }

    private static void Stream(TextContinuation continuation, TokenRow prompt, GenerationOptions options, VerbContext context)
    {
        var clock = Stopwatch.StartNew();
        var result = continuation.Continue([prompt.InputIds], options, Write, context.Cancellation).Single();
        context.Results.WriteLine();
        context.Results.Flush();
        context.Cancellation.ThrowIfCancellationRequested();
        var ended = result.Finish == FinishReason.Length ? "; --max-new-tokens ended it" : "";
        context.Status.WriteLine($"{Speed(result.OutputIds.Count, clock.Elapsed)}{ended}");

        void Write(int row, string text)
        {
            context.Results.Write(text);
            context.Results.Flush();
        }
    }

    private static void ContinueFile(
        TextContinuation continuation, string input, string? output, LoadedModel model, GenerationOptions options, VerbContext context)
    {
        var prompts = PromptRows.Read(input, model.Tokenizer, model.Limits, () => model.ChatTemplate).Select(row => row.InputIds).ToList();
        var tokens = 0L;
        var clock = Stopwatch.StartNew();
        if (output is null) ResultLines.Write(null, Lines((_, _) => { }), context);
        else
        {
            WorkProgress.Run(context.Status, "continuing prompts", progress =>
            {
                ResultLines.Write(output, Lines(progress), context);
                return 0;
            });
        }
        context.Status.WriteLine($"{prompts.Count} prompts, {Speed(tokens, clock.Elapsed)}");

        IEnumerable<string> Lines(Action<long, long> progress)
        {
            var index = 0;
            foreach (var result in continuation.Continue(prompts, options, cancellation: context.Cancellation))
            {
                context.Cancellation.ThrowIfCancellationRequested();
                tokens += result.OutputIds.Count;
                yield return Line(result, index++);
                progress(index, prompts.Count);
            }
            context.Cancellation.ThrowIfCancellationRequested();
        }
    }

    private static string Speed(long tokens, TimeSpan time) =>
        $"{tokens:N0} tokens in {time.TotalSeconds:0.0} s ({tokens / time.TotalSeconds:N1} tokens a second)";

    private static string Line(GeneratedText result, int index) => JsonText.Line(json =>
    {
        json.WriteNumber("index", index);
        json.WriteString("text", result.Text);
        json.WriteNumbers("output_ids", result.OutputIds);
        json.WriteString("finish", result.Finish == FinishReason.Stop ? "stop" : "length");
    });
}
