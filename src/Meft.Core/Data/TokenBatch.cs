namespace Meft.Core.Data;

/// <summary>
/// A micro-batch: B rows padded on the right to the longest one, S. The arrays are row-major, [B, S]. A padded position has the padding id,
/// the label <see cref="TokenRow.Ignored"/> and the mask 0.
/// </summary>
public sealed class TokenBatch
{
    private TokenBatch(IReadOnlyList<TokenRow> rows, int length, int paddingId)
    {
        Rows = rows;
        Length = length;
        InputIds = new int[rows.Count * length];
        Labels = new int[rows.Count * length];
        AttentionMask = new int[rows.Count * length];
        Array.Fill(InputIds, paddingId);
        Array.Fill(Labels, TokenRow.Ignored);
        for (var b = 0; b < rows.Count; b++)
        {
            rows[b].InputIds.CopyTo(InputIds, b * length);
            rows[b].Labels.CopyTo(Labels, b * length);
            Array.Fill(AttentionMask, 1, b * length, rows[b].Length);
        }
        RealTokens = rows.Sum(r => r.Length);
        TrainedTokens = rows.Sum(r => r.TrainedTokens);
    }

    /// <summary>The rows.</summary>
    public IReadOnlyList<TokenRow> Rows { get; }

    /// <summary>B.</summary>
    public int RowCount => Rows.Count;

    /// <summary>S: the longest row's length.</summary>
    public int Length { get; }

    /// <summary>Ids [B, S].</summary>
    public int[] InputIds { get; }

    /// <summary>Labels [B, S], at the position of their id: the shift is the loss's.</summary>
    public int[] Labels { get; }

    /// <summary>1 at real positions, 0 at padded ones [B, S].</summary>
    public int[] AttentionMask { get; }

    /// <summary>T: positions that are not padded.</summary>
    public int RealTokens { get; }

    /// <summary>Tokens that the loss counts, after the shift.</summary>
    public int TrainedTokens { get; }

    /// <summary>Pads rows to a batch.</summary>
    /// <param name="rows">At least one row.</param>
    /// <param name="paddingId">Any id of the vocabulary: what is computed from it is never used.</param>
    public static TokenBatch Create(IReadOnlyList<TokenRow> rows, int paddingId = 0)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count);
        return new TokenBatch(rows, rows.Max(r => r.Length), paddingId);
    }
}
