using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;

namespace Meft.Core.Comparisons.Reading;

/// <summary>A method as the file says it.</summary>
/// <param name="Name">Its name; a description of it where it has none.</param>
/// <param name="IsNamed">Whether it has one.</param>
/// <param name="Group">Its keys that are no run's.</param>
/// <param name="Own">Its keys that are a run's.</param>
internal sealed record MethodEntry(string Name, bool IsNamed, ConfigGroup Group, ConfigMapping Own)
{
    /// <summary>The keys that are no run's.</summary>
    public static IReadOnlyList<string> Keys { get; } = ["name", GridReader.RatesKey];

    /// <summary>Takes an item of the list of methods apart.</summary>
    /// <param name="node">The item.</param>
    /// <param name="prefix">What stands before its keys in errors.</param>
    /// <param name="errors">Takes errors.</param>
    public static MethodEntry Of(ConfigNode node, string prefix, ConfigErrors errors)
    {
        var entries = (node as ConfigMapping)?.Entries ?? [];
        var group = new ConfigGroup(
            node is ConfigMapping mapping ? mapping with { Entries = [.. entries.Where(IsOfMethod)] } : node, prefix, Keys, errors);
        var name = node is ConfigMapping ? group.ReadRequired(Keys[0], new TextType()) : null;
        return new MethodEntry(name ?? prefix.TrimEnd('.'), name is not null, group, new ConfigMapping(node.Place, [.. entries.Where(entry => !IsOfMethod(entry))]));
    }

    /// <summary>Whether a key is one of the method itself, or was probably meant to be.</summary>
    private static bool IsOfMethod(ConfigEntry entry)
    {
        if (Keys.Contains(entry.Key)) return true;
        var isOfRun = ConfigSchema.IsSection(entry.Key) || ConfigSchema.All.Any(key => key.Leaf == entry.Key || key.OtherNames.Contains(entry.Key));
        return !isOfRun && NearestName.IfClose(entry.Key, Keys) is not null;
    }
}
