using Meft.Core.Tokenization;

namespace Meft.Core.Tests.Data;

/// <summary>A tokenizer of one token a letter, the id being the letter's code; it can begin texts with a token and put a space before them.</summary>
internal sealed class LetterTokenizer(bool begins = false, bool addsSpace = false) : ITokenizer
{
    public const int Begin = 200, End = 201, Space = 202;

    public int VocabularySize => 203;

    public IReadOnlyList<int> BeginTokens => begins ? [Begin] : [];

    public IReadOnlyList<int> EndTokens => [];

    public bool IsSpecial(int id) => id is Begin or End;

    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens) => new Letters(this);

    public int[] Encode(string text, bool addSpecialTokens)
    {
        var letters = (addsSpace ? " " + text : text).Select(c => addsSpace && c == ' ' ? Space : c);
        return addSpecialTokens ? [.. BeginTokens, .. letters] : [.. letters];
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens) => string.Concat(ids.ToArray().Where(i => i < Begin || i == Space).Select(Piece)).Replace('▁', ' ');

    public string Piece(int id) => id switch { Begin => "<s>", End => "</s>", Space => "▁", _ => ((char)id).ToString() };

    public int? IdOf(string piece) => piece switch { "<s>" => Begin, "</s>" => End, "▁" => Space, [var letter] => letter, _ => null };

    private sealed class Letters(LetterTokenizer tokenizer) : StreamingDecoder
    {
        public override string Append(int id) => tokenizer.Piece(id).Replace('▁', ' ');

        public override string Complete() => "";
    }
}
