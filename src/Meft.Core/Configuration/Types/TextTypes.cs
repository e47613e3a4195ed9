using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Meft.Core.Configuration.Types;

/// <summary><c>true</c> or <c>false</c>.</summary>
internal sealed class BooleanType : ConfigType<bool>
{
    /// <inheritdoc/>
    public override string Allowed => "true | false";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out bool value)
    {
        value = node is ConfigScalar { Text: "true" or "True" or "TRUE" };
        return node is ConfigScalar { Quoted: false, Text: "true" or "True" or "TRUE" or "false" or "False" or "FALSE" }
            ? null
            : IsNo(node, "neither true nor false");
    }

    /// <inheritdoc/>
    public override string Write(bool value) => value ? "true" : "false";
}

/// <summary>One of an enumeration's names.</summary>
internal sealed class ChoiceType<T> : ConfigType<T> where T : struct, Enum
{
    /// <inheritdoc/>
    public override string Allowed => string.Join(" | ", ChoiceName.All<T>());

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out T value)
    {
        var found = node is ConfigScalar scalar ? ChoiceName.Find<T>(scalar.Text) : null;
        value = found ?? default;
        if (found is not null) return null;
        var meant = node is ConfigScalar unknown ? NearestName.IfClose(unknown.Text, ChoiceName.All<T>()) : null;
        return IsNo(node, "none of the known values") + (meant is null ? "" : $" (did you mean {meant}?)");
    }

    /// <inheritdoc/>
    public override string Write(T value) => ChoiceName.Of(value);
}

/// <summary>Where to compute.</summary>
internal sealed partial class DeviceType : ConfigType<string>
{
    /// <inheritdoc/>
    public override string Allowed => "auto | cpu | cuda | cuda:N";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out string value)
    {
        value = node is ConfigScalar scalar ? scalar.Text : "";
        return Pattern().IsMatch(value) ? null : IsNo(node, "no device");
    }

    /// <inheritdoc/>
    public override string Write(string value) => value;

    [GeneratedRegex(@"^(auto|cpu|cuda(:[0-9]{1,3})?)\z")]
    private static partial Regex Pattern();
}

/// <summary>Text that is not empty.</summary>
internal sealed class TextType : ConfigType<string>
{
    /// <inheritdoc/>
    public override string Allowed => "a text";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out string value)
    {
        value = node is ConfigScalar scalar ? scalar.Text : "";
        return value.Length == 0 ? IsNo(node, "no text") : null;
    }

    /// <inheritdoc/>
    public override string Write(string value) => Quote(value);

    /// <summary>A text in YAML's double quotes.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (c < ' ' || c is >= '\x7f' and <= '\xa0' or '\u2028' or '\u2029' or '\ufeff' || char.IsSurrogate(c) || c >= '\ufffe')
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }
}

/// <summary>A file or folder, made absolute.</summary>
internal sealed class PathType(string what) : ConfigType<string>
{
    /// <inheritdoc/>
    public override string Allowed => $"{what}, absolute or relative to the config file";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out string value)
    {
        value = "";
        if (node is not ConfigScalar { Text.Length: > 0 } scalar) return IsNo(node, "no path");
        if (scalar.Text.Contains('\0', StringComparison.Ordinal)) return "a path cannot hold a NUL character";
        value = Path.GetFullPath(scalar.Text, folder);
        return null;
    }

    /// <inheritdoc/>
    public override string Write(string value) => TextType.Quote(value);
}
