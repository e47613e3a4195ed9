using CsCheck;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Tests.Tokenization;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

public sealed class GgufConfigTests : IDisposable
{
    private static readonly uint[] Numbers = [0, 1, 2, 3, 64, 1 << 20, uint.MaxValue];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Metadata_and_tensors_make_a_config()
    {
        var config = Read(GgufModels.Tiny().Set("tokenizer.ggml.eos_token_id", 1u).Set("tokenizer.ggml.eot_token_id", 0u).Set("tokenizer.ggml.bos_token_id", 0u));
        (config.Architecture, config.VocabularySize, config.HiddenSize, config.IntermediateSize, config.LayerCount).ShouldBe(("LlamaForCausalLM", 2, 8, 16, 1));
        (config.HeadCount, config.KeyValueHeadCount, config.HeadSize, config.MaxPositions, config.NormEpsilon).ShouldBe((2, 1, 4, 64, 0.5));
        (config.TiedEmbeddings, config.QueryKeyValueBias, config.FeedForwardBias, config.StoredType).ShouldBe((true, true, false, StoredType.BFloat16));
        (config.Rope, config.BeginToken).ShouldBe((new RopeConfig { Theta = 500 }, 0));
        config.EndTokens.ShouldBe([1, 0]);
    }

    [Fact]
    public void Tokens_that_end_a_turn_are_known_by_their_texts()
    {
        var bytes = GgufModels.Tiny().Remove("tokenizer.ggml.tokens").Set("tokenizer.ggml.tokens", ["</s>", "<end_of_turn>"]);
        Read(bytes.Set("tokenizer.ggml.eos_token_id", 0u)).EndTokens.ShouldBe([0, 1]);
    }

    [Theory]
    [InlineData("llama", false, 0u, "attention.causal': the value is false")]
    [InlineData("qwen2", true, 8u, "the value is 8, and the file does not say which layers have it")]
    [InlineData("qwen3", true, 8u, "the value is 8, and the file does not say which layers have it")]
    public void What_would_change_attention_and_is_not_known_is_refused(string architecture, bool causal, uint window, string expected)
    {
        GgufBytes Bytes(bool isCausal, uint size) => GgufModels.Tiny(architecture).Without("rope_freqs.weight")
            .Set($"{architecture}.attention.causal", isCausal).Set($"{architecture}.attention.sliding_window", size);
        Should.Throw<GgufException>(() => Read(Bytes(causal, window))).Message.ShouldContain(expected);
        Read(Bytes(true, 0)).LayerCount.ShouldBe(1);
    }

    [Fact]
    public void Numbers_of_float32_are_told_as_config_json_tells_them() =>
        Read(GgufModels.Tiny().Remove("llama.attention.layer_norm_rms_epsilon").Set("llama.attention.layer_norm_rms_epsilon", 1e-5f)).NormEpsilon.ShouldBe(1e-5);

    [Fact]
    public void An_output_matrix_unties_the_head() =>
        Read(GgufModels.Tiny().Add("output.weight", [2, 8], new float[16])).TiedEmbeddings.ShouldBeFalse();

    [Theory]
    [InlineData("gemma2", 4, null, "0,2", null)]
    [InlineData("gemma2", 4, 3u, "0,2", null)] // its period is none of the file's
    [InlineData("gemma3", 7, null, "0,1,2,3,4,6", 10_000.0)]
    [InlineData("gemma3", 4, 2u, "0,2", 10_000.0)]
    public void Layers_with_a_window_are_where_the_later_gemmas_have_them(
        string architecture, int layers, uint? pattern, string windows, double? localTheta)
    {
        var bytes = GgufModels.Tiny(architecture).Without("rope_freqs.weight").Remove($"{architecture}.block_count").Set($"{architecture}.block_count", (uint)layers)
            .Set($"{architecture}.attention.sliding_window", 16u);
        if (pattern is { } period) bytes.Set($"{architecture}.attention.sliding_window_pattern", period);
        var config = Read(bytes);
        string.Join(',', Enumerable.Range(0, layers).Where(i => config.WindowOf(i) == 16)).ShouldBe(windows);
        (config.LocalRope?.Theta).ShouldBe(localTheta);
    }

    [Fact]
    public void What_a_gemma_2_file_leaves_out_is_the_familys_own()
    {
        var bytes = GgufModels.Tiny("gemma2").Without("rope_freqs.weight").Remove("gemma2.block_count").Set("gemma2.block_count", 3u);
        var config = Read(bytes);
        (config.SoftCaps.Attention, config.SoftCaps.Logits).ShouldBe((50, 30));
        Enumerable.Range(0, 3).Select(config.WindowOf).ShouldBe([4096, null, 4096]);
        var stated = Read(bytes.Set("gemma2.attn_logit_softcapping", 20f).Set("gemma2.final_logit_softcapping", 10f).Set("gemma2.attention.sliding_window", 0u));
        (stated.SoftCaps.Attention, stated.SoftCaps.Logits).ShouldBe((20, 10));
        Enumerable.Range(0, 3).Select(stated.WindowOf).ShouldAllBe(window => window == null);
        Read(GgufModels.Tiny("gemma3").Without("rope_freqs.weight")).SoftCaps.ShouldBe(new SoftCaps());
    }

    [Fact]
    public void What_a_gemma_file_says_of_its_attention_wins()
    {
        var bytes = GgufModels.Tiny("gemma3").Without("rope_freqs.weight").Set("gemma3.attention.scale", 0.125f).Set("gemma3.rope.freq_base_swa", 500f)
            .Set("gemma3.attention.sliding_window", 16u);
        var config = Read(bytes);
        (config.AttentionScale, config.LocalRope!.Theta).ShouldBe((0.125, 500));
    }

    [Theory]
    [InlineData("gemma2", 46)]
    [InlineData("gemma3", 62)]
    public void Queries_of_the_largest_gemmas_are_scaled_by_hidden_size_over_heads(string architecture, int layers)
    {
        var bytes = GgufModels.Tiny(architecture).Without("rope_freqs.weight").Set($"{architecture}.attention.key_length", 2u).Set($"{architecture}.attention.value_length", 2u);
        Read(bytes).AttentionScale.ShouldBe(1 / Math.Sqrt(2));
        Read(bytes.Remove($"{architecture}.block_count").Set($"{architecture}.block_count", (uint)layers)).AttentionScale.ShouldBe(1 / Math.Sqrt(4));
    }

    [Theory]
    [InlineData(null, null, null)] // follows from the stretching
    [InlineData(0.5f, null, 0.5 * 1.1386294361119891)] // times 0.1 ln 4 + 1
    [InlineData(1f, 1.25f, 1.25)] // as it is: converters write the whole factor of config.json
    [InlineData(null, 1f, 1.0)]
    public void Factors_of_yarn_multiply_what_follows_from_the_stretching_or_take_its_place(float? one, float? other, double? expected)
    {
        var bytes = Yarn();
        if (one is { } given) bytes.Set("llama.rope.scaling.attn_factor", given);
        if (other is { } second) bytes.Set("llama.rope.scaling.yarn_attn_factor", second);
        var rope = Read(bytes.Set("llama.rope.scaling.yarn_ext_factor", 1f).Set("llama.rope.scaling.yarn_log_multiplier", 0f)).Rope;
        (rope.Type, rope.Factor, rope.BetaFast, rope.BetaSlow).ShouldBe((RopeType.Yarn, 4, 32, 1));
        rope.AttentionFactor.HasValue.ShouldBe(expected.HasValue);
        (rope.AttentionFactor ?? 0).ShouldBe(expected ?? 0, 1e-12);
    }

    private static GgufBytes Yarn() =>
        GgufModels.Tiny().Without("rope_freqs.weight").Set("llama.rope.scaling.type", "yarn").Set("llama.rope.scaling.factor", 4f);

    public static TheoryData<GgufBytes, string> Refused => new()
    {
        { Yarn().Set("llama.rope.scaling.attn_factor", 0.5f).Set("llama.rope.scaling.yarn_attn_factor", 2f), "attn_factor': the value is 0.5 beside llama.rope.scaling.yarn_attn_factor 2" },
        { Yarn().Remove("llama.rope.scaling.type").Set("llama.rope.scaling.type", "longrope"), "the file lacks rope_factors_long.weight or rope_factors_short.weight" },
        { GgufModels.Tiny().Set("llama.attention.scale", 0.125f), "llama.attention.scale': the value is 0.125, which is not supported. Allowed: 0.5" },
        { GgufModels.Tiny().Set("llama.final_logit_softcapping", 30f), "the value is 30, which is not supported" },
        { GgufModels.Tiny("gemma3").Without("rope_freqs.weight").Set("gemma3.attention.sliding_window", 4u).Set("gemma3.rope.freq_base_swa", 0.5f), "gemma3.rope.freq_base_swa" },
        { Yarn().Set("llama.rope.scaling.yarn_ext_factor", 0.5f), "yarn_ext_factor': the value is 0.5 with the scaling 'yarn'. Allowed: 1, or none" },
        { Yarn().Set("llama.rope.scaling.yarn_ext_factor", 0f), "yarn_ext_factor': the value is 0 with the scaling 'yarn'" },
        { Yarn().Remove("llama.rope.scaling.type").Set("llama.rope.scaling.type", "linear").Set("llama.rope.scaling.yarn_ext_factor", 1f), "the value is 1 with the scaling 'linear'" },
        { Yarn().Set("llama.rope.scaling.yarn_log_multiplier", 0.1f), "yarn_log_multiplier': the value is 0.1, which is not supported" },
        { GgufModels.Tiny().Set("llama.expert_count", 8u), "'llama.expert_count': the value is 8, which is not supported" },
        { GgufModels.Tiny().Set("llama.logit_scale", 0.5f), "the value is 0.5, which is not supported" },
        { GgufModels.Tiny().Set("llama.vocab_size", 3u), "the value is 3 and the embedding has 2 rows" },
        { GgufModels.Tiny().Set("llama.attention.value_length", 8u), "values have heads of 8 and keys of 4" },
        { GgufModels.Tiny().Remove("llama.embedding_length").Set("llama.embedding_length", 16u), "the embedding's rows have 8 numbers and llama.embedding_length is 16" },
        { GgufModels.Tiny().Remove("tokenizer.ggml.tokens").Set("tokenizer.ggml.tokens", ["a", "b", "c"]), "there are 3 tokens and the embedding has 2 rows" },
        { GgufModels.Tiny().Set("llama.rope.scaling.type", "cubic").Set("llama.rope.scaling.factor", 2f).Without("rope_freqs.weight"), "the rope is scaled as 'cubic'" },
        { GgufModels.Tiny().Set("llama.rope.dimension_count", 2u), "llama.rope.dimension_count over the size of a head is 0.5" },
        { GgufModels.Tiny().Without("rope_freqs.weight").Add("rope_freqs.weight", [2], 3, 2), "'rope_freqs.weight': the 2 factors" },
        { GgufModels.Tiny().Without("rope_freqs.weight").Add("rope_freqs.weight", [3], 1, 1, 2), "the 3 factors of the rope's frequencies" },
        { GgufModels.Tiny().Without("token_embd.weight"), "token_embd.weight" },
        { GgufModels.Tiny().Without("rope_freqs.weight").Remove("llama.attention.head_count").Set("llama.attention.head_count", 3u), "the value is 3, which does not divide llama.embedding_length, 8" },
        { GgufModels.Tiny().Without("rope_freqs.weight").Set("llama.attention.key_length", 4u).Remove("llama.attention.head_count").Set("llama.attention.head_count", 3u), "llama.attention.head_count is 3, which llama.attention.head_count_kv, 2, does not divide" },
        { GgufModels.Tiny("phi3").Without("rope_freqs.weight").Add("rope_factors_long.weight", [2], 1, 1), "the file lacks rope_factors_long.weight or rope_factors_short.weight" },
        { GgufModels.Tiny("mamba"), "the architecture 'mamba' is unknown" },
        { GgufModels.Tiny("gemma2").Remove("gemma2.block_count").Set("gemma2.block_count", 2_000_000_000u), "the value is 2000000000. Allowed: 1 to 65536" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_contradicts_itself_or_cannot_be_computed_is_refused(GgufBytes bytes, string expected)
    {
        if (expected.Contains("head_count_kv", StringComparison.Ordinal)) bytes.Remove("llama.attention.head_count_kv").Set("llama.attention.head_count_kv", 2u);
        var error = Should.Throw<InvalidInputException>(() => Read(bytes));
        error.Message.ShouldContain(_folder.File("model.gguf"));
        error.Message.ShouldContain(expected);
    }

    [Fact]
    public void A_changed_file_gives_config_weights_and_tokenizer_or_is_refused()
    {
        var path = _folder.File("model.gguf");
        ReaderFuzz.Run(
            path, [Model(GgufTokenizers.SmallByteLevel()).Compose(), Model(GgufTokenizers.SmallSentencePiece()).Compose()], () => Use(path),
            e => e is InvalidInputException, path, cases: 400, bytesPerByte: 1500, fixedBytes: 4 << 20);
    }

    /// <summary>Whole values put in the place of others: what changes of bytes seldom reach.</summary>
    [Theory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("gemma3")]
    [InlineData("phi3")]
    public void Changed_metadata_give_config_weights_and_tokenizer_or_are_refused(string architecture)
    {
        var path = _folder.File("model.gguf");
        string[] own = ["rope.scaling.type", "rope.scaling.factor", "attention.sliding_window", "attn_logit_softcapping", "attention.scale"];
        string[] keys = [.. Model(GgufTokenizers.SmallByteLevel(), architecture).Keys, .. own.Select(key => $"{architecture}.{key}")];
        var genKey = Gen.Int[0, keys.Length - 1].Select(i => keys[i]);
        var genChange = Gen.Select(genKey, Gen.Int[0, 8], Gen.Int[0, Numbers.Length - 1].Select(i => Numbers[i]), (key, kind, number) => (key, kind, number));
        var outcomes = new int[2];
        genChange.Array[1, 3].Sample(
            changes =>
            {
                var bytes = Model(GgufTokenizers.SmallByteLevel(), architecture);
                foreach (var (key, kind, number) in changes) Change(bytes.Remove(key), key, kind, number);
                var file = bytes.Compose();
                File.WriteAllBytes(path, file);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    Use(path);
                    outcomes[0]++;
                }
                catch (InvalidInputException e)
                {
                    e.Message.ShouldContain(path);
                    outcomes[1]++;
                }
                (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1500L * file.Length + (4 << 20));
            },
            iter: 300, threads: 1);
        outcomes.ShouldAllBe(count => count > 0);
    }

    private static void Change(GgufBytes bytes, string key, int kind, uint number) => _ = kind switch
    {
        0 => bytes,
        1 => bytes.Set(key, number),
        2 => bytes.Set(key, BitConverter.UInt32BitsToSingle(number)),
        3 => bytes.Set(key, float.NaN),
        4 => bytes.Set(key, "llama"),
        5 => bytes.Set(key, ["a", "", "a b"]),
        6 => bytes.Set(key, [1, -1, 3]),
        7 => bytes.Set(key, true),
        _ => bytes.Set(key, GgufValueType.Int64, BitConverter.GetBytes(-(long)number)),
    };

    /// <summary>A tokenizer's file with a model of as many tokens.</summary>
    private static GgufBytes Model(GgufBytes tokenizer, string architecture = "llama")
    {
        tokenizer.Set("general.architecture", architecture);
        GgufModels.Configure(tokenizer, architecture);
        if (architecture == "llama") tokenizer.Add("rope_freqs.weight", [2], 1, 4);
        return tokenizer.Add("token_embd.weight", [264, 8], new float[264 * 8]).Add("output_norm.weight", [8], new float[8])
            .Add("blk.0.attn_q.weight", [8, 8], new float[64]).Add("blk.0.attn_k.weight", [4, 8], new float[32]);
    }

    private static void Use(string path)
    {
        var location = ModelLocation.Find(path);
        var config = location.ReadConfig();
        using (var weights = ModelWeights.Open(location.WeightsPath, config, TensorDType.F32))
        {
            foreach (var name in weights.Tensors.Keys) weights.ReadSingles(name);
        }
        var tokenizer = HuggingFaceTokenizer.Load(location.TokenizerPath);
        tokenizer.Decode(tokenizer.Encode("hello  wörld<|end|>ab", addSpecialTokens: true), skipSpecialTokens: false);
        _ = TokenizerConfig.Load(location.ChatTemplatePath).ChatTemplate;
    }

    private ModelConfig Read(GgufBytes bytes)
    {
        File.WriteAllBytes(_folder.File("model.gguf"), bytes.Compose());
        return GgufConfig.Read(_folder.File("model.gguf"));
    }
}
