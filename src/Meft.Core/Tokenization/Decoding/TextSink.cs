using System.Text;

namespace Meft.Core.Tokenization.Decoding;

/// <summary>The end of a chain of steps: collects the decoded text.</summary>
internal sealed class TextSink : IDecodingStep
{
    private readonly StringBuilder _text = new();

    public void Accept(string text, bool continuesToken) => _text.Append(text);

    public void Complete()
    {
    }

    /// <summary>The text collected since the last call.</summary>
    public string Drain()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}
