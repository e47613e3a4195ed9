using Meft.Core.Errors;
using Meft.Core.Tokenization;
using Meft.Core.Tokenization.SentencePiece;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.SentencePiece;

/// <summary>SentencePiece files with every fault that their fields can have: refused, or read into a tokenizer that encodes and decodes.</summary>
public sealed class SentencePieceStructureFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fault_is_refused() => ShouldRefuse(Run(ModelProtoFaults.Wrong, Samples(), cases: 800));

    [Fact]
    public void An_oddity_is_read() => ShouldRead(Run(ModelProtoFaults.Odd, Samples(), cases: 800));

    [Fact]
    public void Faults_and_oddities_together_are_read_or_refused()
    {
        var results = Run(All(), Samples(), cases: 2000);
        foreach (var change in ModelProtoFaults.Either.Keys) (results[change].Read + results[change].Refused).ShouldBeGreaterThan(0, change);
        results.Values.Sum(r => r.Read).ShouldBeGreaterThan(0);
        results.Values.Sum(r => r.Refused).ShouldBeGreaterThan(0);
    }

    [Fact, Trait("Category", "Fixtures")]
    public void A_published_file_with_faults_and_oddities_is_read_or_refused()
    {
        var published = new MadeModel(File.ReadAllBytes(Assets.Require("tokenizers", "llama2", TokenizerFolder.ModelFileName)));
        // The special ones, the bytes, some words and some characters, with all of the trainer's settings.
        published.Fields.RemoveRange(300, published.PieceCount - 340);
        ShouldRefuse(Run(ModelProtoFaults.Wrong, [published.Compose()], cases: 400));
        ShouldRead(Run(ModelProtoFaults.Odd, [published.Compose()], cases: 300));
        Run(All(), [published.Compose()], cases: 400);
    }

    private static void ShouldRefuse(IReadOnlyDictionary<string, (int Read, int Refused)> results)
    {
        foreach (var (fault, (read, refused)) in results)
        {
            refused.ShouldBeGreaterThan(0, fault);
            read.ShouldBe(0, fault);
        }
    }

    private static void ShouldRead(IReadOnlyDictionary<string, (int Read, int Refused)> results)
    {
        foreach (var (odd, (read, refused)) in results)
        {
            read.ShouldBeGreaterThan(0, odd);
            refused.ShouldBe(0, odd);
        }
    }

    private static Dictionary<string, Action<MadeModel, Random>> All() =>
        ModelProtoFaults.Wrong.Concat(ModelProtoFaults.Odd).Concat(ModelProtoFaults.Either).ToDictionary(StringComparer.Ordinal);

    private static byte[][] Samples()
    {
        var withBytes = SentencePieceTokenizerTests.Sample(2).Trainer(35, 1).Normalizer(3, 1).Normalizer(4, 0);
        for (var value = 0; value < 256; value++) withBytes.Piece($"<0x{value:X2}>", 0, PieceKind.Byte);
        return [SentencePieceTokenizerTests.Sample(1).Compose(), SentencePieceTokenizerTests.Sample(2).Compose(), withBytes.Compose()];
    }

    private IReadOnlyDictionary<string, (int Read, int Refused)> Run(IReadOnlyDictionary<string, Action<MadeModel, Random>> faults, byte[][] valid, int cases)
    {
        var path = _folder.File(TokenizerFolder.ModelFileName);
        return StructureFuzz.Run(
            cases, random => new MadeModel(valid[random.Next(valid.Length)]), faults,
            model =>
            {
                var bytes = model.Compose();
                File.WriteAllBytes(path, bytes);
                return bytes.Length;
            },
            () => TokenizerFilesFuzzTests.Use(HuggingFaceTokenizer.Load(_folder.Path)), e => e is InvalidInputException, path,
            fixedBytes: 1 << 19);
    }
}
