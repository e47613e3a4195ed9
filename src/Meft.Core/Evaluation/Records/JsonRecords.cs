using System.Text.Json;
using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;

namespace Meft.Core.Evaluation.Records;

/// <summary>Takes records out of a JSON document along a path; a record's fields are its own and those of the objects around it.</summary>
internal sealed class JsonRecords(RecordPath path, Func<int, RowOrigin> originOf)
{
    /// <summary>What a record that is no object is called in templates.</summary>
    public const string WholeRecord = "row";

    private int _index;

    /// <summary>The records in order, lazily.</summary>
    /// <exception cref="InvalidInputException">Something on the path is missing or of another kind; a record holds what is no Unicode.</exception>
    public IEnumerable<EvalRecord> Read(JsonElement document) => Read(document, 0, new Dictionary<string, Value>());

    private IEnumerable<EvalRecord> Read(JsonElement value, int step, IReadOnlyDictionary<string, Value> outer)
    {
        if (step == path.Steps.Count)
        {
            var origin = originOf(_index++);
            yield return new EvalRecord(origin, FieldsOf(value, origin, outer));
            yield break;
        }
        if (path.Steps[step] is not { } name)
        {
            if (value.ValueKind != JsonValueKind.Array) throw Refuse($"{path.Describe(step)} is {KindOf(value)}", "a list");
            foreach (var item in value.EnumerateArray())
            {
                foreach (var record in Read(item, step + 1, outer)) yield return record;
            }
            yield break;
        }
        if (value.ValueKind != JsonValueKind.Object) throw Refuse($"{path.Describe(step)} is {KindOf(value)}", "an object");
        var around = FieldsOf(value, originOf(_index), outer, without: name); // first: it refuses names that are no Unicode
        if (!value.TryGetProperty(name, out var inner))
        {
            var keys = FieldsOf(value, originOf(_index), new Dictionary<string, Value>()).Keys.ToList();
            var meant = NearestName.IfClose(name, keys) is { } nearest ? $" (did the task mean {nearest}?)" : "";
            throw Refuse($"{path.Describe(step)} has no \"{name}\"{meant}", $"what the task's data.rows asks for, {path.Describe(path.Steps.Count)}");
        }
        foreach (var record in Read(inner, step + 1, around)) yield return record;
    }

    private static Dictionary<string, Value> FieldsOf(
        JsonElement value, RowOrigin origin, IReadOnlyDictionary<string, Value> outer, string? without = null)
    {
        var fields = new Dictionary<string, Value>(outer);
        try
        {
            if (value.ValueKind != JsonValueKind.Object) fields[WholeRecord] = ValueConversion.FromJson(value);
            else
            {
                foreach (var member in value.EnumerateObject())
                {
                    if (member.Name != without) fields[member.Name] = ValueConversion.FromJson(member.Value);
                }
            }
        }
        catch (Exception e) when (e is JinjaException or InvalidOperationException) // the latter for names and texts that are no Unicode
        {
            throw new InvalidInputException($"the record cannot be read: {e.Message}", origin.ToString(), null, null, e);
        }
        return fields;
    }

    private InvalidInputException Refuse(string problem, string allowed) => new(problem, originOf(_index).ToString(), allowed);

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
