using System.Text.Json;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

/// <summary>Holds a tokenizer, whichever form it was read from, against what reference libraries give for its tokenizer.json form.</summary>
internal static class TokenizerGoldens
{
    private const string TextSeparator = "\n__ggml_vocab_test__\n";

    /// <summary>Encodings and decodings of the library <c>tokenizers</c>.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="name">The golden's name.</param>
    /// <param name="begin">What the form puts before a text that the tokenizer.json of the golden does not.</param>
    public static void ShouldPassHuggingFace(HuggingFaceTokenizer tokenizer, string name, params int[] begin) =>
        ShouldPassHuggingFace(tokenizer, name, begin, _ => true);

    /// <summary>The same for some of the texts.</summary>
    public static void ShouldPassHuggingFace(HuggingFaceTokenizer tokenizer, string name, int[] begin, Func<string, bool> isCompared)
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Assets.Require("tokenizers", "expected", "hf", $"{name}.json")));
        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().Where(item => isCompared(item.GetProperty("text").GetString()!)).ToList();
        cases.ShouldNotBeEmpty();
        foreach (var item in cases)
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Ids(item, "ids");
            tokenizer.Encode(text, addSpecialTokens: false).ShouldBe(ids, text);
            tokenizer.Encode(text, addSpecialTokens: true).ShouldBe([.. begin, .. Ids(item, "ids_special")], text);
            tokenizer.Decode(ids, skipSpecialTokens: false).ShouldBe(item.GetProperty("decoded").GetString(), text);
            tokenizer.Decode(ids, skipSpecialTokens: true).ShouldBe(item.GetProperty("decoded_skip").GetString(), text);
            Stream(tokenizer, ids).ShouldBe(item.GetProperty("decoded").GetString(), text);
        }
    }

    /// <summary>The texts of a golden.</summary>
    public static List<string> Texts(string name)
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Assets.Require("tokenizers", "expected", "hf", $"{name}.json")));
        return [.. golden.RootElement.GetProperty("cases").EnumerateArray().Select(item => item.GetProperty("text").GetString()!)];
    }

    /// <summary>Encodings of ggml.</summary>
    public static void ShouldPassGgml(HuggingFaceTokenizer tokenizer, string name)
    {
        var input = Assets.Require("tokenizers", "ggml-cases", $"{name}.inp");
        // A separator follows each text, the last one too.
        var texts = File.ReadAllText(input).Split(TextSeparator)[..^1];
        var lines = File.ReadAllLines(Path.ChangeExtension(input, ".out"));
        texts.Length.ShouldBe(lines.Length);
        foreach (var (text, line) in texts.Zip(lines))
        {
            var ids = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray();
            tokenizer.Encode(text, addSpecialTokens: false).ShouldBe(ids, text);
        }
    }

    private static string Stream(HuggingFaceTokenizer tokenizer, int[] ids)
    {
        var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
        return string.Concat(ids.Select(decoder.Append)) + decoder.Complete();
    }

    private static int[] Ids(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
