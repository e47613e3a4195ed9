namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>The tokens of a model and their ids.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly string?[] _tokens = [];
    private readonly Dictionary<int, string>? _sparse;

    /// <param name="ids">Each token's id; no id twice, none negative.</param>
    public Vocabulary(Dictionary<string, int> ids)
    {
        _ids = ids;
        _bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Size = ids.Count == 0 ? 0 : ids.Values.Max() + 1;
        // A damaged file may hold few tokens of huge ids.
        if (Size > 4L * ids.Count + 1000)
        {
            _sparse = ids.ToDictionary(pair => pair.Value, pair => pair.Key);
            return;
        }
        _tokens = new string?[Size];
        foreach (var (token, id) in ids) _tokens[id] = token;
    }

    /// <summary>One more than the largest id.</summary>
    public int Size { get; }

    /// <summary>The number of tokens.</summary>
    public int Count => _ids.Count;

    /// <summary>The id of a token, or null.</summary>
    public int? IdOf(ReadOnlySpan<char> token) => _bySpan.TryGetValue(token, out var id) ? id : null;

    /// <summary>The token of an id, or null.</summary>
    public string? TokenOf(int id)
    {
        if (_sparse is not null) return _sparse.GetValueOrDefault(id);
        return (uint)id < (uint)_tokens.Length ? _tokens[id] : null;
    }
}
