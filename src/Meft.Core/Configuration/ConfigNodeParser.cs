using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Meft.Core.Configuration;

/// <summary>
/// Reads YAML into <see cref="ConfigNode"/>s. It works on the parser's events because the library's own document model
/// stops at the first repeated key, and all errors of a file are wanted at once.
/// </summary>
internal sealed class ConfigNodeParser
{
    private const int MaxDepth = 32;
    private readonly Parser _parser;
    private readonly Func<long, ConfigPlace> _place;
    private readonly Dictionary<AnchorName, ConfigNode> _anchors = [];
    private int _depth;

    private ConfigNodeParser(TextReader text, Func<long, ConfigPlace> place)
    {
        _parser = new Parser(text);
        _place = place;
    }

    /// <summary>Reads the one document of a text; null if it is empty.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="place">Names the place of a line, counted from 1.</param>
    /// <exception cref="YamlException">The text is no YAML, or YAML of a kind that no config needs.</exception>
    public static ConfigNode? Parse(TextReader text, Func<long, ConfigPlace> place)
    {
        var parser = new ConfigNodeParser(text, place);
        try
        {
            return parser.ReadDocument();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or IndexOutOfRangeException or OverflowException)
        {
            // Some malformed texts break the library's own parser instead of being refused by it.
            var at = parser._parser.Current?.End ?? Mark.Empty;
            throw new YamlException(at, at, e.Message, e);
        }
    }

    private ConfigNode? ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.TryConsume<StreamEnd>(out _)) return null;
        _parser.Consume<DocumentStart>();
        var node = ReadNode();
        _parser.Consume<DocumentEnd>();
        if (_parser.TryConsume<DocumentStart>(out var second))
            throw new YamlException(second.Start, second.End, "a second document begins here; a config is one document");
        return node;
    }

    private ConfigNode ReadNode()
    {
        if (_parser.TryConsume<Scalar>(out var scalar))
            return Anchored(scalar.Anchor, new ConfigScalar(At(scalar), scalar.Value, scalar.Style != ScalarStyle.Plain));
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value, out var target)
                ? target
                : throw new YamlException(alias.Start, alias.End, $"the alias *{alias.Value} names no anchor before it");
        }
        if (_parser.Current is NodeEvent tooDeep && _depth == MaxDepth)
            throw new YamlException(tooDeep.Start, tooDeep.End, $"nested more than {MaxDepth} deep");
        _depth++;
        var node = _parser.TryConsume<SequenceStart>(out var sequence) ? ReadSequence(sequence) : ReadMapping(_parser.Consume<MappingStart>());
        _depth--;
        return node;
    }

    private ConfigNode ReadSequence(SequenceStart start)
    {
        var items = new List<ConfigNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode());
        return Anchored(start.Anchor, new ConfigSequence(At(start), items));
    }

    private ConfigNode ReadMapping(MappingStart start)
    {
        var entries = new List<ConfigEntry>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = At(_parser.Current!);
            var key = ReadNode();
            entries.Add(new ConfigEntry(key is ConfigScalar name ? name.Text : key.Describe(), at, ReadNode()));
        }
        return Anchored(start.Anchor, new ConfigMapping(At(start), entries));
    }

    private ConfigNode Anchored(AnchorName anchor, ConfigNode node)
    {
        if (!anchor.IsEmpty) _anchors[anchor] = node;
        return node;
    }

    private ConfigPlace At(ParsingEvent e) => _place(e.Start.Line);
}
