using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Meft.Cli.CommandLine;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.Core.Tokenization;

namespace Meft.Cli.Verbs;

/// <summary><c>meft tokenize</c>: rows as the model will see them.</summary>
internal sealed class TokenizeVerb : IVerb
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Option<string> _model = new("--model")
    { HelpName = "M", Required = true, Description = "A Hugging Face folder, or a .gguf file beside its tokenizer." };
    private readonly Option<string> _input = new("--input") { HelpName = "F", Required = true, Description = "Rows: .jsonl or .txt." };
    private readonly Option<string?> _output = new("--output") { HelpName = "G", Description = "Write here instead of to standard output." };
    private readonly Option<string> _format = new("--format")
    { HelpName = "FORM", DefaultValueFactory = _ => "auto", Description = "The rows' form, as data.format in a config; auto tells it from the rows." };
    private readonly Option<int> _maxLength = new("--max-length")
    { HelpName = "N", DefaultValueFactory = _ => 512, Description = "Longer texts are cut into several rows, as data.max_length in a config does [512]." };
    private readonly Option<bool> _trainOnPrompt = new("--train-on-prompt") { Description = "Label the prompt's tokens too." };

    public TokenizeVerb() => Command = new Command("tokenize", "Show what the model will see of rows: ids, pieces, labels.")
    {
        _model, _input, _output, _format, _maxLength, _trainOnPrompt,
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
        var folder = TokenizerFolder(arguments.GetRequiredValue(_model));
        var tokenizer = HuggingFaceTokenizer.Load(folder);
        var rows = new RowTokenizer(tokenizer, EndToken.Find(folder, tokenizer), arguments.GetValue(_trainOnPrompt));
        var lines = RowFile.Read(arguments.GetRequiredValue(_input), ReadFormat(arguments.GetValue(_format)!), tokenizer, maxLength)
            .SelectMany(row => row is TextRow ? rows.Cut(rows.Tokenize(row), maxLength) : [rows.Tokenize(row)])
            .Select((row, index) => Line(row, index, tokenizer));

        if (arguments.GetValue(_output) is { } output)
        {
            AtomicFile.Write(output, stream =>
            {
                foreach (var line in lines) stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
            });
            return 0;
        }
        foreach (var line in lines)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            context.Results.Write(line);
            context.Results.Write('\n');
        }
        return 0;
    }

    private static RowFormat ReadFormat(string name)
    {
        var known = string.Join(" | ", ChoiceName.All<RowFormat>());
        return ChoiceName.Find<RowFormat>(name) ?? throw new InvalidInputException($"--format is '{name}', which is no form of rows", null, known);
    }

    private static string TokenizerFolder(string model)
    {
        if (Directory.Exists(model)) return model;
        if (File.Exists(model)) return Path.GetDirectoryName(Path.GetFullPath(model))!;
        throw new InvalidInputException("there is no such model", model, "a Hugging Face folder or a .gguf file", "Correct --model");
    }

    private static string Line(TokenRow row, int index, HuggingFaceTokenizer tokenizer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteNumber("index", index);
            WriteNumbers(json, "input_ids", row.InputIds);
            json.WriteStartArray("pieces");
            foreach (var id in row.InputIds) json.WriteStringValue(Piece(tokenizer, id, row));
            json.WriteEndArray();
            if (row.TrainedTokens > 0) WriteNumbers(json, "labels", row.Labels);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

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

    private static void WriteNumbers(Utf8JsonWriter json, string name, int[] numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
