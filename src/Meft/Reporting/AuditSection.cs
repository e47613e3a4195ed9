using System.Text;
using System.Text.Json;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting;

/// <summary>
/// The part of a report that shows the data audit: whatever <c>audit.json</c> holds, as lists of names and values. What is zero or empty is left out: an
/// audit counts what may be wrong, and most of it is not.
/// </summary>
internal static class AuditSection
{
    private const int MostItems = 12, MostCharacters = 600;

    /// <summary>The audit; empty where there is none that can be read.</summary>
    /// <param name="path">The run's <c>audit.json</c>.</param>
    public static string Html(string path)
    {
        try
        {
            if (!File.Exists(path)) return "";
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var page = new StringBuilder();
            if (json.RootElement.ValueKind == JsonValueKind.Object) Parts(page, json.RootElement);
            else Value(page, json.RootElement);
            return page.ToString();
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return "";
        }
    }

    /// <summary>Each part of the whole under a heading of its own, before them what belongs to none.</summary>
    private static void Parts(StringBuilder page, JsonElement root)
    {
        List(page, root.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Object));
        foreach (var part in root.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object))
        {
            page.Append($"<h3>{ReportText.Html(Words(part.Name))}</h3>");
            if (IsEmpty(part.Value)) page.Append("<p class=\"note\">none</p>");
            else List(page, part.Value.EnumerateObject());
        }
    }

    private static void List(StringBuilder page, IEnumerable<JsonProperty> properties)
    {
        var shown = properties.Where(p => !IsEmpty(p.Value)).ToList();
        if (shown.Count == 0) return;
        page.Append("<dl class=\"facts\">");
        foreach (var property in shown)
        {
            page.Append($"<dt>{ReportText.Html(Words(property.Name))}</dt><dd>");
            Value(page, property.Value);
            page.Append("</dd>");
        }
        page.Append("</dl>");
    }

    private static void Value(StringBuilder page, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Line(page, value);
                break;
            case JsonValueKind.Array when value.EnumerateArray().All(IsSingle):
                page.Append(ReportText.Html(Short(string.Join(", ", value.EnumerateArray().Select(Single)))));
                break;
            case JsonValueKind.Array when value.EnumerateArray().All(IsPartOfText):
                Text(page, value);
                break;
            case JsonValueKind.Array:
                page.Append("<ul>");
                foreach (var item in value.EnumerateArray().Take(MostItems))
                {
                    page.Append("<li>");
                    Value(page, item);
                    page.Append("</li>");
                }
                page.Append("</ul>");
                if (value.GetArrayLength() is var count and > MostItems) page.Append(Invariant($"<p class=\"note\">{count - MostItems:N0} more</p>"));
                break;
            default:
                page.Append(ReportText.Html(Short(Single(value))));
                break;
        }
    }

    /// <summary>A small object: its single values on one line, numbers with their names; below it what is larger.</summary>
    private static void Line(StringBuilder page, JsonElement item)
    {
        var properties = item.EnumerateObject().ToList();
        page.Append(ReportText.Html(string.Join(" · ", properties.Where(p => IsSingle(p.Value)).Select(
            p => p.Value.ValueKind == JsonValueKind.String ? Short(Single(p.Value)) : $"{Words(p.Name)} {Single(p.Value)}"))));
        foreach (var property in properties.Where(p => !IsSingle(p.Value) && !IsEmpty(p.Value)))
        {
            page.Append("<div>");
            Value(page, property.Value);
            page.Append("</div>");
        }
    }

    /// <summary>A row of data with the tokens marked that are trained.</summary>
    private static void Text(StringBuilder page, JsonElement parts)
    {
        page.Append("<p class=\"row\">");
        var room = MostCharacters;
        foreach (var part in parts.EnumerateArray())
        {
            var text = part.GetProperty("text").GetString()!;
            var cut = text.Length <= room ? text : text[..room] + " …";
            var html = ReportText.Html(cut);
            page.Append(part.GetProperty("is_trained").GetBoolean() ? $"<mark>{html}</mark>" : html);
            if ((room -= text.Length) <= 0) break;
        }
        page.Append("</p>");
    }

    private static bool IsPartOfText(JsonElement value) => value.ValueKind == JsonValueKind.Object
        && value.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
        && value.TryGetProperty("is_trained", out var trained) && trained.ValueKind is (JsonValueKind.True or JsonValueKind.False);

    private static bool IsSingle(JsonElement value) => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);

    private static string Single(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out var whole) => Invariant($"{whole:N0}"),
        JsonValueKind.Number => Invariant($"{value.GetDouble():0.####}"),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => value.ToString(),
    };

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Number => value.GetDouble() == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.EnumerateObject().All(p => IsEmpty(p.Value)),
        _ => false,
    };

    private static string Words(string name) => name.Replace('_', ' ');

    private static string Short(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters] + " …";
}
