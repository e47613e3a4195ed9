using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.Kernels;

namespace Meft.Training.Runs;

/// <summary>
/// What a step that was not finite leaves behind, so that it can be looked into: <c>failure.json</c> with the numbers and where each row came from,
/// and <c>rows.jsonl</c> with the rows of the step, <c>{"input_ids","labels"}</c>, in the order in which <c>failure.json</c> lists them.
/// </summary>
internal static class FailureFolder
{
    public const string RowsFileName = "rows.jsonl";
    public const string FailureFileName = "failure.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // The numbers of interest are the ones that JSON has no literal for: "NaN", "Infinity".
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a step's evidence in place of an older one of the same step.</summary>
    /// <param name="path">The folder; made where it is missing.</param>
    /// <param name="failure">What is not finite, and where.</param>
    /// <param name="microBatches">The step's rows.</param>
    /// <param name="rate">The step's learning rate.</param>
    /// <param name="previous">The step before; null where there is none.</param>
    /// <param name="checkpoints">The steps of the complete checkpoints.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="RunFailedException">It cannot be written; the text says what was not finite, too.</exception>
    public static string Write(
        string path, NonFiniteException failure, IReadOnlyList<IReadOnlyList<TokenRow>> microBatches, double rate, StepResult? previous,
        IReadOnlyList<int> checkpoints)
    {
        var suspects = failure.Rows.ToHashSet(ReferenceEqualityComparer.Instance);
        var rows = microBatches.SelectMany((batch, index) => batch.Select(row => (MicroBatch: index, Row: row))).ToList();
        var evidence = new
        {
            failure.Step,
            failure.Kind,
            failure.Where,
            failure.MicroBatch,
            Loss = failure.Kind == NonFiniteKind.Loss ? failure.Value : (double?)null,
            GradNorm = failure.Kind == NonFiniteKind.Gradient ? failure.Value : (double?)null,
            LearningRate = rate,
            PreviousStep = previous is { } p ? new { p.Loss, GradNorm = p.GradientNorm } : null,
            LastCheckpoint = checkpoints.Count > 0 ? checkpoints.Max() : (int?)null,
            Threads = KernelThreads.Count,
            failure.Message,
            RowsFile = RowsFileName,
            Rows = rows.Select((r, i) => new
            {
                Index = i,
                r.MicroBatch,
                Origin = r.Row.Origin.ToString(),
                Tokens = r.Row.Length,
                r.Row.TrainedTokens,
                Suspect = suspects.Contains(r.Row),
            }),
        };
        try
        {
            Directory.CreateDirectory(path);
            AtomicFile.WriteAllText(
                Path.Combine(path, RowsFileName),
                string.Concat(rows.Select(r => $"{{\"input_ids\":[{string.Join(',', r.Row.InputIds)}],\"labels\":[{string.Join(',', r.Row.Labels)}]}}\n")));
            AtomicFile.WriteAllText(Path.Combine(path, FailureFileName), JsonSerializer.Serialize(evidence, Json) + "\n");
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RunFailedException)
        {
            throw new RunFailedException($"{failure.Message} Its rows cannot be written: {e.Message}", path, null, null, failure);
        }
    }
}
