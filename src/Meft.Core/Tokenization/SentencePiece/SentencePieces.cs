namespace Meft.Core.Tokenization.SentencePiece;

/// <summary>What a piece is for; the numbers are those of SentencePiece's and GGUF's files.</summary>
internal enum PieceKind
{
    /// <summary>Text.</summary>
    Normal = 1,

    /// <summary>Stands for what no piece spells.</summary>
    Unknown = 2,

    /// <summary>Stands for no text, such as the end of one.</summary>
    Control = 3,

    /// <summary>Text that is one token wherever it stands.</summary>
    UserDefined = 4,

    /// <summary>Never to be used.</summary>
    Unused = 5,

    /// <summary>A byte of a character that no piece spells: <c>&lt;0x0A&gt;</c>.</summary>
    Byte = 6,
}

/// <summary>A piece; its id is its place.</summary>
/// <param name="Text">Its spelling, spaces as ▁.</param>
/// <param name="Score">The higher, the earlier it is merged, or the likelier it is.</param>
/// <param name="Kind">What it is for.</param>
internal readonly record struct ScoredPiece(string Text, float Score, PieceKind Kind);

/// <summary>A SentencePiece model as its file describes it.</summary>
internal sealed record SentencePieces
{
    /// <summary>The file, for errors.</summary>
    public required string File { get; init; }

    /// <summary>The pieces by id.</summary>
    public required IReadOnlyList<ScoredPiece> Pieces { get; init; }

    /// <summary>Whether pieces are merged (BPE) or the likeliest cut is looked for (unigram).</summary>
    public required bool IsBytePairEncoding { get; init; }

    /// <summary>Whether characters without a piece are spelt by their bytes.</summary>
    public bool FallsBackToBytes { get; init; }

    /// <summary>Whether a space is put before every text.</summary>
    public bool AddsDummyPrefix { get; init; } = true;

    /// <summary>Whether spaces at the ends are removed and several made one.</summary>
    public bool RemovesExtraSpaces { get; init; } = true;

    /// <summary>The id of the piece that begins a text; null where the model has none.</summary>
    public int? BeginToken { get; init; }

    /// <summary>The id of the piece that ends a text; null where the model has none.</summary>
    public int? EndToken { get; init; }
}
