using CsCheck;
using Meft.Core.Tokenization.Normalization;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.Normalization;

public class UnicodeNormalizerTests
{
    private static readonly UnicodeNormalizer Nfc = new(compose: true);
    private static readonly UnicodeNormalizer Nfd = new(compose: false);

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Int[0x20, 0x24F], Gen.Int[0x300, 0x34E], Gen.Int[0x900, 0x9FF], Gen.Int[0x1100, 0x11FF], Gen.Int[0x1E00, 0x1FFF],
        Gen.Int[0xAC00, 0xAC40], Gen.Int[0xF900, 0xF940], Gen.Int[0x11090, 0x110B0], Gen.Int[0x1D150, 0x1D1C0])
        .Array[0, 12].Select(codePoints => string.Concat(codePoints.Select(char.ConvertFromUtf32)));

    [Theory]
    [InlineData("plain", "plain", "plain")]
    [InlineData("e\u0301", "\u00E9", "e\u0301")]
    [InlineData("\u212B", "\u00C5", "A\u030A")] // Angstrom sign: a singleton never comes back
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307")] // the example of Unicode Standard Annex 15
    [InlineData("q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307")] // marks change places and compose with nothing
    [InlineData("d\u0307\u0323", "\u1E0D\u0307", "d\u0323\u0307")]
    [InlineData("a\u0315\u0300", "\u00E0\u0315", "a\u0300\u0315")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C", "\u1112\u1161\u11AB")]
    [InlineData("\uD558\u11AB", "\uD55C", "\u1112\u1161\u11AB")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C")] // excluded from composition
    [InlineData("\u0344", "\u0308\u0301", "\u0308\u0301")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165", "\U0001D157\U0001D165")]
    [InlineData("\U00011099\U000110BA", "\U0001109A", "\U00011099\U000110BA")]
    [InlineData("\u0061\u0300\u0300", "\u00E0\u0300", "a\u0300\u0300")]
    [InlineData("\u3042\u3099", "\u3042\u3099", "\u3042\u3099")]
    [InlineData("\u304B\u3099", "\u304C", "\u304B\u3099")]
    public void Known_texts(string text, string composed, string decomposed)
    {
        Nfc.Normalize(text).ShouldBe(composed);
        Nfd.Normalize(text).ShouldBe(decomposed);
    }

    [Fact]
    public void The_forms_are_stable_and_hold_the_same_text() => Texts.Sample(text =>
    {
        var (composed, decomposed) = (Nfc.Normalize(text), Nfd.Normalize(text));
        Nfc.Normalize(composed).ShouldBe(composed);
        Nfd.Normalize(decomposed).ShouldBe(decomposed);
        Nfd.Normalize(composed).ShouldBe(decomposed);
        Nfc.Normalize(decomposed).ShouldBe(composed);
    });
}
