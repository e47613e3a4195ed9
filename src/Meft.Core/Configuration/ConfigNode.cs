namespace Meft.Core.Configuration;

/// <summary>Where a piece of a config stands.</summary>
/// <param name="Text"><c>file:line</c>, or the override it came from.</param>
/// <param name="Order">Sorts places: the line; overrides come after all lines.</param>
internal readonly record struct ConfigPlace(string Text, long Order)
{
    private const long FirstOverride = long.MaxValue / 2;

    /// <summary>Whether the place is an override and no line of a file.</summary>
    public bool IsOverride => Order >= FirstOverride;

    /// <summary>The place of the override with an index.</summary>
    public static ConfigPlace OfOverride(string set, int index) => new($"--set {set}", FirstOverride + index);
}

/// <summary>A piece of a config's YAML that knows where it stands.</summary>
internal abstract record ConfigNode(ConfigPlace Place)
{
    /// <summary>The piece as an error text names it.</summary>
    public abstract string Describe();
}

/// <summary>A single value.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Text">Its text without quotes.</param>
/// <param name="Quoted">Whether it stood in quotes or in a block, and so is text whatever it looks like.</param>
internal sealed record ConfigScalar(ConfigPlace Place, string Text, bool Quoted) : ConfigNode(Place)
{
    /// <summary>Whether the value is null: empty, <c>null</c> or <c>~</c>, not in quotes.</summary>
    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <inheritdoc/>
    public override string Describe() => Quoted ? $"the text \"{Shortened}\"" : $"'{Shortened}'";

    private string Shortened => Text.Length <= 80 ? Text : Text[..77] + "...";
}

/// <summary>A list.</summary>
internal sealed record ConfigSequence(ConfigPlace Place, IReadOnlyList<ConfigNode> Items) : ConfigNode(Place)
{
    /// <inheritdoc/>
    public override string Describe() => Items.Count == 0 ? "an empty list" : $"a list of {Items.Count}";
}

/// <summary>Keys with values, in order, a repeated key as often as it stands there.</summary>
internal sealed record ConfigMapping(ConfigPlace Place, IReadOnlyList<ConfigEntry> Entries) : ConfigNode(Place)
{
    /// <inheritdoc/>
    public override string Describe() => "a group of keys";
}

/// <summary>A key of a mapping with its value.</summary>
internal sealed record ConfigEntry(string Key, ConfigPlace Place, ConfigNode Value);
