namespace Meft.Core.Configuration.Types;

/// <summary>A list without repetitions; one value may stand alone where one suffices.</summary>
/// <param name="element">What its items are.</param>
/// <param name="least">How many there are at least, from 1.</param>
/// <param name="allowed">What is allowed, as a phrase.</param>
internal sealed class DistinctListType<T>(ConfigType<T> element, int least, string allowed) : ConfigType<IReadOnlyList<T>>
{
    /// <inheritdoc/>
    public override string Allowed => allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out IReadOnlyList<T> value)
    {
        value = [];
        if (node is not (ConfigScalar or ConfigSequence)) return IsNo(node, "no list");
        var nodes = node is ConfigSequence sequence ? sequence.Items : [node];
        var items = new List<T>();
        var seen = new HashSet<T>();
        foreach (var item in nodes)
        {
            if (element.Read(item, folder, out var one) is { } problem) return problem;
            if (!seen.Add(one)) return $"{element.Write(one)} stands twice";
            items.Add(one);
        }
        if (items.Count < least) return node is ConfigSequence ? $"{node.Describe()} is too short" : IsNo(node, "no list");
        value = items;
        return null;
    }

    /// <inheritdoc/>
    public override string Write(IReadOnlyList<T> value) => $"[{string.Join(", ", value.Select(element.Write))}]";
}
