using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text.Json;

namespace Meft.Core.Data.Files;

/// <summary>
/// Makes an object of a table's row, by column names. A column that holds lists (<c>messages</c>, <c>input_ids</c>, <c>labels</c>,
/// <c>tools</c>) may hold them as JSON text. An empty one of those, and a null, is as if the column were not there.
/// </summary>
internal static class CellObject
{
    private static readonly HashSet<string> JsonColumns = ["messages", "input_ids", "labels", "tools"];

    /// <summary>The row as an object.</summary>
    /// <param name="cells">The cells with their columns' names.</param>
    /// <param name="origin">Where the row stands.</param>
    public static FileRow Of(IEnumerable<KeyValuePair<string, object?>> cells, RowOrigin origin)
    {
        var buffer = new ArrayBufferWriter<byte>();
        try
        {
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                foreach (var (name, value) in cells)
                {
                    if (value is null || (value is string { Length: 0 } && JsonColumns.Contains(name))) continue;
                    json.WritePropertyName(name);
                    if (value is string text && JsonColumns.Contains(name)) WriteJson(json, name, text, origin);
                    else Write(json, value, name, origin);
                }
                json.WriteEndObject();
            }
            using var document = JsonDocument.Parse(buffer.WrittenMemory);
            return new FileRow(origin, document.RootElement.Clone());
        }
        catch (RowException e)
        {
            return FileRow.Bad(e);
        }
        catch (ArgumentException e)
        {
            return FileRow.Bad(new RowException("the row holds a character that Unicode does not have", origin, "Unicode text", null, e));
        }
    }

    private static void WriteJson(Utf8JsonWriter json, string name, string text, RowOrigin origin)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            document.RootElement.WriteTo(json);
        }
        catch (JsonException e)
        {
            throw new RowException(
                $"the column \"{name}\" holds no valid JSON (byte {e.BytePositionInLine + 1 ?? 1})", origin, "a list, written as JSON with double quotes", null, e);
        }
    }

    private static void Write(Utf8JsonWriter json, object? value, string column, RowOrigin origin)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case IDictionary<string, object?> members:
                json.WriteStartObject();
                foreach (var (name, member) in members)
                {
                    if (member is null) continue;
                    json.WritePropertyName(name);
                    Write(json, member, column, origin);
                }
                json.WriteEndObject();
                break;
            case IEnumerable items:
                json.WriteStartArray();
                foreach (var item in items) Write(json, item, column, origin);
                json.WriteEndArray();
                break;
            case double.NaN or double.PositiveInfinity or double.NegativeInfinity or float.NaN or float.PositiveInfinity or float.NegativeInfinity:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case IFormattable number when value.GetType().IsPrimitive || value is decimal:
                json.WriteRawValue(number.ToString(null, CultureInfo.InvariantCulture));
                break;
            // A column of dates and the like is none that rows are made of.
            default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }
}
