using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Inspection;
using Meft.Loading;
using Meft.Models;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Loading;

/// <summary>Models written as GGUF files without anything beside them compute what their Hugging Face folders do.</summary>
[Trait("Category", "Fixtures")]
public sealed class LoneGgufTests : IDisposable
{
    private static readonly string[] Families = ["gemma2", "gemma3", "phi3", "phi3-longrope"];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names
    {
        get
        {
            var data = new TheoryData<string>(Assets.Folders("models/tiny").Select(row => $"tiny/{row.Data}"));
            foreach (var family in Families) data.Add($"families/{family}");
            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Names))]
    public void Config_and_logits_are_those_of_the_folder(string name)
    {
        var (family, folder) = (name.Split('/')[1], Assets.Require(["models", .. name.Split('/')]));
        var json = File.ReadAllText(Path.Combine(folder, "config.json"));
        Assert.SkipUnless(ModelFamily.KnownArchitectures.Any(a => json.Contains($"\"{a}\"", StringComparison.Ordinal)), $"the decoder has no {family} yet");
        var file = _folder.File("model.gguf");
        File.WriteAllBytes(file, GgufWriter.Of(folder).Compose());

        using var fromFolder = Decoder.Load(folder, CPU, ScalarType.Float32);
        using var fromFile = LoadedModel.Load(file, new ModelLoadOptions { Device = "cpu" }, TestContext.Current.CancellationToken);
        // What no GGUF file says, and the type, which here is float32 whatever it was.
        var expected = fromFolder.Config with { StoredType = StoredType.Float32, InitializerRange = fromFile.Config.InitializerRange };
        ModelConfigWriter.ToJson(fromFile.Config).ShouldBe(ModelConfigWriter.ToJson(expected));

        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var layout = TokenLayout.FromLengths([24, 9], CPU);
        var ids = randint(0, fromFolder.Config.VocabularySize, 33, int64, CPU, generator: new Generator(5, CPU));
        // Gemma's norms lose a bit or two when one is added to them and taken away.
        var tolerance = family.StartsWith("gemma", StringComparison.Ordinal) ? 1e-4 : 0;
        TinyModel.Difference(Logits(fromFile.Decoder, ids, layout), Logits(fromFolder, ids, layout)).ShouldBeLessThanOrEqualTo(tolerance);
    }

    [Fact]
    public void A_file_says_what_it_is_before_it_is_loaded()
    {
        var file = _folder.File("model.gguf");
        File.WriteAllBytes(file, GgufWriter.Of(Assets.Require("models", "tiny", "qwen3")).Compose());
        var report = PathInspector.Inspect(file, 8);
        report.Gguf.ShouldBe(new GgufFacts(3, "qwen3", null, false));
        report.Model.ShouldNotBeNull().Architecture.ShouldBe("Qwen3ForCausalLM");
        report.Remarks.ShouldBe(["no tokenizer: only rows of token ids can be used"]);

        report = PathInspector.Inspect(Directory.GetFiles(Assets.Require("models", "smollm2-135m-instruct"), "*.gguf")[0], 8);
        report.Gguf.ShouldBe(new GgufFacts(3, "llama", "gpt2, smollm", true));
        Path.GetFileName(report.Tokenizer!.Source).ShouldBe("tokenizer.json");
        Path.GetFileName(report.Tokenizer.TemplateSource).ShouldBe("chat_template.jinja");
    }

    [Fact]
    public void A_folder_with_one_file_and_nothing_else_is_a_model()
    {
        File.WriteAllBytes(_folder.File("model.gguf"), GgufWriter.Of(Assets.Require("models", "tiny", "llama")).Compose());
        using var model = LoadedModel.Load(_folder.Path, new ModelLoadOptions { Device = "cpu" }, TestContext.Current.CancellationToken);
        model.Config.Architecture.ShouldBe("LlamaForCausalLM");
        model.HasTokenizer.ShouldBeFalse();
        Should.Throw<InvalidInputException>(() => model.Tokenizer.Encode("a", addSpecialTokens: false)).Message.ShouldContain("the file holds no tokenizer");
    }

    [Fact]
    public void A_tokenizer_in_the_file_alone_is_no_tokenizer_for_a_model_made_from_it()
    {
        var bytes = GgufWriter.Of(Assets.Require("models", "tiny", "llama"));
        File.WriteAllBytes(_folder.File("model.gguf"), bytes.Compose());
        ModelLocation.Find(_folder.Path).RequireTokenizerFiles(); // it has none at all
        File.WriteAllBytes(_folder.File("model.gguf"), bytes.Set("tokenizer.ggml.tokens", ["a"]).Compose());
        Should.Throw<InvalidInputException>(() => ModelLocation.Find(_folder.Path).RequireTokenizerFiles()).Message.ShouldContain("is in its GGUF file alone");
        _folder.Write("tokenizer.json", "{}");
        ModelLocation.Find(_folder.Path).RequireTokenizerFiles();
    }

    [Theory]
    [InlineData("tiny/llama-tied-rope3", "\"factor\": 8.0", "\"factor\": 4.0", "of rope_freqs.weight is 8", "4 (rope type llama3)")]
    [InlineData("tiny/llama-yarn", "\"original_max_position_embeddings\": 64", "\"original_max_position_embeddings\": 32", "original_context_length is 64", "original_max_position_embeddings 32")]
    [InlineData("tiny/llama-yarn", "\"factor\": 4.0", "\"factor\": 2.0", "rope.scaling.factor is 4", "the rope factor 2")]
    [InlineData("tiny/llama-yarn", "\"yarn\"", "\"linear\"", "rope.scaling.type is yarn", "the rope type linear")]
    [InlineData("tiny/llama-yarn", "\"yarn\"", "\"llama3\", \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0", "rope.scaling.type is yarn", "the rope type llama3")]
    [InlineData("families/phi3-longrope", "\"longrope\"", "\"default\"", "rope_factors_long.weight is there", "the rope type default")]
    [InlineData("families/phi3-longrope", "\"original_max_position_embeddings\": 4096", "\"original_max_position_embeddings\": 2048", "original_context_length is 4096", "2048")]
    [InlineData("families/phi3-longrope", "\"long_factor\": [\n      1.0", "\"long_factor\": [\n      9.0", "factor 0 of rope_factors_long.weight is 1", "9 (long_factor)")]
    [InlineData("families/phi3", "\"partial_rotary_factor\": 1.0", "\"partial_rotary_factor\": 0.5", "rope.dimension_count is ", "turned numbers of a head ")]
    [InlineData("families/gemma2", "\"attn_logit_softcapping\": 50.0", "\"attn_logit_softcapping\": 20.0", "attn_logit_softcapping is 50", "attn_logit_softcapping 20")]
    [InlineData("families/gemma2", "\"final_logit_softcapping\": 30.0", "\"final_logit_softcapping\": null", "final_logit_softcapping is 30", "final_logit_softcapping null")]
    [InlineData("families/gemma2", "\"query_pre_attn_scalar\": 256", "\"query_pre_attn_scalar\": 64", "attention.scale is 0.0625", "queries are multiplied by 0.125")]
    [InlineData("tiny/mistral-window", "\"sliding_window\": 9", "\"sliding_window\": 12", "attention.sliding_window is 9", "sliding_window 12")]
    public void A_config_json_beside_the_file_that_contradicts_it_is_refused_with_both_values(string name, string said, string instead, string inFile, string inConfig)
    {
        var folder = Assets.Require(["models", .. name.Split('/')]);
        File.WriteAllBytes(_folder.File("model.gguf"), GgufWriter.Of(folder).Compose());
        var config = File.ReadAllText(Path.Combine(folder, "config.json"));
        config.ShouldContain(said);
        _folder.Write("config.json", config);
        LoadedModel.Load(_folder.Path, cancellation: TestContext.Current.CancellationToken).Dispose();
        _folder.Write("config.json", config.Replace(said, instead, StringComparison.Ordinal));
        var error = Should.Throw<InvalidInputException>(() => LoadedModel.Load(_folder.Path, cancellation: TestContext.Current.CancellationToken));
        error.Message.ShouldContain(inFile);
        error.Message.ShouldContain(inConfig);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_tied_head_in_blocks_of_another_type_is_the_embedding_up_to_rounding(int stride, bool isCopy)
    {
        var folder = Assets.Require("models", "tiny", "llama-tied-rope3");
        File.Copy(Path.Combine(folder, "config.json"), _folder.File("config.json"));
        using (var source = ModelWeights.Open(folder))
        {
            var shape = source.Tensors["model.embed_tokens.weight"].Shape;
            var embedding = source.ReadSingles("model.embed_tokens.weight");
            // Every other row twice is another matrix.
            var head = Enumerable.Range(0, embedding.Length).Select(i => embedding[i / shape[1] / stride * stride * shape[1] + i % shape[1]]).ToArray();
            File.WriteAllBytes(_folder.File("model.gguf"), GgufWriter.Of(folder).Add("output.weight", [.. shape], GgmlType.Q80, RoundedToBytes(head)).Compose());
        }
        if (isCopy)
        {
            using var model = LoadedModel.Load(_folder.Path, cancellation: TestContext.Current.CancellationToken);
            model.Config.TiedEmbeddings.ShouldBeTrue();
            return;
        }
        Should.Throw<InvalidInputException>(() => LoadedModel.Load(_folder.Path, cancellation: TestContext.Current.CancellationToken))
            .Message.ShouldContain("output.weight is another matrix than token_embd.weight: they lie ");
    }

    /// <summary>Blocks of Q8_0: a half, 32 bytes.</summary>
    private static byte[] RoundedToBytes(float[] weights) => [.. weights.Chunk(32).SelectMany(block =>
    {
        var scale = (Half)(block.Max(Math.Abs) / 127);
        return BitConverter.GetBytes(scale).Concat(block.Select(w => (byte)(sbyte)Math.Clamp(Math.Round(w / (float)scale), -127, 127)));
    })];

    [Fact]
    public void A_config_json_of_another_family_is_refused_though_the_shapes_fit()
    {
        var folder = Assets.Require("models", "tiny", "llama");
        File.WriteAllBytes(_folder.File("model.gguf"), GgufWriter.Of(folder).Compose());
        _folder.Write("config.json", File.ReadAllText(Path.Combine(folder, "config.json"))
            .Replace("LlamaForCausalLM", "GraniteForCausalLM", StringComparison.Ordinal).Replace("\"llama\"", "\"granite\"", StringComparison.Ordinal));
        Should.Throw<InvalidInputException>(() => LoadedModel.Load(_folder.Path, cancellation: TestContext.Current.CancellationToken))
            .Message.ShouldContain("general.architecture is llama, LlamaForCausalLM and the config.json beside it says architectures is GraniteForCausalLM");
    }

    [Fact]
    public void Tensors_that_are_missing_unexpected_or_wrong_are_told_at_once_by_the_files_names()
    {
        var bytes = GgufWriter.Of(Assets.Require("models", "tiny", "llama")).Without("blk.0.ffn_up.weight").Without("output_norm.weight").Without("blk.1.ffn_norm.weight")
            .Add("blk.1.ffn_norm.weight", [3], 1, 2, 3).Add("blk.0.foo.weight", [1], 1);
        File.WriteAllBytes(_folder.File("model.gguf"), bytes.Compose());
        var error = Should.Throw<WeightsMismatchException>(() => LoadedModel.Load(_folder.File("model.gguf"), cancellation: TestContext.Current.CancellationToken));
        error.Missing.ShouldBe(["blk.0.ffn_up.weight", "output_norm.weight"]);
        error.Unexpected.ShouldBe(["blk.0.foo.weight"]);
        error.Wrong.ShouldHaveSingleItem().ShouldStartWith("blk.1.ffn_norm.weight is [3], the config asks for [");
        error.Message.ShouldContain("Check that the file is complete");
        PathInspector.Inspect(_folder.File("model.gguf")).Remarks.ShouldContain(note => note.Contains("2 missing (blk.0.ffn_up.weight, output_norm.weight); 1 unexpected"));
    }

    private static Tensor Logits(Decoder decoder, Tensor ids, TokenLayout layout) => decoder.Logits(decoder.Forward(ids, layout));
}
