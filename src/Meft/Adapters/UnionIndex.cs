using System.Buffers;

namespace Meft.Adapters;

/// <summary>
/// The transposed index of a micro-batch's active neurons: row → tokens, rows ascending, tokens ascending within a row. The arrays come
/// from a pool and go back to it with <see cref="Dispose"/>.
/// </summary>
internal sealed class UnionIndex : IDisposable
{
    private readonly int _entryCount;
    private int[] _rows, _starts, _tokens, _entries;

    /// <summary>Counting sort of the entries by row; stable, so a row's tokens stay ascending.</summary>
    /// <param name="tokenStarts">[T + 1]: the entries of token t are tokenStarts[t] … tokenStarts[t+1]−1.</param>
    /// <param name="rowOfEntry">[entries].</param>
    /// <param name="rank">R.</param>
    public UnionIndex(ReadOnlySpan<int> tokenStarts, ReadOnlySpan<int> rowOfEntry, int rank)
    {
        _entryCount = rowOfEntry.Length;
        var pooled = ArrayPool<int>.Shared.Rent(rank);
        var next = pooled.AsSpan(0, rank);
        next.Clear();
        foreach (var row in rowOfEntry) next[row]++;

        foreach (var count in next) Count += count > 0 ? 1 : 0;
        _rows = ArrayPool<int>.Shared.Rent(Count);
        _starts = ArrayPool<int>.Shared.Rent(Count + 1);
        _starts[0] = 0;
        for (int row = 0, u = 0; row < rank; row++)
        {
            if (next[row] == 0) continue;
            _rows[u] = row;
            _starts[u + 1] = _starts[u] + next[row];
            next[row] = _starts[u++];
        }

        _tokens = ArrayPool<int>.Shared.Rent(_entryCount);
        _entries = ArrayPool<int>.Shared.Rent(_entryCount);
        for (var t = 0; t + 1 < tokenStarts.Length; t++)
        {
            for (var i = tokenStarts[t]; i < tokenStarts[t + 1]; i++)
            {
                var at = next[rowOfEntry[i]]++;
                _tokens[at] = t;
                _entries[at] = i;
            }
        }
        ArrayPool<int>.Shared.Return(pooled);
    }

    /// <summary>U.</summary>
    public int Count { get; }

    /// <summary>[U]: the active rows, ascending.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, Count);

    /// <summary>[U + 1]: where each active row's tokens begin.</summary>
    public ReadOnlySpan<int> Starts => _starts.AsSpan(0, Count + 1);

    /// <summary>[entries]: tokens, by row.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _entryCount);

    /// <summary>[entries]: for each place of the row-major order its entry in the token-major one.</summary>
    public ReadOnlySpan<int> Entries => _entries.AsSpan(0, _entryCount);

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(Interlocked.Exchange(ref _rows, []));
        ArrayPool<int>.Shared.Return(Interlocked.Exchange(ref _starts, []));
        ArrayPool<int>.Shared.Return(Interlocked.Exchange(ref _tokens, []));
        ArrayPool<int>.Shared.Return(Interlocked.Exchange(ref _entries, []));
    }
}
