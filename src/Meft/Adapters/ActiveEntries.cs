using System.Buffers;

namespace Meft.Adapters;

/// <summary>
/// Active neurons of tokens, one entry each, as flat arrays out of a pool: an active set is as large as hidden states are, and one is made
/// for every layer and micro-batch.
/// </summary>
/// <param name="capacity">For how many entries there is room at first.</param>
internal sealed class ActiveEntries(int capacity) : IDisposable
{
    private int[] _rows = ArrayPool<int>.Shared.Rent(capacity);
    private float[] _scores = ArrayPool<float>.Shared.Rent(capacity);
    private float[] _products = ArrayPool<float>.Shared.Rent(capacity);
    private int[] _probes = ArrayPool<int>.Shared.Rent(capacity);

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>The row of each entry.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, Count);

    /// <summary>s = c·(K·x) of each entry.</summary>
    public ReadOnlySpan<float> Scores => _scores.AsSpan(0, Count);

    /// <summary>K·x of each entry.</summary>
    public ReadOnlySpan<float> Products => _products.AsSpan(0, Count);

    /// <summary>Which probe of its token each entry came from.</summary>
    public ReadOnlySpan<int> Probes => _probes.AsSpan(0, Count);

    /// <summary>Writes an entry anywhere within the room there is; <see cref="Count"/> does not change.</summary>
    public void Put(int place, int row, float score, float product, int probe) =>
        (_rows[place], _scores[place], _products[place], _probes[place]) = (row, score, product, probe);

    /// <summary>Appends entries of another list, which may lie beyond its count.</summary>
    public void Append(ActiveEntries other, int from, int count)
    {
        Reserve(checked(Count + count));
        Array.Copy(other._rows, from, _rows, Count, count);
        Array.Copy(other._scores, from, _scores, Count, count);
        Array.Copy(other._products, from, _products, Count, count);
        Array.Copy(other._probes, from, _probes, Count, count);
        Count += count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(Interlocked.Exchange(ref _rows, []));
        ArrayPool<float>.Shared.Return(Interlocked.Exchange(ref _scores, []));
        ArrayPool<float>.Shared.Return(Interlocked.Exchange(ref _products, []));
        ArrayPool<int>.Shared.Return(Interlocked.Exchange(ref _probes, []));
        Count = 0;
    }

    private void Reserve(int count)
    {
        Grow(ref _rows, count);
        Grow(ref _scores, count);
        Grow(ref _products, count);
        Grow(ref _probes, count);
    }

    private void Grow<T>(ref T[] array, int count)
    {
        if (array.Length >= count) return;
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(count, (int)Math.Min(2L * array.Length, Array.MaxLength)));
        Array.Copy(array, larger, Count);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }
}
