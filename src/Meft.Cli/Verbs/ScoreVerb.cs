using System.CommandLine;
using System.Diagnostics;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Evaluation;
using Meft.Loading;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft score</c>: how well a model predicts rows.</summary>
internal sealed class ScoreVerb : IVerb
{
    /// <summary>Attention's cost grows with the square of a piece's length: a book is not one piece, although a model may allow it.</summary>
    private const int DefaultMaxLength = 2048;

    private readonly ModelOptions _model = new();
    private readonly Option<string> _input = new("--input") { HelpName = "F", Required = true, Description = "Rows: .jsonl, .json, .csv, .parquet or .txt." };
    private readonly Option<string?> _output = new("--output") { HelpName = "G", Description = "Write each row's score here, a JSON object a line." };
    private readonly Option<string> _format = RowFormatOption.Create();
    private readonly Option<int?> _maxLength = new("--max-length")
    {
        HelpName = "N",
        Description = $"Longer texts are scored in pieces of so many tokens [the model's positions, at most {DefaultMaxLength}].",
    };
    private readonly Option<bool> _json = new("--json") { Description = "Write the summary as one JSON document." };

    public ScoreVerb()
    {
        Command = new Command("score", "Score rows: negative log-likelihood a row and a token, perplexity.");
        _model.AddTo(Command);
        foreach (var option in new Option[] { _input, _output, _format, _maxLength, _json }) Command.Options.Add(option);
    }

    /// <inheritdoc/>
    public Job Job => Job.Use;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft score --model models/stories260K --input stories.txt --output scores.jsonl";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var maxLength = arguments.GetValue(_maxLength);
        if (maxLength < 2) throw new InvalidInputException($"--max-length is {maxLength}", null, "a whole number, at least 2");
        var format = RowFormatOption.ReadFrom(arguments, _format);
        var input = arguments.GetRequiredValue(_input);
        ResultLines.RefuseInput(arguments.GetValue(_output), input);
        using var model = _model.Load(arguments, context);
        var rows = ScoringRows.Read(input, format, model.Tokenizer, model.Limits, maxLength ?? DefaultMaxLength, () => model.ChatTemplate).ToList();

        List<SequenceScore> scores = [];
        var clock = Stopwatch.StartNew();
        if (arguments.GetValue(_output) is { } output) ResultLines.Write(output, Lines(), context);
        else scores = ScoreRows(model, rows, context);
        var summary = ScoreSummary.Of(scores);
        context.Status.WriteLine($"scored in {clock.Elapsed.TotalSeconds:0.0} s ({summary.Tokens / clock.Elapsed.TotalSeconds:N0} tokens a second)");
        if (arguments.GetValue(_json)) context.Results.WriteLine(JsonText.Document(summary));
        else summary.WriteText(context.Results);
        return 0;

        // Scores when the file is already open: that it cannot be written is known before the work is done.
        IEnumerable<string> Lines()
        {
            scores = ScoreRows(model, rows, context);
            for (var i = 0; i < scores.Count; i++) yield return Line(scores[i], i);
        }
    }

    private static List<SequenceScore> ScoreRows(LoadedModel model, List<ScoringRow> rows, VerbContext context)
    {
        var pieces = rows.SelectMany(row => row.Pieces).Select(piece => new ScoredRow(piece.InputIds, piece.Labels)).ToList();
        var scores = WorkProgress.Run(context.Status, "scoring rows", progress => model.CreateScorer().ScoreInBatches(
            pieces, progress: done => progress(done, pieces.Count), cancellation: context.Cancellation));
        var joined = new List<SequenceScore>(rows.Count);
        var at = 0;
        foreach (var row in rows)
        {
            var score = SequenceScore.Join([.. scores.Skip(at).Take(row.Pieces.Count)]);
            if (!double.IsFinite(score.Nll))
            {
                throw new RunFailedException(
                    $"the model gives the row a negative log-likelihood of {score.Nll}", row.Origin.ToString(), null,
                    "check the model's weights and the adapter for numbers that are not finite");
            }
            joined.Add(score);
            at += row.Pieces.Count;
        }
        return joined;
    }

    private static string Line(SequenceScore score, int index) => JsonText.Line(json =>
    {
        json.WriteNumber("index", index);
        json.WriteNumber("tokens", score.Tokens);
        json.WriteNumber("scored_tokens", score.TokenNll.Count);
        json.WriteNumber("nll", score.Nll);
        json.WriteNumber("perplexity", score.Perplexity);
        json.WriteStartArray("token_nll");
        foreach (var nll in score.TokenNll) json.WriteNumberValue(nll);
        json.WriteEndArray();
    });

    /// <summary>All rows together; the mean is over scored tokens, not over rows.</summary>
    private sealed record ScoreSummary(int Rows, long Tokens, long ScoredTokens, double MeanNll, double Perplexity)
    {
        public static ScoreSummary Of(List<SequenceScore> scores)
        {
            var scored = scores.Sum(s => (long)s.TokenNll.Count);
            var mean = scores.Sum(s => s.Nll) / scored;
            return new ScoreSummary(scores.Count, scores.Sum(s => (long)s.Tokens), scored, mean, Math.Exp(mean));
        }

        public void WriteText(TextWriter text)
        {
            text.WriteLine($"rows        {Rows:N0}");
            text.WriteLine($"tokens      {Tokens:N0} ({ScoredTokens:N0} scored)");
            text.WriteLine($"mean nll    {MeanNll:0.0000}");
            text.WriteLine($"perplexity  {Perplexity:0.000}");
        }
    }
}
