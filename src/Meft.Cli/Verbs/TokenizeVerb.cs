using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Chat;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Tokenization;

namespace Meft.Cli.Verbs;

/// <summary><c>meft tokenize</c>: rows as the model will see them.</summary>
internal sealed class TokenizeVerb : IVerb
{
    private readonly Option<string> _model = new("--model")
    { HelpName = "M", Required = true, Description = "A Hugging Face folder, or a .gguf file beside its tokenizer." };
    private readonly Option<string> _input = new("--input") { HelpName = "F", Required = true, Description = "Rows: .jsonl or .txt." };
    private readonly Option<string?> _output = new("--output") { HelpName = "G", Description = "Write here instead of to standard output." };
    private readonly Option<string> _format = RowFormatOption.Create();
    private readonly Option<int> _maxLength = new("--max-length")
    { HelpName = "N", DefaultValueFactory = _ => 512, Description = "Longer texts are cut into several rows, as data.max_length in a config does [512]." };
    private readonly Option<bool> _trainOnPrompt = new("--train-on-prompt") { Description = "Label the prompt's tokens too." };
    private readonly Option<bool> _chat = new("--chat")
    { Description = "Rows are {\"messages\"}, rendered by the model's chat template; after a last word of the user an answer begins." };

    public TokenizeVerb() => Command = new Command("tokenize", "Show what the model will see of rows: ids, pieces, labels.")
    {
        _model, _input, _output, _format, _maxLength, _trainOnPrompt, _chat,
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
        var folder = ModelLocation.Find(arguments.GetRequiredValue(_model)).Folder;
        var tokenizer = HuggingFaceTokenizer.Load(folder);
        var rows = new RowTokenizer(tokenizer, EndToken.Find(folder, tokenizer), arguments.GetValue(_trainOnPrompt));
        var raw = RowFile.Read(arguments.GetRequiredValue(_input), RowFormatOption.ReadFrom(arguments, _format), tokenizer, maxLength);
        var template = arguments.GetValue(_chat) ? ChatTemplate.Load(folder) : null;
        var lines = (template is null
                ? raw.SelectMany(row => row is TextRow ? rows.Cut(rows.Tokenize(row), maxLength) : [rows.Tokenize(row)])
                : raw.Select(row => Render(row, tokenizer, template)))
            .Select((row, index) => Line(row, index, tokenizer));
        ResultLines.Write(arguments.GetValue(_output), lines, context);
        return 0;
    }

    private static TokenRow Render(RawRow row, HuggingFaceTokenizer tokenizer, ChatTemplate template)
    {
        if (row is not MessagesRow chat) throw new InvalidInputException("the row is no conversation", row.Origin.ToString(), "{\"messages\"}");
        var last = chat.Messages[chat.Messages.GetArrayLength() - 1].GetProperty("role").GetString();
        return PromptRows.Render(chat, tokenizer, template, addGenerationPrompt: last != "assistant");
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
