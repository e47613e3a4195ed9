using System.Globalization;
using Meft.Core.Storage;
using YamlDotNet.Core;

namespace Meft.Core.Configuration;

/// <summary>Takes an error: its place, its key, what is wrong, what is allowed.</summary>
internal delegate void RefuseAt(ConfigPlace place, string? key, string problem, string? allowed);

/// <summary>Reads the YAML of a config file and of overrides on the command line.</summary>
internal static class ConfigFile
{
    /// <summary>Reads a file; null if it is empty.</summary>
    /// <exception cref="ConfigException">It cannot be read, or is no YAML.</exception>
    public static ConfigNode? Read(string path)
    {
        try
        {
            using var text = new StreamReader(path);
            return ConfigNodeParser.Parse(text, line => new ConfigPlace($"{path}:{line}", line));
        }
        catch (YamlException e)
        {
            throw Unreadable($"{path}:{e.Start.Line}", $"the config is no valid YAML: {Reason(e)}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            var meant = NearestPath.IfClose(path) is { } nearest ? $"; the nearest path is {nearest}" : "";
            throw Unreadable(path, $"the config file does not exist{meant}", e, "an existing YAML file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, Directory.Exists(path) ? "is a folder, not a config file" : $"the config file cannot be read: {e.Message}", e);
        }

        ConfigException Unreadable(string location, string problem, Exception e, string? allowed = null) =>
            new(path, [new ConfigError(location, null, problem, allowed)], e);
    }

    /// <summary>Reads an override <c>a.b=value</c>; the groups around the value are groups of one key. Null where it is refused.</summary>
    /// <param name="set">Its text.</param>
    /// <param name="index">Its number among the overrides.</param>
    /// <param name="example">A right one, for the error text.</param>
    /// <param name="refuse">Takes the error.</param>
    public static ConfigMapping? ReadOverride(string set, int index, string example, RefuseAt refuse)
    {
        var place = ConfigPlace.OfOverride(set, index);
        var equals = set.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            refuse(place, null, "an override without a key and an equals sign", $"--set key=value, for example --set {example}");
            return null;
        }
        try
        {
            using var text = new StringReader(set[(equals + 1)..]);
            var value = ConfigNodeParser.Parse(text, _ => place) ?? new ConfigScalar(place, "", Quoted: false);
            string[] names = set[..equals].Trim().Split('.');
            return names.SkipLast(1).Reverse().Aggregate(Group(names[^1], value), (inner, name) => Group(name, inner));
        }
        catch (YamlException e)
        {
            refuse(place, set[..equals].Trim(), $"the value is no valid YAML: {Reason(e)}", null);
            return null;
        }

        ConfigMapping Group(string name, ConfigNode value) => new(place, [new ConfigEntry(name, place, value)]);
    }

    private static string Reason(YamlException e) => string.IsNullOrWhiteSpace(e.Message)
        ? string.Create(CultureInfo.InvariantCulture, $"column {e.Start.Column}")
        : e.Message.ReplaceLineEndings(" ");
}
