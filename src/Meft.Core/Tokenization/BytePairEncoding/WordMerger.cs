namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>
/// Byte pair encoding of one word: of all neighbouring pairs that may merge, the one of the lowest rank does (of equals the leftmost),
/// until none is left. A linked list of symbols and a queue of pairs make it O(n log n), so that a megabyte without a space is no trap.
/// </summary>
internal sealed class WordMerger(MergeTable merges)
{
    private const int None = -1;

    private readonly record struct Candidate(int Position, int Token);

    private readonly PriorityQueue<Candidate, long> _queue = new();
    private int[] _tokens = [];
    private int[] _previous = [];
    private int[] _next = [];

    /// <summary>Merges the symbols of a word and adds the tokens that are left.</summary>
    public void Merge(List<int> symbols, List<int> output)
    {
        Link(symbols);
        for (var i = 0; i + 1 < symbols.Count; i++) Enqueue(i);
        while (_queue.TryDequeue(out var candidate, out _))
        {
            var left = candidate.Position;
            // A symbol that was merged away in the meantime, or a pair that is no longer the one that was queued.
            if (_tokens[left] == None || _next[left] == None) continue;
            if (!merges.TryGet(_tokens[left], _tokens[_next[left]], out var merge) || merge.Token != candidate.Token) continue;
            Join(left, merge.Token);
            if (_previous[left] != None) Enqueue(_previous[left]);
            Enqueue(left);
        }
        for (var i = 0; i != None; i = _next[i]) output.Add(_tokens[i]);
    }

    private void Link(List<int> symbols)
    {
        if (_tokens.Length < symbols.Count)
        {
            var size = Math.Max(symbols.Count, _tokens.Length * 2);
            (_tokens, _previous, _next) = (new int[size], new int[size], new int[size]);
        }
        for (var i = 0; i < symbols.Count; i++) (_tokens[i], _previous[i], _next[i]) = (symbols[i], i - 1, i + 1);
        _next[symbols.Count - 1] = None;
    }

    private void Join(int left, int token)
    {
        var right = _next[left];
        _tokens[left] = token;
        _tokens[right] = None;
        _next[left] = _next[right];
        if (_next[left] != None) _previous[_next[left]] = left;
    }

    private void Enqueue(int left)
    {
        var right = _next[left];
        if (right == None || !merges.TryGet(_tokens[left], _tokens[right], out var merge)) return;
        _queue.Enqueue(new Candidate(left, merge.Token), ((long)merge.Rank << 32) | (uint)left);
    }
}
