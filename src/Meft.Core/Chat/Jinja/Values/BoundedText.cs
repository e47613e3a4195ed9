using System.Text;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>Text that is being written, up to a length: a template may build a value whose text would not fit into memory.</summary>
internal sealed class BoundedText
{
    /// <summary>The most characters that one text may have: sixteen million, beyond what any model reads.</summary>
    public const int MaximumLength = 1 << 24;

    private readonly StringBuilder _text = new();

    public int Length => _text.Length;

    public BoundedText Append(string text)
    {
        Check((long)_text.Length + text.Length);
        _text.Append(text);
        return this;
    }

    /// <summary>Refuses a length that is too large.</summary>
    public static void Check(long length)
    {
        if (length > MaximumLength) throw new TemplateLimitException($"the template makes a text of more than {MaximumLength} characters");
    }

    public override string ToString() => _text.ToString();
}
