namespace Meft.Core.Planning;

/// <summary>The sizes that decide what crosses the link between host and device.</summary>
/// <param name="HiddenSize">D.</param>
/// <param name="Width">w: bytes an element of the device's activations.</param>
/// <param name="Rank">R.</param>
/// <param name="Experts">N; 0 without a router.</param>
/// <param name="Probe">P.</param>
/// <param name="TopK">k; 0 for no limit.</param>
/// <param name="Recompute">Whether a layer's forward pass runs a second time in the backward; the selection and x are remembered on the host.</param>
public sealed record LinkSizes(long HiddenSize, int Width, long Rank, long Experts, long Probe, long TopK, bool Recompute = false);

/// <summary>Bytes that cross the link for one adapted layer and one micro-batch of T tokens (method.md, section 5).</summary>
/// <param name="ToHost">From the device to the host.</param>
/// <param name="ToDevice">From the host to the device.</param>
public readonly record struct LinkTraffic(long ToHost, long ToDevice)
{
    /// <summary>
    /// What an entry of the selection sends to a backward pass: its token, its place in the union, its score, its product K·x, its coefficient and its
    /// place among the token's probes, 4 bytes each.
    /// </summary>
    public const int BackwardEntryBytes = 6 * sizeof(int);

    /// <summary>What it sends to a forward pass: token, place in the union, score.</summary>
    public const int ForwardEntryBytes = 3 * sizeof(int);

    private const int Single = sizeof(float);

    /// <summary>Both directions.</summary>
    public long Total => ToHost + ToDevice;

    /// <summary>Activations travel: x and dy to the host, y (twice with recompute) and dx to the device, T·D·w each.</summary>
    public static LinkTraffic OfActivations(LinkSizes sizes, long tokens)
    {
        var hidden = tokens * sizes.HiddenSize * sizes.Width;
        return new LinkTraffic(2 * hidden, (sizes.Recompute ? 3 : 2) * hidden);
    }

    /// <summary>
    /// Rows travel. To the host: x (T·D·w), the gradients of K's and V's active rows (2·U·D·4) and, with experts, those of the coefficients (T·P·4).
    /// To the device: V's active rows in a forward pass, for the scores come with the selection (U·D·w), K's and V's in the backward (2·U·D·w; with
    /// recompute V comes with the second forward and is kept), the selection with each pass, and, with experts, the gate's share of dx (T·D·w).
    /// </summary>
    /// <param name="sizes">The sizes.</param>
    /// <param name="tokens">T.</param>
    /// <param name="union">U: distinct active rows.</param>
    /// <param name="entries">Active entries of all tokens: at most T times what a token may activate.</param>
    public static LinkTraffic OfRows(LinkSizes sizes, long tokens, long union, long entries)
    {
        var hidden = tokens * sizes.HiddenSize * sizes.Width;
        var rows = union * sizes.HiddenSize;
        var routed = sizes.Experts > 0;
        var selections = entries * (((sizes.Recompute ? 2 : 1) * ForwardEntryBytes) + BackwardEntryBytes);
        return new LinkTraffic(
            hidden + (2 * rows * Single) + (routed ? tokens * sizes.Probe * Single : 0),
            (3 * rows * sizes.Width) + selections + (routed ? hidden : 0));
    }

    /// <summary>As the other overload, with the expected union and the most entries there can be.</summary>
    public static LinkTraffic OfRows(LinkSizes sizes, long tokens) => OfRows(
        sizes, tokens, ExpectedUnion.Rows(sizes.Rank, sizes.Experts, sizes.Probe, sizes.TopK, tokens),
        tokens * ExpectedUnion.MostPerToken(sizes.Rank, sizes.Experts, sizes.Probe, sizes.TopK));

    /// <summary>
    /// The least T at which rows that travel would cost less than activations; null where that never happens (up to 2^24 tokens): a token more
    /// always brings its selection along.
    /// </summary>
    public static long? BreakEvenTokens(LinkSizes sizes)
    {
        bool RowsAreCheaper(long tokens) => OfRows(sizes, tokens).Total < OfActivations(sizes, tokens).Total;
        long end = 1;
        while (!RowsAreCheaper(end))
        {
            if (end >= 1 << 24) return null;
            end *= 2;
        }
        // The union's share of the cost only falls as T grows, so that there is one crossing.
        var start = end / 2;
        while (end - start > 1)
        {
            var middle = start + (end - start) / 2;
            if (RowsAreCheaper(middle)) end = middle;
            else start = middle;
        }
        return end;
    }
}
