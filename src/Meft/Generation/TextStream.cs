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

    /// <param name="tokenizer">The model's tokenizer; null where there is none.</param>
    /// <param name="prompt">The prompt: tokens that begin with a space lose it at the beginning of a text, which the first new one is not.</param>
    /// <param name="stops">What ends the text.</param>
    /// <param name="onText">Told of each piece that is certain.</param>
    public TextStream(ITokenizer? tokenizer, IReadOnlyList<int> prompt, IReadOnlyList<string> stops, Action<string>? onText)
    {
        _decoder = tokenizer?.CreateStreamingDecoder(skipSpecialTokens: true);
        _filter = new StopFilter(stops);
        _onText = onText;
        foreach (var id in prompt) _decoder?.Append(id);
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
        if (_decoder is not null) Emit(_filter.Append(_decoder.Append(token)));
        return !Stopped;
    }

    /// <summary>Ends the text: what was held back comes out.</summary>
    public void Complete()
    {
        if (_decoder is null) return;
        Emit(_filter.Append(_decoder.Complete()));
        Emit(_filter.Complete());
    }

    private void Emit(string piece)
    {
        if (piece.Length == 0) return;
        _text.Append(piece);
        _onText?.Invoke(piece);
    }
}
