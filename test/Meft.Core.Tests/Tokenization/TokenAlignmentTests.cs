using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

[Trait("Category", "Fixtures")]
public class TokenAlignmentTests
{
    private static readonly string[] Texts =
    [
        "Hello, world!", "  two  spaces\n\n\nand lines ", "naïve café — 東京 🙂 e\u0301", "it's 12345 don't", "<|im_start|>user\nWhat?<|im_end|>\n<|im_start|>assistant\n\nYes.<|im_end|>\n",
        "<s>[INST] a [/INST] b</s> c</s>\n", "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>", "\u0007\u20ac\t",
    ];

    public static TheoryData<string> Tokenizers => Assets.Enumerate("tokenizers", folder =>
        Directory.EnumerateDirectories(folder).Where(d => File.Exists(Path.Combine(d, "tokenizer.json"))).Select(d => Path.GetFileName(d)!));

    [Theory, MemberData(nameof(Tokenizers))]
    public void Every_place_of_a_text_has_its_token(string name)
    {
        ITokenizer tokenizer = HuggingFaceTokenizer.Load(Assets.Require("tokenizers", name));
        foreach (var text in Texts)
        {
            int[] places = [.. Enumerable.Range(0, text.Length + 1)];
            var (ids, tokens) = tokenizer.Align(text, places);
            ids.SequenceEqual(tokenizer.Encode(text, addSpecialTokens: false)).ShouldBeTrue(text);
            tokens[0].ShouldBe(0, text);
            tokens[^1].ShouldBe(ids.Length, text);
            // A composed character is one token's, and within a surrogate pair there is no place.
            tokens.Where((_, place) => place == text.Length || (!char.IsLowSurrogate(text[place]) && text[place] != '\u0301')).ShouldNotContain((int?)null, text);
            var known = tokens.OfType<int>().ToList();
            known.SequenceEqual(known.Order()).ShouldBeTrue(text);
            foreach (var place in places.Where(p => tokens[p] is not null))
            {
                // Where the text before a place encodes to the first of the ids, these are the tokens before it.
                var before = tokenizer.Encode(text[..place], addSpecialTokens: false);
                if (ids.AsSpan().StartsWith(before)) tokens[place].ShouldBe(before.Length, $"{text} at {place}");
            }
        }
    }

    [Theory]
    [InlineData("qwen3", "assistant\n\nYes", 10)]
    public void A_token_that_begins_before_a_place_is_not_the_first_after_it(string name, string text, int place)
    {
        ITokenizer tokenizer = HuggingFaceTokenizer.Load(Assets.Require("tokenizers", name));
        var (ids, tokens) = tokenizer.Align(text, [place]);
        tokenizer.Decode(ids.AsSpan(tokens[0]!.Value - 1, 1), skipSpecialTokens: false).ShouldBe("\n\n");
        tokenizer.Decode(ids.AsSpan(tokens[0]!.Value), skipSpecialTokens: false).ShouldBe("Yes");
    }
}
