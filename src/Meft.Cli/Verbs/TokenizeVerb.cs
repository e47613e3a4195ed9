using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Planning;
using Meft.Core.Tokenization;

namespace Meft.Cli.Verbs;

/// <summary><c>meft tokenize</c>: rows as the model will see them.</summary>
internal sealed class TokenizeVerb : IVerb
{
    private readonly Option<string> _model = new("--model")
    { HelpName = "M", Required = true, Description = "A Hugging Face folder, or a .gguf file." };
    private readonly Option<string> _input = new("--input") { HelpName = "F", Required = true, Description = "Rows: .jsonl, .json, .csv, .parquet or .txt." };
    private readonly Option<string?> _output = new("--output") { HelpName = "G", Description = "Write here instead of to standard output." };
    private readonly Option<string> _format = RowFormatOption.Create();
    private readonly Option<int> _maxLength = new("--max-length")
    { HelpName = "N", DefaultValueFactory = _ => 512, Description = "Longer texts are cut into several rows, as data.max_length in a config does [512]." };
    private readonly Option<bool> _trainOnPrompt = new("--train-on-prompt") { Description = "Label the prompt's tokens too." };
    private readonly Option<bool> _chat = new("--chat")
    { Description = "Rows are {\"messages\"}, rendered by the model's chat template; after a last word of the user an answer begins." };

    private readonly Option<bool> _audit = new("--audit")
    { Description = "Instead of the rows, write what train says of them before its first step: counts, lengths, rows that cannot be used." };
    private readonly Option<string?> _overLength = new("--over-length")
    { HelpName = "WHAT", Description = "With --audit: what happens to longer rows, as data.over_length in a config: error, truncate or drop [error]." };
    private readonly Option<bool> _json = new("--json") { Description = "With --audit: write one JSON document." };

    public TokenizeVerb() => Command = new Command("tokenize", "Show what the model will see of rows: ids, pieces, labels.")
    {
        _model, _input, _output, _format, _maxLength, _trainOnPrompt, _chat, _audit, _overLength, _json,
    };

    /// <inheritdoc/>
    public Job Job => Job.Look;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft tokenize --model models/smollm2 --input facts.jsonl";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var maxLength = arguments.GetValue(_maxLength);
        if (maxLength < 2) throw new InvalidInputException($"--max-length is {maxLength}", null, "a whole number, at least 2");
        ResultLines.RefuseInput(arguments.GetValue(_output), arguments.GetRequiredValue(_input));
        var model = ModelLocation.Find(arguments.GetRequiredValue(_model));
        var tokenizer = HuggingFaceTokenizer.Load(model.TokenizerPath);
        var template = new Lazy<ChatTemplate>(() => ChatTemplate.Load(model.ChatTemplatePath));
        if (arguments.GetValue(_audit))
        {
            WriteAudit(arguments, maxLength, model, tokenizer, () => template.Value, context);
            return 0;
        }
        if (arguments.GetValue(_json)) throw new InvalidInputException("--json is given without --audit", "meft tokenize", "both, or neither: rows are JSON already");
        if (arguments.GetValue(_overLength) is not null) throw new InvalidInputException("--over-length is given without --audit", "meft tokenize", "both, or neither: without --audit rows are shown whole");
        var rows = new RowTokenizer(tokenizer, EndToken.Find(model, tokenizer), arguments.GetValue(_trainOnPrompt), () => template.Value);
        var raw = RowFile.Read(arguments.GetRequiredValue(_input), RowFormatOption.ReadFrom(arguments, _format), tokenizer, maxLength);
        var tokenized = arguments.GetValue(_chat)
            ? raw.SelectMany(row => Render(row, rows, tokenizer, template.Value))
            : raw.SelectMany(row => row is TextRow ? rows.Cut(rows.Tokenize(row), maxLength) : rows.TokenizeRows(row));
        ResultLines.Write(arguments.GetValue(_output), tokenized.Select((row, index) => Line(row, index, tokenizer)), context);
        return 0;
    }

    private void WriteAudit(
        ParseResult arguments, int maxLength, ModelLocation model, HuggingFaceTokenizer tokenizer, Func<ChatTemplate> template, VerbContext context)
    {
        if (arguments.GetValue(_output) is not null) throw new InvalidInputException("--audit is given with --output", "meft tokenize", "--audit goes to standard output");
        var input = arguments.GetRequiredValue(_input);
        var data = new DataConfig
        {
            Train = [input],
            Format = RowFormatOption.ReadFrom(arguments, _format),
            MaxLength = maxLength,
            OverLength = ReadOverLength(arguments.GetValue(_overLength)),
            TrainOnPrompt = arguments.GetValue(_trainOnPrompt),
        };
        var limits = model.HasConfig
            ? PlanSource.LimitsOf(model.ReadConfig())
            : new ModelLimits(tokenizer.VocabularySize, int.MaxValue, EndToken.Find(model, tokenizer));
        var auditor = new DataAuditor();
        foreach (var _ in TrainingRows.Examine(data.Train, data, tokenizer, limits, template, auditor)) context.Cancellation.ThrowIfCancellationRequested();
        var audit = auditor.ToAudit(tokenizer);
        if (arguments.GetValue(_json)) context.Results.Write(audit.ToJson());
        else AuditView.Write(Path.GetFileName(input), audit, context.Results);
    }

    private static OverLength ReadOverLength(string? name) =>
        name is null ? OverLength.Error
        : ChoiceName.Find<OverLength>(name) ?? throw new InvalidInputException(
            $"--over-length is '{name}', which is none of the known values", "meft tokenize", string.Join(" | ", ChoiceName.All<OverLength>()));

    /// <summary>As for training; where nobody has answered last, as for an answer to begin.</summary>
    private static IReadOnlyList<TokenRow> Render(RawRow row, RowTokenizer rows, HuggingFaceTokenizer tokenizer, ChatTemplate template)
    {
        if (row is not MessagesRow chat) throw new InvalidInputException("the row is no conversation", row.Origin.ToString(), "{\"messages\"}");
        var last = chat.Messages[chat.Messages.GetArrayLength() - 1].GetProperty("role").GetString();
        return last == "assistant" ? rows.TokenizeRows(row) : [PromptRows.Render(chat, tokenizer, template, addGenerationPrompt: true)];
    }

    private static string Line(TokenRow row, int index, HuggingFaceTokenizer tokenizer) => JsonText.Line(json =>
    {
        json.WriteNumber("index", index);
        json.WriteNumbers("input_ids", row.InputIds);
        json.WriteStartArray("pieces");
        foreach (var id in row.InputIds) json.WriteStringValue(Piece(tokenizer, id, row));
        json.WriteEndArray();
        if (row.TrainedTokens > 0) json.WriteNumbers("labels", row.Labels);
    });

    private static string Piece(HuggingFaceTokenizer tokenizer, int id, TokenRow row)
    {
        try
        {
            return tokenizer.Piece(id);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new InvalidInputException(
                $"the id {id} is in no vocabulary", row.Origin.ToString(), $"ids from 0 to {tokenizer.VocabularySize - 1}", null, e);
        }
    }
}
