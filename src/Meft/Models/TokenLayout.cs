using Meft.Core.Formats.HuggingFace;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Where the T real tokens of a batch stand. Hidden states exist for real tokens only, row after row: h [T, D]; only attention
/// spreads them over [B, S], each row beginning at 0, and gathers them back. Padding of the input is dropped at the entrance and
/// has no influence on anything.
/// </summary>
public sealed class TokenLayout : IDisposable
{
    private readonly Dictionary<(RopeConfig Rope, ScalarType Type), RotaryTables> _rotaries = [];
    private readonly Dictionary<(int Keys, int Window, ScalarType Type), Tensor> _masks = [];
    private readonly int[] _sources;
    private Tensor? _sourceIndices;
    private LengthClasses? _classes;

    private TokenLayout(int[] lengths, int[] starts, int[] sources, int sourceWidth, Device device)
    {
        Lengths = lengths;
        Starts = starts;
        Length = lengths.Length == 0 ? 0 : lengths.Max();
        TokenCount = lengths.Sum();
        if (TokenCount == 0) throw new ArgumentException("a layout needs at least one token", nameof(lengths));
        SourceWidth = sourceWidth;
        Device = device;
        _sources = sources;

        var positions = new long[TokenCount];
        var slots = new long[TokenCount];
        var offsets = new int[lengths.Length];
        for (int row = 0, t = 0; row < lengths.Length; row++)
        {
            offsets[row] = t;
            for (var i = 0; i < lengths[row]; i++, t++)
            {
                positions[t] = starts[row] + i;
                slots[t] = (long)row * Length + i;
            }
        }
        Offsets = offsets;
        using var noScope = NewDisposeScope();
        Positions = tensor(positions, int64, device).DetachFromDisposeScope();
        if (TokenCount == lengths.Length * Length) return;

        // A slot without a token shows one of its row's tokens (or the first of all): what stands there is never read.
        var tokens = new long[(long)lengths.Length * Length];
        for (var row = 0; row < lengths.Length; row++)
            for (var i = 0; i < Length; i++)
                tokens[row * Length + i] = lengths[row] == 0 ? 0 : offsets[row] + Math.Min(i, lengths[row] - 1);
        var emptySlots = Enumerable.Range(0, tokens.Length).Where(s => s % Length >= lengths[s / Length]).Select(s => (long)s).ToArray();
        Slots = tensor(slots, int64, device).DetachFromDisposeScope();
        SlotTokens = tensor(tokens, int64, device).DetachFromDisposeScope();
        EmptySlots = tensor(emptySlots, int64, device).DetachFromDisposeScope();
    }

    /// <summary>B, the rows.</summary>
    public int Rows => Lengths.Count;

    /// <summary>S, the longest row's real length in tokens.</summary>
    public int Length { get; }

    /// <summary>T, the real tokens of all rows.</summary>
    public int TokenCount { get; }

    /// <summary>The real length of each row.</summary>
    public IReadOnlyList<int> Lengths { get; }

    /// <summary>The index of each row's first token among the T.</summary>
    public IReadOnlyList<int> Offsets { get; }

    /// <summary>The position of each row's first token: 0, or what a cache already holds of the row.</summary>
    public IReadOnlyList<int> Starts { get; }

    /// <summary>The width of the batch that the layout was made from: S for packed rows, more where a mask had idle columns.</summary>
    public int SourceWidth { get; }

    /// <summary>Where the indices live.</summary>
    public Device Device { get; }

    /// <summary>[T] int64: each token's position in its row, from 0.</summary>
    public Tensor Positions { get; }

    /// <summary>[T] int64: where each token stands in the flattened [B, S]; null where every slot has a token.</summary>
    internal Tensor? Slots { get; }

    /// <summary>[B·S] int64: a token for each slot; null where every slot has its own.</summary>
    internal Tensor? SlotTokens { get; }

    /// <summary>int64: the slots of the flattened [B, S] without a token; null where there are none.</summary>
    internal Tensor? EmptySlots { get; }

    /// <summary>
    /// Whether spreading over [B, S] would take more than twice the tokens: rows of unlike length, as bins of packed rows hold them. Attention
    /// that spreads then takes the rows by <see cref="Classes"/>.
    /// </summary>
    internal bool IsSparse => (long)Rows * Length > 2L * TokenCount;

    /// <summary>The rows in classes of like length; made at the first call and kept.</summary>
    internal LengthClasses Classes => _classes ??= new LengthClasses(this);

    /// <summary>Rows of these lengths, their tokens already packed one row after another.</summary>
    /// <param name="lengths">The length of each row.</param>
    /// <param name="device">Where the indices shall live.</param>
    /// <param name="starts">The position of each row's first token, where a cache holds earlier ones; null for 0.</param>
    public static TokenLayout FromLengths(IReadOnlyList<int> lengths, Device device, IReadOnlyList<int>? starts = null)
    {
        if (lengths.Any(length => length < 0)) throw new ArgumentException("a row's length is negative", nameof(lengths));
        if (starts is not null && starts.Count != lengths.Count) throw new ArgumentException("one start a row is needed", nameof(starts));
        int[] rows = [.. lengths];
        var width = rows.Length == 0 ? 0 : rows.Max();
        var sources = rows.SelectMany((length, row) => Enumerable.Range(row * width, length)).ToArray();
        return new TokenLayout(rows, starts is null ? new int[rows.Length] : [.. starts], sources, width, device);
    }

    /// <summary>The real tokens of a padded batch.</summary>
    /// <param name="mask">[B, S], nonzero at real tokens; each row's real tokens are adjacent, padding lies left or right of them.</param>
    /// <param name="device">Where the indices shall live.</param>
    /// <exception cref="ArgumentException">A row has padding between real tokens, or there is no real token at all.</exception>
    public static TokenLayout FromMask(Tensor mask, Device device)
    {
        using var scope = NewDisposeScope();
        int rows = (int)mask.shape[0], width = (int)mask.shape[1];
        var real = mask.IsNot(0).cpu().contiguous().data<bool>().ToArray();
        var lengths = new int[rows];
        var sources = new List<int>();
        for (var row = 0; row < rows; row++)
        {
            var columns = Enumerable.Range(0, width).Where(column => real[row * width + column]).ToList();
            lengths[row] = columns.Count;
            if (columns.Count > 0 && columns[^1] - columns[0] + 1 != columns.Count)
                throw new ArgumentException($"row {row} has padding between real tokens", nameof(mask));
            sources.AddRange(columns.Select(column => row * width + column));
        }
        return new TokenLayout(lengths, new int[rows], [.. sources], width, device);
    }

    /// <summary>padded [B, W, …] (W: <see cref="SourceWidth"/>) → its real tokens [T, …].</summary>
    public Tensor Pack(Tensor padded)
    {
        using var scope = NewDisposeScope();
        return padded.flatten(0, 1).index_select(0, SourceIndices()).MoveToOuterDisposeScope();
    }

    /// <summary>packed [T, …] → [B, W, …] with a fill value at padding.</summary>
    public Tensor Unpack(Tensor packed, double fill = 0)
    {
        using var scope = NewDisposeScope();
        long[] rest = packed.shape[1..];
        var padded = ScalarOperations.Filled([(long)Rows * SourceWidth, .. rest], fill, packed.dtype, packed.device);
        return padded.index_copy(0, SourceIndices(), packed).view([Rows, SourceWidth, .. rest]).MoveToOuterDisposeScope();
    }

    /// <summary>The index among the T of each row's last token; rows must not be empty.</summary>
    public Tensor LastTokens() =>
        tensor([.. Lengths.Select((length, row) => (long)Offsets[row] + length - 1)], int64, Device);

    /// <summary>The cosines and sines of these tokens; made at the first call and kept.</summary>
    internal RotaryTables Rotary(RopeConfig rope, int headSize, ScalarType type)
    {
        if (_rotaries.TryGetValue((rope, type), out var tables)) return tables;
        return _rotaries[(rope, type)] = RotaryTables.Of(this, RotaryFrequencies.Of(rope, headSize), type);
    }

    /// <summary>
    /// [B or 1, 1, S, keys]: what is added to attention scores, 0 where a token sees a key and −∞ where not. Key j stands at the
    /// row's position j. Made at the first call and kept.
    /// </summary>
    /// <param name="keys">The number of keys.</param>
    /// <param name="window">The last tokens that are seen, itself included; null for all.</param>
    /// <param name="type">The type of the scores.</param>
    internal Tensor Mask(int keys, int? window, ScalarType type)
    {
        var key = (keys, window ?? int.MaxValue, type);
        if (_masks.TryGetValue(key, out var mask)) return mask;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        long[] starts = Starts.Distinct().Count() == 1 ? [Starts[0]] : [.. Starts.Select(s => (long)s)];
        var queries = tensor(starts, int64, Device).view(-1, 1, 1, 1).Plus(ScalarOperations.Counting(Length, int64, Device).view(1, 1, -1, 1));
        var distance = queries - ScalarOperations.Counting(keys, int64, Device).view(1, 1, 1, -1);
        var hidden = distance.IsBelow(0).logical_or(distance.IsAtLeast(window ?? int.MaxValue));
        mask = zeros(hidden.shape, type, Device).Masked(hidden, double.NegativeInfinity);
        return _masks[key] = mask.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Positions.Dispose();
        Slots?.Dispose();
        SlotTokens?.Dispose();
        EmptySlots?.Dispose();
        _sourceIndices?.Dispose();
        _classes?.Dispose();
        _classes = null;
        foreach (var tables in _rotaries.Values) tables.Dispose();
        foreach (var mask in _masks.Values) mask.Dispose();
        _rotaries.Clear();
        _masks.Clear();
    }

    private Tensor SourceIndices() =>
        _sourceIndices ??= tensor([.. _sources.Select(s => (long)s)], int64, Device).DetachFromDisposeScope();
}
