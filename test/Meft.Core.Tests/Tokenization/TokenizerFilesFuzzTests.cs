using System.Text;
using Meft.Core.Errors;
using Meft.Core.Tests.Tokenization.ByteLevel;
using Meft.Core.Tests.Tokenization.SentencePiece;
using Meft.Core.Tokenization;
using Meft.Core.Tokenization.SentencePiece;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;

namespace Meft.Core.Tests.Tokenization;

/// <summary>Whatever is done to a tokenizer's file, it is read and encodes, or is refused with an error that names it.</summary>
public sealed class TokenizerFilesFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_changed_SentencePiece_file()
    {
        var withBytes = SentencePieceTokenizerTests.Sample(1).Trainer(35, 1).Piece("<sep>", 0, PieceKind.UserDefined);
        for (var value = 0; value < 256; value++) withBytes.Piece($"<0x{value:X2}>", 0, PieceKind.Byte);
        Run("tokenizer.model", _folder.Path, SentencePieceTokenizerTests.Sample(1).Compose(), SentencePieceTokenizerTests.Sample(2).Compose(), withBytes.Compose());
    }

    [Fact]
    public void A_changed_file_of_ranks()
    {
        _folder.Write("tokenizer_config.json", ByteLevelFilesTests.Llama3(258));
        Run("tokenizer.model", _folder.Path, Encoding.UTF8.GetBytes(string.Join('\n', ByteLevelFilesTests.Ranks())));
    }

    [Fact]
    public void A_changed_vocabulary()
    {
        _folder.Write("tokenizer_config.json", "{\"tokenizer_class\": \"Qwen2Tokenizer\"}");
        _folder.Write("merges.txt", "h e\nl l\n");
        Run("vocab.json", _folder.Path, Encoding.UTF8.GetBytes(ByteLevelFilesTests.Vocabulary()));
    }

    [Fact]
    public void Changed_merges()
    {
        _folder.Write("tokenizer_config.json", "{\"tokenizer_class\": \"GPT2Tokenizer\"}");
        _folder.Write("vocab.json", ByteLevelFilesTests.Vocabulary());
        Run("merges.txt", _folder.Path, "#version: 0.2\nh e\nl l\nll o\nhe llo\n"u8.ToArray());
    }

    [Fact]
    public void A_changed_tokenizer_config()
    {
        File.WriteAllBytes(_folder.File("tokenizer.model"), SentencePieceTokenizerTests.Sample(2).Compose());
        Run("tokenizer_config.json", _folder.Path, """
            {"tokenizer_class": "LlamaTokenizer", "add_bos_token": true, "add_prefix_space": true, "bos_token": "<s>", "eos_token": {"content": "</s>"},
             "additional_special_tokens": ["ab"], "added_tokens_decoder": {"12": {"content": "<|user|>", "special": true, "lstrip": true}}}
            """u8.ToArray());
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void A_changed_GGUF_file_with_a_tokenizer(string kind)
    {
        var path = _folder.File("model.gguf");
        Run("model.gguf", path, (kind == "gpt2" ? GgufTokenizers.SmallByteLevel() : GgufTokenizers.SmallSentencePiece()).Compose());
    }

    private void Run(string file, string read, params byte[][] valid) => ReaderFuzz.Run(
        _folder.File(file), valid, () => Use(HuggingFaceTokenizer.Load(read)), e => e is InvalidInputException, _folder.Path, cases: 400, bytesPerByte: 1500, fixedBytes: 4 << 20);

    internal static void Use(HuggingFaceTokenizer tokenizer)
    {
        var ids = tokenizer.Encode("hello  wörld<|end|> ab日\U0001F600 </s>a<|user|>", addSpecialTokens: true);
        tokenizer.Decode(ids, skipSpecialTokens: false);
        foreach (var id in ids) tokenizer.Piece(id);
    }
}
