using System.Runtime.InteropServices;

namespace Meft.Host;

/// <summary>
/// Gradients of the rows of a layer that were active in this step, and of no others: [touched, D] for keys and for values.
/// Over the micro-batches of a step the touched set is their union.
/// </summary>
public sealed unsafe class RowGradients : IDisposable
{
    private readonly int[] _slotOfRow;
    private readonly List<int> _rows = [];
    private readonly int _dimension;
    private HostMatrix _keys, _values;

    /// <param name="rank">R: rows of the layer.</param>
    /// <param name="dimension">D.</param>
    public RowGradients(int rank, int dimension)
    {
        _slotOfRow = new int[rank];
        Array.Fill(_slotOfRow, -1);
        _dimension = dimension;
        _keys = new HostMatrix(0, dimension);
        _values = new HostMatrix(0, dimension);
    }

    /// <summary>The touched rows; the gradient of the i-th stands in row i of <see cref="Keys"/> and <see cref="Values"/>.</summary>
    public ReadOnlySpan<int> TouchedRows => CollectionsMarshal.AsSpan(_rows);

    /// <summary>For every row its slot, or −1 where it is untouched: [R].</summary>
    public ReadOnlySpan<int> SlotOfRow => _slotOfRow;

    /// <summary>Gradients of the touched keys, [at least touched, D].</summary>
    public HostMatrix Keys => _keys;

    /// <summary>Gradients of the touched values, [at least touched, D].</summary>
    public HostMatrix Values => _values;

    /// <summary>Bytes held, whether used in this step or kept for later ones.</summary>
    public long ByteCount => _keys.ByteCount + _values.ByteCount;

    /// <summary>Marks rows as touched and gives their slots; a slot that is new in this step holds zeros.</summary>
    /// <param name="rows">Distinct row numbers.</param>
    /// <param name="slots">As many places for the slots.</param>
    public void Touch(ReadOnlySpan<int> rows, Span<int> slots)
    {
        var before = _rows.Count;
        for (var i = 0; i < rows.Length; i++)
        {
            ref var slot = ref _slotOfRow[rows[i]];
            if (slot < 0)
            {
                slot = _rows.Count;
                _rows.Add(rows[i]);
            }
            slots[i] = slot;
        }
        if (_rows.Count > _keys.Rows)
        {
            var capacity = Math.Min(_slotOfRow.Length, Math.Max(_rows.Count, before + before / 4));
            _keys = Grown(_keys, before, capacity);
            _values = Grown(_values, before, capacity);
        }
        Zero(_keys, before, _rows.Count);
        Zero(_values, before, _rows.Count);
    }

    /// <summary>Forgets the touched set; the memory is kept for the next step.</summary>
    public void Clear()
    {
        foreach (var row in _rows) _slotOfRow[row] = -1;
        _rows.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }

    private HostMatrix Grown(HostMatrix old, int used, int capacity)
    {
        var grown = new HostMatrix(capacity, _dimension);
        var bytes = (long)used * _dimension * sizeof(float);
        if (bytes > 0) Buffer.MemoryCopy(old.Data, grown.Data, bytes, bytes);
        old.Dispose();
        return grown;
    }

    private void Zero(HostMatrix matrix, int from, int to) =>
        NativeMemory.Clear(matrix.Data + (long)from * _dimension, (nuint)((long)(to - from) * _dimension * sizeof(float)));
}
