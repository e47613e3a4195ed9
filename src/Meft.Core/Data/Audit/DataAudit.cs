using System.Text.Json;
using System.Text.Json.Serialization;

namespace Meft.Core.Data;

/// <summary>What became of the rows of a run's files, counted before the first step. It can be written as JSON and read back.</summary>
public sealed record DataAudit
{
    internal static readonly JsonSerializerOptions JsonOptions = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Rows of the files, whatever became of them.</summary>
    public int RowsRead { get; init; }

    /// <summary>Rows that are trained; a text that is cut and a conversation that is split count several times.</summary>
    public int RowsKept { get; init; }

    /// <summary>Tokens of the rows that are trained.</summary>
    public long Tokens { get; init; }

    /// <summary>Those of them that the loss counts.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>Rows that cannot be used.</summary>
    public int RefusedRows { get; init; }

    /// <summary>Those of them that are right but have nothing to train on.</summary>
    public int RowsWithNothingToTrain { get; init; }

    /// <summary>The first of the rows that cannot be used.</summary>
    public IReadOnlyList<RefusedRow> Refused { get; init; } = [];

    /// <summary>The most tokens that a row may have.</summary>
    public int MaxLength { get; init; }

    /// <summary>Rows that were longer, texts excepted.</summary>
    public int RowsTooLong { get; init; }

    /// <summary>The longest of them, the longest first.</summary>
    public IReadOnlyList<LongRow> Longest { get; init; } = [];

    /// <summary>Rows whose end was cut off (<c>over_length: truncate</c>).</summary>
    public int TruncatedRows { get; init; }

    /// <summary>Rows left out for their length (<c>over_length: drop</c>).</summary>
    public int DroppedRows { get; init; }

    /// <summary>Tokens that were cut off or left out for length.</summary>
    public long TokensLost { get; init; }

    /// <summary>Texts that were cut into several rows; none of their tokens is lost.</summary>
    public int CutTexts { get; init; }

    /// <summary>Conversations that became several rows, since the template shows an answer differently once others follow.</summary>
    public int SplitConversations { get; init; }

    /// <summary>Rows whose last trained token ends nothing: the model is not taught to stop there.</summary>
    public int RowsWithoutEnd { get; init; }

    /// <summary>Lengths of the rows that are trained; null where there are none.</summary>
    public LengthPercentiles? Lengths { get; init; }

    /// <summary>A few of the rows as the model sees them: the first, the longest and others drawn by lot, three where there are as many.</summary>
    public IReadOnlyList<ShownRow> Shown { get; init; } = [];

    /// <summary>The audit as one JSON document, names in snake_case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, JsonOptions) + "\n";

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no such document.</exception>
    public static DataAudit FromJson(string json) =>
        JsonSerializer.Deserialize<DataAudit>(json, JsonOptions) ?? throw new JsonException("the audit is null");
}

/// <summary>A row that cannot be used.</summary>
/// <param name="Place">Its file and line.</param>
/// <param name="Reason">Why not.</param>
public sealed record RefusedRow(string Place, string Reason);

/// <summary>A row that is longer than allowed.</summary>
/// <param name="Place">Its file and line.</param>
/// <param name="Tokens">Its length.</param>
public sealed record LongRow(string Place, int Tokens);

/// <summary>Lengths in tokens; a percentile is the least length that so many in a hundred rows do not exceed.</summary>
public sealed record LengthPercentiles(int P50, int P90, int P99, int Max);

/// <summary>A row as the model sees it.</summary>
/// <param name="Place">Its file and line.</param>
/// <param name="Which">Why this one: <c>the first</c>, <c>the longest</c>, <c>one of them</c>.</param>
/// <param name="Tokens">Its length.</param>
/// <param name="TrainedTokens">Tokens that the loss counts.</param>
/// <param name="Parts">Its text in parts, trained and not in turn.</param>
public sealed record ShownRow(string Place, string Which, int Tokens, int TrainedTokens, IReadOnlyList<ShownPart> Parts);

/// <summary>A part of a row.</summary>
/// <param name="Text">Its text, the middle of a long one left out.</param>
/// <param name="IsTrained">Whether the loss counts its tokens.</param>
public sealed record ShownPart(string Text, bool IsTrained);

/// <summary>The audit of a run: both kinds of rows, and what they share.</summary>
/// <param name="Train">Rows to train on.</param>
/// <param name="Validation">Rows to measure the loss on; null for none.</param>
/// <param name="Overlap">What the two share; null where there is no validation.</param>
public sealed record RunAudit(DataAudit Train, DataAudit? Validation, RowOverlap? Overlap)
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "audit.json";

    /// <summary>The audit as one JSON document, names in snake_case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DataAudit.JsonOptions) + "\n";
}
