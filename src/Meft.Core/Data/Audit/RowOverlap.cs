using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Meft.Core.Data;

/// <summary>Rows that stand in the training data and in the validation data as well: a loss measured on them tells nothing of other rows.</summary>
/// <param name="IdenticalRows">Validation rows whose ids are those of a training row.</param>
/// <param name="IdenticalPrompts">Further validation rows that begin with the same untrained tokens as a training row, up to the first trained one.</param>
/// <param name="FirstRows">The places of the first identical rows.</param>
/// <param name="FirstPrompts">The places of the first identical prompts.</param>
public sealed record RowOverlap(
    int IdenticalRows, int IdenticalPrompts, IReadOnlyList<SharedRow> FirstRows, IReadOnlyList<SharedRow> FirstPrompts)
{
    private const int Named = 3;

    /// <summary>Looks for rows that both have.</summary>
    /// <param name="train">Rows to train on.</param>
    /// <param name="validation">Rows to measure the loss on.</param>
    public static RowOverlap Find(IEnumerable<TokenRow> train, IReadOnlyCollection<TokenRow> validation)
    {
        // Only what stands in the validation data is kept, which is the smaller part.
        var rows = new Dictionary<UInt128, RowOrigin?>();
        var prompts = new Dictionary<UInt128, RowOrigin?>();
        foreach (var row in validation)
        {
            rows[HashOf(row.InputIds)] = null;
            if (PromptOf(row) is { Length: > 0 } prompt) prompts[HashOf(prompt)] = null;
        }
        foreach (var row in train)
        {
            Note(rows, HashOf(row.InputIds), row.Origin);
            if (PromptOf(row) is { Length: > 0 } prompt) Note(prompts, HashOf(prompt), row.Origin);
        }
        List<SharedRow> sharedRows = [], sharedPrompts = [];
        var (rowCount, promptCount) = (0, 0);
        foreach (var row in validation)
        {
            if (rows[HashOf(row.InputIds)] is { } same) Add(ref rowCount, sharedRows, row.Origin, same);
            else if (PromptOf(row) is { Length: > 0 } prompt && prompts[HashOf(prompt)] is { } asked) Add(ref promptCount, sharedPrompts, row.Origin, asked);
        }
        return new RowOverlap(rowCount, promptCount, sharedRows, sharedPrompts);
    }

    private static void Add(ref int count, List<SharedRow> shared, RowOrigin validation, RowOrigin train)
    {
        if (count++ < Named) shared.Add(new SharedRow(validation.ToString(), train.ToString()));
    }

    private static void Note(Dictionary<UInt128, RowOrigin?> places, UInt128 hash, RowOrigin origin)
    {
        if (places.TryGetValue(hash, out var known) && known is null) places[hash] = origin;
    }

    /// <summary>The tokens before the first trained one; none where nearly all of the row is trained, as of a text.</summary>
    private static int[] PromptOf(TokenRow row)
    {
        var first = Array.FindIndex(row.Labels, 1, label => label != TokenRow.Ignored);
        return first > 1 ? row.InputIds[..first] : [];
    }

    private static UInt128 HashOf(int[] ids)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(ids.AsSpan()), hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }
}

/// <summary>A row of the validation data that is in the training data too.</summary>
/// <param name="Validation">Its place in the validation data.</param>
/// <param name="Train">The first such place in the training data.</param>
public sealed record SharedRow(string Validation, string Train);
