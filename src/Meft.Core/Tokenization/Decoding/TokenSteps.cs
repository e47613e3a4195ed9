using System.Text;

namespace Meft.Core.Tokenization.Decoding;

/// <summary>Makes one token of all tokens.</summary>
internal sealed class FuseStep(IDecodingStep next) : IDecodingStep
{
    private bool _hasBegun;

    public void Accept(string text, bool continuesToken)
    {
        next.Accept(text, continuesToken: _hasBegun);
        _hasBegun = true;
    }

    public void Complete() => next.Complete();
}

/// <summary>Puts a space between tokens: what is done where a file names no decoder.</summary>
internal sealed class JoinStep(IDecodingStep next) : IDecodingStep
{
    private bool _hasBegun;

    public void Accept(string text, bool continuesToken)
    {
        next.Accept(_hasBegun && !continuesToken ? " " + text : text, continuesToken: _hasBegun);
        _hasBegun = true;
    }

    public void Complete() => next.Complete();
}

/// <summary>Replaces what matches a pattern.</summary>
internal sealed class ReplaceStep(IDecodingStep next, CodePointRegex pattern, string replacement) : IDecodingStep
{
    public void Accept(string text, bool continuesToken) => next.Accept(pattern.Replace(text, replacement), continuesToken);

    public void Complete() => next.Complete();
}

/// <summary>Turns word-start marks into spaces; those of the first token, which stands for no space of the text, into nothing.</summary>
internal sealed class MetaspaceStep(IDecodingStep next, char mark, bool dropsFirst) : IDecodingStep
{
    private int _tokens;

    public void Accept(string text, bool continuesToken)
    {
        if (!continuesToken) _tokens++;
        var isFirst = _tokens <= 1;
        var decoded = dropsFirst && isFirst ? text.Replace(mark.ToString(), "", StringComparison.Ordinal) : text.Replace(mark, ' ');
        next.Accept(decoded, continuesToken);
    }

    public void Complete() => next.Complete();
}

/// <summary>
/// Removes up to a number of equal characters from the start of each token, and up to another number from its end (for which a token has
/// to arrive whole).
/// </summary>
internal sealed class StripStep(IDecodingStep next, char character, int start, int stop) : IDecodingStep
{
    private int _left;

    public void Accept(string text, bool continuesToken)
    {
        if (!continuesToken) _left = start;
        var begin = 0;
        while (begin < text.Length && _left > 0 && text[begin] == character) (begin, _left) = (begin + 1, _left - 1);
        if (begin < text.Length) _left = 0;
        var end = text.Length;
        while (end > begin && text.Length - end < stop && text[end - 1] == character) end--;
        next.Accept(text[begin..end], continuesToken);
    }

    public void Complete() => next.Complete();
}

/// <summary>Holds a token back until all of it has arrived, for a step that must see it whole.</summary>
internal sealed class WholeTokenStep(IDecodingStep next) : IDecodingStep
{
    private StringBuilder? _token;

    public void Accept(string text, bool continuesToken)
    {
        if (!continuesToken) Release();
        (_token ??= new StringBuilder()).Append(text);
    }

    public void Complete()
    {
        Release();
        next.Complete();
    }

    private void Release()
    {
        if (_token is not null) next.Accept(_token.ToString(), continuesToken: false);
        _token = null;
    }
}
