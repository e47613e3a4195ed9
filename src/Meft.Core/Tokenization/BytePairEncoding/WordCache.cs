using System.Collections.Concurrent;

namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>Remembers how short words were encoded: few words make up most of a text. Stops taking new ones when full.</summary>
internal sealed class WordCache
{
    private const int MaximumWordLength = 48;
    private const int Capacity = 65_536;

    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private int _count;

    public WordCache() => _bySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether a word of this length may be in the cache.</summary>
    public static bool Holds(int wordLength) => wordLength <= MaximumWordLength;

    public bool TryGet(ReadOnlySpan<char> word, out int[]? tokens) => _bySpan.TryGetValue(word, out tokens);

    public void Add(ReadOnlySpan<char> word, int[] tokens)
    {
        if (Volatile.Read(ref _count) < Capacity && _bySpan.TryAdd(word, tokens)) Interlocked.Increment(ref _count);
    }
}
