namespace Meft.Generation;

/// <summary>A prompt on its way.</summary>
internal sealed class GeneratingRow
{
    private readonly List<int> _tokens;
    private readonly int _promptLength;
    private readonly IReadOnlyList<ILogitsProcessor> _processors;
    private readonly RandomStream? _random;

    public GeneratingRow(int index, int drawIndex, IReadOnlyList<int> prompt, GenerationOptions options)
    {
        Index = index;
        DrawIndex = drawIndex;
        _tokens = [.. prompt];
        _promptLength = prompt.Count;
        _processors = LogitsProcessors.Of(options, prompt.Count);
        _random = options.Sample ? new RandomStream(options.Seed, (ulong)drawIndex) : null;
    }

    /// <summary>The prompt's index.</summary>
    public int Index { get; }

    /// <summary>The prompt's index among those of all calls.</summary>
    public int DrawIndex { get; }

    /// <summary>How many tokens prompt and continuation have.</summary>
    public int Length => _tokens.Count;

    /// <summary>Prompt and new tokens, one after another.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>How many tokens are new.</summary>
    public int NewCount => _tokens.Count - _promptLength;

    /// <summary>The last token.</summary>
    public int Last => _tokens[^1];

    /// <summary>Whether the next token is simply the likeliest.</summary>
    public bool IsPlain => _processors.Count == 0 && _random is null;

    /// <summary>scores [V], changed in place → the next token.</summary>
    public int Choose(Span<float> scores)
    {
        var tokens = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_tokens);
        foreach (var processor in _processors) processor.Process(tokens, scores);
        return _random is null ? TokenChoice.Likeliest(scores) : TokenChoice.Draw(scores, _random);
    }

    public void Append(int token) => _tokens.Add(token);

    public GeneratedRow Finish(FinishReason reason) => new(_tokens[_promptLength..], reason);
}
