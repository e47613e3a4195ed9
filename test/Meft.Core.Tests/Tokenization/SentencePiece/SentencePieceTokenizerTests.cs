using Meft.Core.Tokenization;
using Meft.Core.Tokenization.SentencePiece;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.SentencePiece;

public sealed class SentencePieceTokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1L)]
    [InlineData(2L)]
    public void A_space_goes_before_a_text_unless_the_model_or_the_config_says_otherwise(long type)
    {
        Pieces("ab c", Sample(type)).ShouldBe(["▁ab", "▁c"]);
        Pieces("ab c", Sample(type).Normalizer(3, 0)).ShouldBe(["ab", "▁c"]);
        _folder.Write("tokenizer_config.json", "{\"add_prefix_space\": false}");
        Pieces("ab c", Sample(type)).ShouldBe(["ab", "▁c"]);
    }

    [Theory]
    [InlineData(1L)]
    [InlineData(2L)]
    public void Extra_spaces_stay_or_go_as_the_model_says(long type)
    {
        Pieces("  ab   c ", Sample(type)).ShouldBe(["▁ab", "▁c"]);
        Pieces("ab  c", Sample(type).Normalizer(4, 0)).ShouldBe(["▁ab", "▁", "▁c"]);
    }

    [Theory]
    [InlineData(1L)]
    [InlineData(2L)]
    public void Unknown_characters_are_one_unknown_token_together_or_their_bytes(long type)
    {
        Pieces("ab日本", Sample(type)).ShouldBe(["▁ab", "<unk>"]);
        Pieces("ab日本c", Sample(type)).ShouldBe(["▁ab", "<unk>", "c"]);
        var withBytes = Sample(type).Trainer(35, 1);
        for (var value = 0; value < 256; value++) withBytes.Piece($"<0x{value:X2}>", 0, PieceKind.Byte);
        Pieces("ab日", withBytes).ShouldBe(["▁ab", "<0xE6>", "<0x97>", "<0xA5>"]);
        Load(withBytes).Decode(Load(withBytes).Encode("ab 日\U0001F600", addSpecialTokens: false), skipSpecialTokens: false).ShouldBe("ab 日\U0001F600");
    }

    [Theory]
    [InlineData(1L)]
    [InlineData(2L)]
    public void User_defined_and_control_pieces_are_found_in_the_text_first(long type)
    {
        var tokenizer = Load(Sample(type).Piece("<sep>", 0, PieceKind.UserDefined));
        tokenizer.Encode("ab<sep>c</s>", addSpecialTokens: false).Select(tokenizer.Piece).ShouldBe(["▁ab", "<sep>", "▁c", "</s>"]);
        (tokenizer.IsSpecial(tokenizer.IdOf("<sep>")!.Value), tokenizer.IsSpecial(2)).ShouldBe((false, true));
    }

    [Fact]
    public void The_beginning_is_added_unless_the_config_says_otherwise()
    {
        Load(Sample(2)).BeginTokens.ShouldBe([1]);
        Load(Sample(2)).EndTokens.ShouldBeEmpty();
        Load(Sample(2).Trainer(41, -1)).BeginTokens.ShouldBeEmpty();
        _folder.Write("tokenizer_config.json", "{\"add_bos_token\": false, \"add_eos_token\": true, \"eos_token\": {\"content\": \"</s>\"}}");
        Load(Sample(2)).BeginTokens.ShouldBeEmpty();
        Load(Sample(2)).EndTokens.ShouldBe([2]);
    }

    [Fact]
    public void Added_tokens_of_the_config_go_behind_the_pieces()
    {
        _folder.Write("tokenizer_config.json", "{\"tokenizer_class\": \"LlamaTokenizerFast\", \"added_tokens_decoder\": {\"30\": {\"content\": \"<|user|>\", \"rstrip\": true, \"normalized\": false, \"special\": true}}}");
        var tokenizer = Load(Sample(2));
        tokenizer.Encode("<|user|> ab", addSpecialTokens: false).ShouldBe([30, tokenizer.IdOf("▁ab")!.Value]);
        (tokenizer.VocabularySize, tokenizer.IsSpecial(30)).ShouldBe((31, true));
    }

    [Fact]
    public void Older_folders_list_added_tokens_in_a_file_of_their_own()
    {
        _folder.Write("added_tokens.json", "{\"<|user|>\": 30, \"<tool>\": 31}");
        _folder.Write("special_tokens_map.json", "{\"eos_token\": \"<|user|>\"}");
        var tokenizer = Load(Sample(2));
        tokenizer.Encode("ab<tool>", addSpecialTokens: false)[^1].ShouldBe(31);
        (tokenizer.IsSpecial(30), tokenizer.IsSpecial(31)).ShouldBe((true, false));
    }

    [Theory]
    [InlineData("{\"tokenizer_class\": \"T5Tokenizer\"}", "tokenizer_class is 'T5Tokenizer'")]
    [InlineData("{\"added_tokens_decoder\": {\"3\": {\"content\": \"x\"}}}", "added_tokens_decoder.3 is 3, which is the id of '▁ab' already")]
    [InlineData("{\"added_tokens_decoder\": {\"x\": {\"content\": \"x\"}}}", "should have an id for its key")]
    [InlineData("{\"added_tokens_decoder\": {\"9\": {}}}", "content is missing")]
    public void A_config_that_cannot_go_with_the_model_is_refused(string config, string expected)
    {
        _folder.Write("tokenizer_config.json", config);
        Should.Throw<TokenizerFileException>(() => Load(Sample(2))).Message.ShouldContain(expected);
    }

    public static TheoryData<string, Func<byte[]>, string> Damages => new()
    {
        { "cut within a piece", () => Sample(2).Compose()[..20], "byte" },
        { "no pieces", () => ModelProtoBytes.Message(1, []), "byte 2: piece 0 is empty" },
        { "a piece twice", () => Sample(2).Piece("ab").Compose(), "as piece" },
        { "a type that is none", () => Sample(2).Piece("q", 0, (PieceKind)9).Compose(), "is of type 9" },
        { "a score that is none", () => Sample(2).Piece("q", float.NaN).Compose(), "the score of piece" },
        { "a length beyond the end", () => [0x0A, 0x7F, 0x0A, 0x01, 0x61], "byte 1: a length is 127 where 3 bytes are left" },
        { "a length beyond all measure", () => [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "a length is 18446744073709551615" },
        { "text that is not UTF-8", () => ModelProtoBytes.Message(1, [0x0A, 0x01, 0xFF]), "byte 4: the text is not UTF-8" },
        { "a score written as text", () => ModelProtoBytes.Message(1, [0x12, 0x01, 0x61]), "a piece's score is written as Length, not as Fixed32" },
        { "words for a model", () => Sample(3).Compose(), "the model's type is word" },
        { "no piece for what is unknown", () => new ModelProtoBytes().Piece("a").Compose(), "no piece stands for unknown characters" },
        { "a map of characters", () => Sample(1).CharacterMap("nmt_nfkc", [1, 2, 3]).Compose(), "('nmt_nfkc', 3 bytes)" },
        { "spaces as they are", () => Sample(1).Normalizer(5, 0).Compose(), "spaces are not written as ▁" },
        { "spaces at the ends of words", () => Sample(1).Trainer(24, 1).Compose(), "treat_whitespace_as_suffix" },
        { "unused pieces of BPE", () => Sample(2).Piece("q", 0, PieceKind.Unused).Compose(), "the piece 'q' is marked as unused" },
        { "a piece beyond all measure", () => Sample(2).Piece(new string('x', 1001)).Compose(), "has 1001 characters" },
    };

    [Theory, MemberData(nameof(Damages))]
    public void Damage_is_named_with_its_place(string damage, Func<byte[]> make, string expected)
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), make());
        var error = Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(_folder.Path), damage);
        error.Message.ShouldStartWith(_folder.File("tokenizer.model"));
        error.Message.ShouldContain(expected);
    }

    /// <summary>A model of type 1 (unigram) or 2 (BPE).</summary>
    internal static ModelProtoBytes Sample(long type) => new ModelProtoBytes()
        .Piece("<unk>", 0, PieceKind.Unknown).Piece("<s>", 0, PieceKind.Control).Piece("</s>", 0, PieceKind.Control)
        .Piece("▁ab", -1).Piece("ab", -2).Piece("▁c", -3).Piece("▁", -4).Piece("a", -5).Piece("b", -6).Piece("c", -7)
        .Trainer(3, type);

    private List<string> Pieces(string text, ModelProtoBytes model)
    {
        var tokenizer = Load(model);
        return [.. tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.Piece)];
    }

    private HuggingFaceTokenizer Load(ModelProtoBytes model)
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), model.Compose());
        return HuggingFaceTokenizer.Load(_folder.Path);
    }
}
