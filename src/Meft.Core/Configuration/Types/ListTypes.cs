using System.Globalization;

namespace Meft.Core.Configuration.Types;

/// <summary>One value, or a list of at least one.</summary>
internal sealed class OneOrMoreType<T>(ConfigType<T> element, string allowed) : ConfigType<ValueList<T>>
{
    /// <inheritdoc/>
    public override string Allowed => allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out ValueList<T> value)
    {
        value = [];
        var nodes = node is ConfigSequence sequence ? sequence.Items : [node];
        if (nodes.Count == 0) return IsNo(node, "nothing");
        var items = new List<T>();
        foreach (var item in nodes)
        {
            if (element.Read(item, folder, out var one) is { } problem) return problem;
            items.Add(one);
        }
        value = [.. items];
        return null;
    }

    /// <inheritdoc/>
    public override string Write(ValueList<T> value) => value.Count switch
    {
        0 => "null",
        1 => element.Write(value[0]),
        _ => $"[{string.Join(", ", value.Select(element.Write))}]",
    };
}

/// <summary>A selection of layers.</summary>
internal sealed class LayersType : ConfigType<LayerSelection>
{
    private static readonly IntegerType<int> Index = new(0, int.MaxValue);

    /// <inheritdoc/>
    public override string Allowed => LayerSelection.Allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out LayerSelection value)
    {
        value = new LayerSelection.All();
        return node switch
        {
            ConfigScalar scalar => ReadWord(scalar, out value),
            ConfigSequence { Items.Count: > 0 } sequence => ReadList(sequence, folder, out value),
            _ => IsNo(node, "no selection of layers"),
        };
    }

    /// <inheritdoc/>
    public override string Write(LayerSelection value) => value.ToString();

    private static string? ReadWord(ConfigScalar scalar, out LayerSelection value)
    {
        var named = LayerSelection.OfWord(scalar.Text);
        value = named ?? new LayerSelection.All();
        return named is null ? IsNo(scalar, "no selection of layers") : null;
    }

    private static string? ReadList(ConfigSequence sequence, string folder, out LayerSelection value)
    {
        value = new LayerSelection.All();
        var indices = new SortedSet<int>();
        foreach (var item in sequence.Items)
        {
            if (Index.Read(item, folder, out var index) is { } problem) return problem;
            if (!indices.Add(index)) return $"layer {index} stands twice in the list";
        }
        value = new LayerSelection.Listed([.. indices]);
        return null;
    }
}

/// <summary>A number of experts, or <c>auto</c> (null).</summary>
internal sealed class ExpertsType : ConfigType<int?>
{
    private static readonly IntegerType<int> Number = new(0, ConfigSchema.MaxRank);

    /// <inheritdoc/>
    public override string Allowed => "auto | a whole number from 0 (no router) to " + ConfigSchema.MaxRank.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out int? value)
    {
        value = null;
        if (node is ConfigScalar { Text: "auto" }) return null;
        var problem = Number.Read(node, folder, out var number);
        value = number;
        return problem;
    }

    /// <inheritdoc/>
    public override string Write(int? value) => value is { } number ? Number.Write(number) : "auto";
}
