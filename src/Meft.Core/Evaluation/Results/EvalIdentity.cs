using System.Text.Json;

namespace Meft.Core.Evaluation.Results;

/// <summary>What the rows of an evaluation depend on, by name: two evaluations with the same have the same rows.</summary>
/// <param name="Facts">Names and values, for example <c>model</c> and the hash of its files.</param>
public sealed record EvalIdentity(IReadOnlyDictionary<string, string> Facts)
{
    private const string Key = "eval";

    /// <summary>The first line of a file of rows.</summary>
    public string ToLine() => JsonSerializer.Serialize(new Dictionary<string, object> { [Key] = Facts });

    /// <summary>The names of what differs.</summary>
    public IReadOnlyList<string> Differences(EvalIdentity other) =>
        [.. Facts.Keys.Union(other.Facts.Keys).Where(name => Facts.GetValueOrDefault(name) != other.Facts.GetValueOrDefault(name))];

    /// <summary>Reads a first line; null where it is none.</summary>
    public static EvalIdentity? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, string>>>(line) is { Count: 1 } document
                && document.TryGetValue(Key, out var facts) && facts is not null ? new EvalIdentity(facts) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
