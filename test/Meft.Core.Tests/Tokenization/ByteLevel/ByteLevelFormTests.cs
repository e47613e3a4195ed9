using Meft.Core.Tokenization.ByteLevel;
using Meft.Core.Tokenization.PreTokenization;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.ByteLevel;

/// <summary>How texts are cut into words, worked out by hand from the published patterns.</summary>
public sealed class ByteLevelFormTests
{
    [Theory]
    [InlineData("gpt2", "XMLHttpRequest|Ġdon|'t|Ġstop|Ġ12345|Ġ/|path|/|ĊĠ|Ġx|ĠI|'|LL")]
    [InlineData("cl100k", "XMLHttpRequest|Ġdon|'t|Ġstop|Ġ|123|45|Ġ/|path|/Ċ|Ġ|Ġx|ĠI|'LL")]
    [InlineData("llama3", "XMLHttpRequest|Ġdon|'t|Ġstop|Ġ|123|45|Ġ/|path|/Ċ|Ġ|Ġx|ĠI|'LL")]
    [InlineData("qwen2", "XMLHttpRequest|Ġdon|'t|Ġstop|Ġ|1|2|3|4|5|Ġ/|path|/Ċ|Ġ|Ġx|ĠI|'LL")]
    [InlineData("tekken", "XMLHttp|Request|Ġdon|'t|Ġstop|Ġ|1|2|3|4|5|Ġ/|path|/Ċ|Ġ|Ġx|ĠI|'LL")]
    [InlineData("o200k", "XMLHttp|Request|Ġdon't|Ġstop|Ġ|123|45|Ġ/|path|/Ċ|Ġ|Ġx|ĠI'LL")]
    public void A_text_is_cut_as_the_models_of_a_form_cut_it(string form, string words) =>
        Words(form, "XMLHttpRequest don't stop 12345 /path/\n  x I'LL").ShouldBe(words.Split('|'));

    /// <summary>Slashes after punctuation stay with it, and marks with their letters.</summary>
    [Fact]
    public void O200k_differs_from_cl100k_in_slashes_and_marks()
    {
        Words("o200k", "!\n/a").ShouldBe(["!Ċ/", "a"]);
        Words("cl100k", "!\n/a").ShouldBe(["!Ċ", "/a"]);
        Words("o200k", "xe\u0301y").Count.ShouldBe(1);
        Words("cl100k", "xe\u0301y").Count.ShouldBe(2);
    }

    private static List<string> Words(string name, string text)
    {
        var form = name switch
        {
            "gpt2" => ByteLevelForm.Gpt2(),
            "cl100k" => ByteLevelForm.Cl100k(),
            "llama3" => ByteLevelForm.Llama3(),
            "qwen2" => ByteLevelForm.Qwen2(),
            "tekken" => ByteLevelForm.Tekken(),
            _ => ByteLevelForm.O200k(),
        };
        var output = new List<TextPiece>();
        form.PreTokenizer.Split(new TextPiece(text.AsMemory(), StartsText: true), output);
        return [.. output.Select(piece => piece.Text.ToString())];
    }
}
