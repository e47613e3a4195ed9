namespace Meft.Core.Configuration;

/// <summary>Lays overrides over a document.</summary>
internal static class ConfigOverlay
{
    /// <summary>
    /// The document with the keys of an override: groups are gone into, all else takes the place of what was there. A null stays as one, and so gives the
    /// default. Keys that stand twice stay so.
    /// </summary>
    /// <param name="under">The document; null for an empty one. One that is no group of keys stays as it is.</param>
    /// <param name="over">The override.</param>
    public static ConfigNode Lay(ConfigNode? under, ConfigMapping over)
    {
        if (under is null or ConfigScalar { IsNull: true }) return over;
        if (under is not ConfigMapping mapping) return under;
        var entries = mapping.Entries.ToList();
        foreach (var entry in over.Entries)
        {
            var index = entries.FindIndex(e => e.Key == entry.Key);
            if (index < 0) entries.Add(entry);
            else if (entries[index].Value is ConfigMapping inner && entry.Value is ConfigMapping outer) entries[index] = entries[index] with { Value = Lay(inner, outer) };
            else entries[index] = entry;
        }
        return mapping with { Entries = entries };
    }

    /// <summary>The value at a path, null for none; the first where a key stands twice.</summary>
    /// <param name="group">The group the path begins in.</param>
    /// <param name="path">Keys with dots between them.</param>
    public static ConfigEntry? Find(ConfigMapping group, string path)
    {
        ConfigEntry? found = null;
        foreach (var name in path.Split('.'))
        {
            if (found is not null && found.Value is not ConfigMapping) return null;
            found = ((found?.Value as ConfigMapping) ?? group).Entries.FirstOrDefault(entry => entry.Key == name);
            if (found is null) return null;
        }
        return found;
    }
}
