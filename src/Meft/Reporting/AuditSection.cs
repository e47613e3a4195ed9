using System.Text;
using System.Text.Json;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting;

/// <summary>The part of a report that shows the data audit: whatever <c>audit.json</c> holds, as lists of names and values.</summary>
internal static class AuditSection
{
    private const int MostItems = 12, MostCharacters = 400;

    /// <summary>The audit; empty where there is none that can be read.</summary>
    /// <param name="path">The run's <c>audit.json</c>.</param>
    public static string Html(string path)
    {
        try
        {
            if (!File.Exists(path)) return "";
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var page = new StringBuilder();
            Append(page, json.RootElement);
            return page.ToString();
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static void Append(StringBuilder page, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                page.Append("<dl class=\"facts\">");
                foreach (var property in value.EnumerateObject().Where(p => !IsEmpty(p.Value)))
                {
                    page.Append($"<dt>{ReportText.Html(property.Name.Replace('_', ' '))}</dt><dd>");
                    Append(page, property.Value);
                    page.Append("</dd>");
                }
                page.Append("</dl>");
                break;
            case JsonValueKind.Array when value.EnumerateArray().All(v => v.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)):
                page.Append(ReportText.Html(Short(string.Join(", ", value.EnumerateArray().Select(v => v.ToString())))));
                break;
            case JsonValueKind.Array:
                page.Append("<ul>");
                foreach (var item in value.EnumerateArray().Take(MostItems))
                {
                    page.Append("<li>");
                    Append(page, item);
                    page.Append("</li>");
                }
                page.Append("</ul>");
                if (value.GetArrayLength() is var count and > MostItems) page.Append(Invariant($"<p class=\"note\">{count - MostItems:N0} more</p>"));
                break;
            case JsonValueKind.Number when value.TryGetInt64(out var whole):
                page.Append(Invariant($"{whole:N0}"));
                break;
            case JsonValueKind.Number:
                page.Append(Invariant($"{value.GetDouble():0.####}"));
                break;
            default:
                page.Append(ReportText.Html(Short(value.ToString())));
                break;
        }
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    private static string Short(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters] + " …";
}
