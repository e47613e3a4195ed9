using System.Text;

namespace Meft.Core.Configuration;

/// <summary>Writes a config back: every key that applies, the value spelt out.</summary>
internal static class ConfigYaml
{
    /// <summary>The config as YAML; loading it gives an equal config.</summary>
    public static string Write(RunConfig config)
    {
        var yaml = new StringBuilder();
        var section = "";
        foreach (var key in ConfigSchema.All)
        {
            if (key.AppliesWhen is { } condition && !condition.Holds(config)) continue;
            if (key.Section != section && key.Section.Length > 0) yaml.Append(key.Section).Append(":\n");
            section = key.Section;
            if (section.Length > 0) yaml.Append("  ");
            yaml.Append(key.Leaf).Append(": ").Append(key.Write(config)).Append('\n');
        }
        return yaml.ToString();
    }
}
