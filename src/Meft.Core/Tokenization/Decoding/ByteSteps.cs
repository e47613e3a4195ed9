using System.Globalization;
using System.Text;

namespace Meft.Core.Tokenization.Decoding;

/// <summary>
/// Turns the spelling of byte-level tokens back into bytes and these into one token of text, a character as soon as it is whole.
/// </summary>
internal sealed class ByteLevelStep(IDecodingStep next) : IDecodingStep
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private bool _hasBegun;

    public void Accept(string text, bool continuesToken) => Decode(ByteAlphabet.Bytes(text), isLast: false);

    public void Complete()
    {
        Decode([], isLast: true);
        next.Complete();
    }

    private void Decode(byte[] bytes, bool isLast)
    {
        var characters = new char[_utf8.GetCharCount(bytes, isLast)];
        _utf8.GetChars(bytes, characters, isLast);
        if (characters.Length == 0) return;
        next.Accept(new string(characters), continuesToken: _hasBegun);
        _hasBegun = true;
    }
}

/// <summary>
/// Turns runs of byte tokens (<c>&lt;0x0A&gt;</c>) into text. A run that is not UTF-8 as a whole gives one U+FFFD a byte, so a run is held
/// back until another token ends it.
/// </summary>
internal sealed class ByteFallbackStep(IDecodingStep next) : IDecodingStep
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<byte> _run = [];

    public void Accept(string text, bool continuesToken)
    {
        if (!continuesToken && TryReadByte(text, out var value))
        {
            _run.Add(value);
            return;
        }
        Release();
        next.Accept(text, continuesToken);
    }

    public void Complete()
    {
        Release();
        next.Complete();
    }

    private void Release()
    {
        if (_run.Count == 0) return;
        var run = _run.ToArray();
        _run.Clear();
        try
        {
            next.Accept(StrictUtf8.GetString(run), continuesToken: false);
        }
        catch (DecoderFallbackException)
        {
            for (var i = 0; i < run.Length; i++) next.Accept("\uFFFD", continuesToken: false);
        }
    }

    private static bool TryReadByte(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
