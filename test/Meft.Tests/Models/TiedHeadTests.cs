using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Models;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

public sealed class TiedHeadTests : IDisposable
{
    /// <summary>More rows than are compared at once.</summary>
    private static readonly ModelConfig Tied = TinyDecoder.Llama with { VocabularySize = 70_000, TiedEmbeddings = true };

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_stored_head_of_a_tied_model_is_held_to_the_embedding_and_not_kept()
    {
        using var source = OpenWithHead(embedding => embedding.clone());
        using var loaded = Decoder.Load(source, Tied, CPU, ScalarType.BFloat16);
        loaded.Parameters.ShouldNotContainKey("lm_head.weight");
        foreach (var name in new[] { "model.embed_tokens.weight", "lm_head.weight" })
            source.Copies.Where(c => c.Name == name).Sum(c => c.Bytes).ShouldBe((name == "lm_head.weight" ? 4L : 4 + 2) * Tied.VocabularySize * Tied.HiddenSize);
    }

    [Fact]
    public void A_stored_head_that_is_another_matrix_is_refused_with_the_first_difference()
    {
        using var source = OpenWithHead(embedding =>
        {
            var other = embedding.clone();
            other[Tied.VocabularySize - 1, 3] = tensor(2.5f);
            return other;
        });
        var error = Should.Throw<InvalidInputException>(() => Decoder.Load(source, Tied, CPU, ScalarType.Float32));
        error.Message.ShouldContain($"[{Tied.VocabularySize - 1}, 3] is 2.5 and ");
        error.NextStep!.ShouldContain("set tie_word_embeddings to false");
    }

    [Fact]
    public void A_stored_head_of_another_shape_is_refused()
    {
        using var source = OpenWithHead(embedding => embedding.narrow(0, 0, 3).clone());
        Should.Throw<WeightsMismatchException>(() => Decoder.Load(source, Tied, CPU, ScalarType.Float32))
            .Wrong.ShouldBe([$"lm_head.weight is [3, {Tied.HiddenSize}], the config asks for [{Tied.VocabularySize}, {Tied.HiddenSize}]"]);
    }

    public void Dispose() => _folder.Dispose();

    private RecordingSource OpenWithHead(Func<Tensor, Tensor> headOf)
    {
        using var decoder = TinyDecoder.Create(Tied);
        var writer = new SafetensorsWriter();
        foreach (var (name, value) in decoder.Parameters) writer.Add(name, value);
        using var head = headOf(decoder.Parameters["model.embed_tokens.weight"]);
        writer.Add("lm_head.weight", head);
        writer.Save(_folder.File(ShardedSafetensors.SingleFileName));
        return new RecordingSource(ShardedSafetensors.OpenFolder(_folder.Path));
    }
}
