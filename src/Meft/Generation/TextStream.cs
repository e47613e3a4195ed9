using System.Text;
using Meft.Core.Tokenization;

namespace Meft.Generation;

/// <summary>The text of one row as its tokens come.</summary>
internal sealed class TextStream
{
    private readonly StreamingDecoder? _decoder;
    private readonly StopFilter _filter;
    private readonly StringBuilder _text = new();
    private readonly Action<string>? _onText;
    private string _heldOfPrompt = "";

    /// <param name="tokenizer">The model's tokenizer; null where there is none.</param>
    /// <param name="prompt">The prompt: tokens that begin with a space lose it at the beginning of a text, which the first new one is not.</param>
    /// <param name="stops">What ends the text.</param>
    /// <param name="onText">Told of each piece that is certain.</param>
    public TextStream(ITokenizer? tokenizer, IReadOnlyList<int> prompt, IReadOnlyList<string> stops, Action<string>? onText)
    {
        _decoder = tokenizer?.CreateStreamingDecoder(skipSpecialTokens: true);
        _filter = new StopFilter(stops);
        _onText = onText;
        if (_decoder is null) return;
        var given = prompt.Sum(id => _decoder.Append(id).Length);
        // What the decoder still holds of the prompt (a character spelt in bytes) comes out with the first new token.
        _heldOfPrompt = tokenizer!.Decode([.. prompt], skipSpecialTokens: true)[given..];
    }

    /// <summary>How many tokens have been taken.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a stop string has come.</summary>
    public bool Stopped => _filter.Stopped;

    /// <summary>The text so far.</summary>
    public string? Text => _decoder is null ? null : _text.ToString();

    /// <summary>Takes a token; false where it completes a stop string.</summary>
    public bool Take(int token)
    {
        Count++;
        if (_decoder is not null) Emit(_filter.Append(WithoutPrompt(_decoder.Append(token))));
        return !Stopped;
    }

    /// <summary>Ends the text: what was held back comes out.</summary>
    public void Complete()
    {
        if (_decoder is null) return;
        Emit(_filter.Append(WithoutPrompt(_decoder.Complete())));
        Emit(_filter.Complete());
    }

    private string WithoutPrompt(string piece)
    {
        if (piece.Length == 0 || _heldOfPrompt.Length == 0) return piece;
        // A prompt that ends within a character is another matter: the new tokens complete it.
        var own = piece.StartsWith(_heldOfPrompt, StringComparison.Ordinal) ? piece[_heldOfPrompt.Length..] : piece;
        _heldOfPrompt = "";
        return own;
    }

    private void Emit(string piece)
    {
        if (piece.Length == 0) return;
        _text.Append(piece);
        _onText?.Invoke(piece);
    }
}
