namespace Meft.Core.Chat.Jinja.Values;

/// <summary>A text. Lengths, places and items count code points, as in Python.</summary>
internal sealed class TextValue(string text) : Value
{
    public static readonly TextValue Empty = new("");

    public string Text => text;

    public override string TypeName => "str";

    public override long Weight => 1 + text.Length / 8;

    public override bool IsTrue => text.Length > 0;

    public override int? Length => HasSurrogates ? text.EnumerateRunes().Count() : text.Length;

    public override IReadOnlyList<Value> Items => [.. text.EnumerateRunes().Select(rune => new TextValue(rune.ToString()))];

    public override Value? Item(Value key)
    {
        if (key is not IntegerValue index || ListValue.IndexOf(index.Value, Length!.Value) is not { } position) return null;
        return new TextValue(HasSurrogates ? text.EnumerateRunes().ElementAt(position).ToString() : text[position].ToString());
    }

    public override Value? Member(string name) => TextMethods.Find(text, name);

    private bool HasSurrogates => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') >= 0;
}
