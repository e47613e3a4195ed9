using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Errors;

namespace Meft.Core.Comparisons.Results;

/// <summary><c>compare.json</c>, written and read.</summary>
internal static class ComparisonJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>One document.</summary>
    public static string Write(ComparisonResult result) => JsonSerializer.Serialize(result, Options) + "\n";

    /// <summary>Reads a document and sees that its parts belong together.</summary>
    public static ComparisonResult Read(string json, string path)
    {
        ComparisonResult? result;
        try
        {
            result = JsonSerializer.Deserialize<ComparisonResult>(json, Options);
        }
        catch (JsonException e)
        {
            throw Refused(path, $"it is no result of a comparison: {e.Message}", e);
        }
        if (result is null) throw Refused(path, "it is null");
        if (Fault(result) is { } fault) throw Refused(path, fault);
        return result;
    }

    /// <summary>What does not belong together; null where all does.</summary>
    private static string? Fault(ComparisonResult result)
    {
        if (result.Figures.Any(f => f is null) || result.Methods.Any(m => m is null)) return "a list holds null";
        if (Fault("before", result.Before, result.Figures.Count) is { } before) return before;
        foreach (var method in result.Methods)
        {
            if (Fault($"method {method.Name}", method.Figures, result.Figures.Count) is { } fault) return fault;
            if (method.Grid.Any(g => g is null) || method.DeadExperts.Any(l => l is null) || method.DeadRows.Any(l => l is null))
                return $"a list of method {method.Name} holds null";
        }
        return result.Reference is { } reference && result.Methods.All(m => m.Name != reference) ? $"the reference {reference} is none of its methods" : null;
    }

    private static string? Fault(string where, IReadOnlyList<FigureValue>? values, int figures) =>
        values is null ? null
        : values.Count != figures ? $"{where} has {values.Count} values for {figures} figures"
        : values.Any(v => v is null) ? $"a value of {where} is null"
        : null;

    private static InvalidInputException Refused(string path, string problem, Exception? cause = null) =>
        new(problem, path, null, "move it away; meft compare then makes it anew from the runs beside it", cause);
}
