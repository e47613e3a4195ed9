using System.Text;

namespace Meft.Core.Tokenization.Normalization;

/// <summary>Unicode's canonical normalization forms, after Unicode Standard Annex 15: NFD, and with composition NFC.</summary>
internal sealed class UnicodeNormalizer(bool compose) : INormalizer
{
    // Hangul syllables are composed by arithmetic (Unicode Standard, section 3.12): leading consonants, vowels, trailing consonants.
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, SyllableCount = LeadCount * VowelCount * TrailCount;

    private readonly CanonicalData _data = CanonicalData.Instance;

    public string Normalize(string text)
    {
        // Nothing below U+0300 composes with its neighbour, nothing below U+00C0 decomposes.
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', compose ? '\u02FF' : '\u00BF') < 0) return text;
        var codePoints = new List<int>(text.Length + 16);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, codePoints);
        Reorder(codePoints);
        if (compose) Compose(codePoints);
        var result = new StringBuilder(codePoints.Count);
        foreach (var codePoint in codePoints) result.Append(new Rune(codePoint).ToString());
        return result.ToString();
    }

    private void Decompose(int codePoint, List<int> output)
    {
        if (codePoint - SyllableBase is >= 0 and < SyllableCount and var syllable)
        {
            output.Add(LeadBase + syllable / (VowelCount * TrailCount));
            output.Add(VowelBase + syllable % (VowelCount * TrailCount) / TrailCount);
            if (syllable % TrailCount != 0) output.Add(TrailBase + syllable % TrailCount);
            return;
        }
        var parts = codePoint < 0xC0 ? [] : _data.Decompose(codePoint);
        if (parts.IsEmpty) output.Add(codePoint);
        else foreach (var part in parts) Decompose(part, output);
    }

    /// <summary>Puts each run of combining marks into the order of their classes, stably.</summary>
    private void Reorder(List<int> codePoints)
    {
        for (var start = 0; start < codePoints.Count; start++)
        {
            if (ClassOf(codePoints[start]) == 0) continue;
            var end = start + 1;
            while (end < codePoints.Count && ClassOf(codePoints[end]) != 0) end++;
            if (end - start > 1)
            {
                var ordered = codePoints.GetRange(start, end - start).OrderBy(ClassOf).ToList();
                for (var i = 0; i < ordered.Count; i++) codePoints[start + i] = ordered[i];
            }
            start = end;
        }
    }

    /// <summary>Composes each starter with the marks after it that nothing blocks, in place.</summary>
    private void Compose(List<int> codePoints)
    {
        var starter = -1;
        var written = 0;
        var previousClass = 0;
        for (var i = 0; i < codePoints.Count; i++)
        {
            var codePoint = codePoints[i];
            var combiningClass = ClassOf(codePoint);
            var isBlocked = written - 1 != starter && previousClass >= combiningClass;
            if (starter >= 0 && !isBlocked && ComposePair(codePoints[starter], codePoint) is { } composed)
            {
                codePoints[starter] = composed;
                continue;
            }
            if (combiningClass == 0) starter = written;
            previousClass = combiningClass;
            codePoints[written++] = codePoint;
        }
        codePoints.RemoveRange(written, codePoints.Count - written);
    }

    private int? ComposePair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < LeadCount and var lead && second - VowelBase is >= 0 and < VowelCount and var vowel)
            return SyllableBase + (lead * VowelCount + vowel) * TrailCount;
        if (first - SyllableBase is >= 0 and < SyllableCount and var syllable && syllable % TrailCount == 0
            && second - TrailBase is > 0 and < TrailCount and var trail)
        {
            return first + trail;
        }
        return second < 0x300 ? null : _data.Compose(first, second);
    }

    private int ClassOf(int codePoint) => codePoint < 0x300 ? 0 : _data.CombiningClass(codePoint);
}
