using Meft.Core.Formats.HuggingFace;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// The keys and values of the tokens a batch has already seen: [B, Hkv, capacity, hd] a layer, allocated once, for the longest that a row
/// may grow, and written in place: a step copies its own tokens and nothing else, however long the rows are. Each row has its own length
/// and begins at 0, so rows of different lengths go on together. Where the own attention reads the cache (float32 and bfloat16 in host
/// memory) a row may lie in any slot: one that leaves the batch, or that others take the place of, moves nothing. Used without gradients.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;
    private readonly int[] _lengths;
    private readonly int[] _slots;
    private readonly bool _isScattered;
    private readonly int _heads;
    private nint[]? _keyAddresses;
    private nint[]? _valueAddresses;
    private TokenLayout? _layout;
    private Tensor? _targets;

    /// <param name="config">The model.</param>
    /// <param name="rows">B, the rows at the start and at most.</param>
    /// <param name="capacity">The longest a row may grow, in tokens.</param>
    /// <param name="device">The model's device.</param>
    /// <param name="type">The model's type.</param>
    public KeyValueCache(ModelConfig config, int rows, int capacity, Device device, ScalarType type)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _heads = config.KeyValueHeadCount;
        _lengths = new int[rows];
        _slots = [.. Enumerable.Range(0, rows)];
        Rows = rows;
        Capacity = capacity;
        // Zeros, since what a row has not reached yet is multiplied by a weight of zero: it must be finite.
        Tensor Allocate() => zeros([rows, _heads, capacity, config.HeadSize], type, device).DetachFromDisposeScope();
        _keys = [.. Enumerable.Range(0, config.LayerCount).Select(_ => Allocate())];
        _values = [.. Enumerable.Range(0, config.LayerCount).Select(_ => Allocate())];
        _isScattered = HostFloats.Takes(_keys[0]);
    }

    /// <summary>B, the rows that are still in the batch.</summary>
    public int Rows { get; private set; }

    /// <summary>The longest a row may grow, in tokens.</summary>
    public int Capacity { get; }

    /// <summary>The tokens each row holds.</summary>
    public IReadOnlyList<int> Lengths => new ArraySegment<int>(_lengths, 0, Rows);

    /// <summary>A layout of the next tokens of each row, behind what the cache holds.</summary>
    /// <param name="counts">How many tokens each row brings; null for one each.</param>
    public TokenLayout Next(IReadOnlyList<int>? counts = null) =>
        TokenLayout.FromLengths(counts ?? [.. Enumerable.Repeat(1, Rows)], _keys[0].device, [.. Lengths]);

    /// <summary>The slot that each row lies in.</summary>
    internal IReadOnlyList<int> Slots => new ArraySegment<int>(_slots, 0, Rows);

    /// <summary>Bytes of earlier tokens that were moved or copied since the cache was made.</summary>
    internal long CopiedBytes { get; private set; }

    /// <summary>Forgets a row's tokens: it begins anew.</summary>
    public void ForgetRow(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        _lengths[row] = 0;
    }

    /// <summary>Takes a row out of the batch: the last row gets its number.</summary>
    public void RemoveRow(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        var last = Rows - 1;
        if (_isScattered) (_slots[row], _slots[last]) = (_slots[last], _slots[row]);
        else if (row != last) CopyRow(last, row, _lengths[last]);
        _lengths[row] = _lengths[last];
        Rows = last;
    }

    /// <summary>
    /// Makes row i what row sources[i] was: the step of a beam search. There may be fewer or more rows than before, up to those
    /// that the cache was made for. Only a row that is chosen more than once is copied, once for each time beyond the first.
    /// </summary>
    public void SelectRows(IReadOnlyList<int> sources)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sources.Count, _lengths.Length, nameof(sources));
        if (sources.Any(source => source < 0 || source >= Rows)) throw new ArgumentException("a source is no row", nameof(sources));
        int[] lengths = [.. sources.Select(s => _lengths[s])];
        if (_isScattered) SelectSlots(sources);
        else if (sources.Where((source, row) => source != row).Any()) SelectInPlace(sources);
        lengths.CopyTo(_lengths, 0);
        Rows = sources.Count;
    }

    /// <summary>
    /// Writes one layer's keys and values of new tokens, each [T, Hkv, hd], behind those of their rows. The rows' lengths
    /// grow only by <see cref="Advance"/>, after the last layer.
    /// </summary>
    internal void Write(int layer, Tensor keys, Tensor values, TokenLayout layout)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var targets = Targets(layout);
        var size = keys.shape[2];
        _keys[layer].view(-1, size).index_copy_(0, targets, keys.detach().reshape(-1, size));
        _values[layer].view(-1, size).index_copy_(0, targets, values.detach().reshape(-1, size));
    }

    /// <summary>The addresses of all layers' keys and values for a layout's tokens, which <see cref="KeyValueSlots"/> writes in place.</summary>
    internal unsafe KeyValueSlots Open(TokenLayout layout)
    {
        Check(layout);
        _keyAddresses ??= [.. _keys.Select(tensor => (nint)TensorMemory.Pointer(tensor))];
        _valueAddresses ??= [.. _values.Select(tensor => (nint)TensorMemory.Pointer(tensor))];
        return new KeyValueSlots(_keyAddresses, _valueAddresses, [.. Slots], layout, Capacity, _heads, (int)_keys[0].shape[3]);
    }

    /// <summary>One layer's keys and values, each [rows at most, Hkv, capacity, hd].</summary>
    internal (Tensor Keys, Tensor Values) Layer(int layer) => (_keys[layer], _values[layer]);

    /// <summary>Counts the tokens of a layout, which all layers have written.</summary>
    internal void Advance(TokenLayout layout)
    {
        for (var row = 0; row < Rows; row++) _lengths[row] += layout.Lengths[row];
        _layout = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys) tensor.Dispose();
        foreach (var tensor in _values) tensor.Dispose();
        _targets?.Dispose();
    }

    private void SelectSlots(IReadOnlyList<int> sources)
    {
        var kept = sources.Distinct().Select(source => _slots[source]).ToHashSet();
        var free = new Queue<int>(_slots.Where(slot => !kept.Contains(slot)));
        var slots = new int[sources.Count];
        for (var row = 0; row < slots.Length; row++)
        {
            var slot = _slots[sources[row]];
            if (kept.Remove(slot)) slots[row] = slot;
            else CopyRow(slot, slots[row] = free.Dequeue(), _lengths[sources[row]]);
        }
        int[] all = [.. slots, .. free];
        all.CopyTo(_slots, 0);
    }

    private void SelectInPlace(IReadOnlyList<int> sources)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var index = tensor([.. sources.Select(s => (long)s)], int64, _keys[0].device);
        var used = Lengths.Max();
        foreach (var tensor in _keys.Concat(_values))
        {
            var rows = tensor.narrow(2, 0, used).narrow(0, 0, sources.Count);
            rows.copy_(tensor.narrow(2, 0, used).index_select(0, index));
            CopiedBytes += TensorMemory.ByteCount(rows);
        }
    }

    private void CopyRow(int source, int target, int length)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var tensor in _keys.Concat(_values))
        {
            var from = tensor[source].narrow(1, 0, length);
            tensor[target].narrow(1, 0, length).copy_(from);
            CopiedBytes += TensorMemory.ByteCount(from);
        }
    }

    /// <summary>[T·Hkv] int64: where the layout's keys go in the flattened [B·Hkv·capacity, hd]; made once for all layers.</summary>
    private Tensor Targets(TokenLayout layout)
    {
        if (ReferenceEquals(_layout, layout)) return _targets!;
        Check(layout);
        var targets = new long[(long)layout.TokenCount * _heads];
        for (int row = 0, at = 0; row < Rows; row++)
            for (var i = 0; i < layout.Lengths[row]; i++)
                for (var head = 0; head < _heads; head++)
                    targets[at++] = ((long)_slots[row] * _heads + head) * Capacity + layout.Starts[row] + i;
        _targets?.Dispose();
        _layout = layout;
        return _targets = tensor(targets, int64, layout.Device).DetachFromDisposeScope();
    }

    private void Check(TokenLayout layout)
    {
        if (layout.Rows != Rows) throw new ArgumentException($"the layout has {layout.Rows} rows, the cache {Rows}", nameof(layout));
        for (var row = 0; row < Rows; row++)
        {
            if (layout.Starts[row] != _lengths[row])
                throw new ArgumentException($"row {row} begins at {layout.Starts[row]}, the cache holds {_lengths[row]}", nameof(layout));
            if (_lengths[row] + layout.Lengths[row] > Capacity)
                throw new ArgumentException($"row {row} outgrows the cache's {Capacity} tokens", nameof(layout));
        }
    }
}
