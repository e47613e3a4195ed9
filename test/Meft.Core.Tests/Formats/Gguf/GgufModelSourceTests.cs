using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

public sealed class GgufModelSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_tensors_as_Hugging_Face_does()
    {
        using var source = Open(GgufModels.Tiny());
        source.Tensors.Keys.ShouldBe(
            [
                "model.embed_tokens.weight", "model.norm.weight", "model.layers.0.self_attn.q_proj.weight",
                "model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.k_proj.weight", "model.layers.0.self_attn.v_proj.weight",
                "model.layers.0.mlp.down_proj.weight",
            ],
            ignoreOrder: true);
        source.Tensors["model.embed_tokens.weight"].Shape.ShouldBe([2, 8]);
        source.Tensors["model.layers.0.mlp.down_proj.weight"].ShouldBe(
            source.Tensors["model.layers.0.mlp.down_proj.weight"] with { DType = TensorDType.F32, ByteLength = 128 });
    }

    [Fact]
    public void Puts_query_and_key_rows_of_llama_back()
    {
        using var source = Open(GgufModels.Tiny());
        // Rows of a head of 4 in the file: (half 0, place 0), (half 1, place 0), (half 0, place 1), (half 1, place 1).
        Rows(source, "q_proj.weight").ShouldBe([0, 2, 1, 3, 4, 6, 5, 7]);
        Rows(source, "k_proj.weight").ShouldBe([0, 2, 1, 3]);
        Rows(source, "v_proj.weight").ShouldBe([0, 1, 2, 3]);
        source.ReadSingles("model.layers.0.self_attn.q_proj.bias").ShouldBe([0, 2, 1, 3, 4, 6, 5, 7]);
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void Leaves_rows_of_other_architectures_where_they_are(string architecture)
    {
        using var source = Open(GgufModels.Tiny(architecture));
        Rows(source, "q_proj.weight").ShouldBe([0, 1, 2, 3, 4, 5, 6, 7]);
    }

    [Fact]
    public void The_permutation_is_the_converters_own_undone()
    {
        const int Heads = 3, HeadSize = 10;
        // What converters do: reshape rows to [heads, 2, half], swap the last two.
        var written = new long[Heads * HeadSize];
        for (var head = 0; head < Heads; head++)
            for (var half = 0; half < 2; half++)
                for (var place = 0; place < HeadSize / 2; place++)
                    written[head * HeadSize + 2 * place + half] = head * HeadSize + half * (HeadSize / 2) + place;
        for (long row = 0; row < written.Length; row++) written[GgufTensorNames.PermutedRow(row, HeadSize)].ShouldBe(row);
    }

    [Fact]
    public unsafe void Rows_are_those_of_the_whole_in_any_parts_and_types()
    {
        foreach (var dtype in new[] { TensorDType.F32, TensorDType.BF16 })
        {
            using var source = Open(GgufModels.Tiny(), dtype);
            foreach (var (name, entry) in source.Tensors)
            {
                var all = Whole(source, name);
                foreach (var type in new[] { TensorDType.F32, TensorDType.F16, TensorDType.BF16 })
                {
                    var width = type.BitSize() / 8;
                    byte[] parts = new byte[entry.ElementCount * width], expected = new byte[parts.Length];
                    fixed (byte* target = parts)
                    fixed (byte* whole = expected, from = all)
                    {
                        for (long row = 0; row < entry.RowCount; row++) source.CopyRows(name, row, 1, type, (nint)(target + row * entry.RowLength * width));
                        FloatCopy.Copy((nint)from, dtype, (nint)whole, type, entry.ElementCount);
                    }
                    parts.ShouldBe(expected, $"{name} as {type} of {dtype}");
                }
                Should.Throw<ArgumentOutOfRangeException>(() => source.CopyRows(name, 0, entry.RowCount + 1, dtype, 0));
            }
        }
    }

    [Fact]
    public unsafe void All_ways_of_reading_agree_in_both_types()
    {
        foreach (var dtype in new[] { TensorDType.F32, TensorDType.BF16 })
        {
            using var source = Open(GgufModels.Tiny(), dtype);
            foreach (var (name, entry) in source.Tensors)
            {
                entry.DType.ShouldBe(dtype);
                var expected = new float[entry.ElementCount];
                fixed (byte* bytes = Whole(source, name))
                fixed (float* singles = expected) FloatCopy.Copy((nint)bytes, dtype, (nint)singles, TensorDType.F32, expected.Length);
                source.ReadSingles(name).ShouldBe(expected);
            }
            source.ReadSingles("model.layers.0.mlp.down_proj.weight").ShouldBe(Enumerable.Range(0, 32).Select(i => (float)i));
        }
    }

    [Fact]
    public void Reads_the_configuration()
    {
        using var source = Open(GgufModels.Tiny());
        source.Config.ShouldBe(new GgufModelConfig
        {
            Architecture = "llama",
            BlockCount = 1,
            ContextLength = 64,
            EmbeddingLength = 8,
            FeedForwardLength = 16,
            HeadCount = 2,
            HeadCountKv = 1,
            HeadSize = 4,
            RmsNormEpsilon = 0.5,
            RopeBase = 500,
        });
    }

    [Fact]
    public void An_unknown_architecture_is_refused_with_the_known_ones()
    {
        var error = Refusal(GgufModels.Tiny("mamba"));
        error.Message.ShouldContain("'mamba'");
        error.Allowed.ShouldNotBeNull().Split(", ").ShouldBeSubsetOf(["gemma", "gemma2", "gemma3", "llama", "phi3", "qwen2", "qwen3"]);
        error.Allowed.ShouldContain("llama");
    }

    [Theory]
    [InlineData("blk.0.ffn_gate_exps.weight")]
    [InlineData("blk.00.attn_norm.weight")]
    [InlineData("blk.x.attn_norm.weight")]
    [InlineData("blk..attn_norm.weight")]
    [InlineData("blk.0.attn_norm")]
    [InlineData("weight")]
    public void A_tensor_without_a_place_is_named_apart(string name)
    {
        using var source = Open(GgufModels.Tiny().Add(name, [1], 1));
        source.Unplaced.ShouldBe([name]);
        source.Tensors.ShouldNotContainKey(name);
    }

    [Theory]
    [InlineData("llama", "blk.3.ffn_up.weight", "model.layers.3.mlp.up_proj.weight")]
    [InlineData("llama", "blk.12.attn_q.bias", "model.layers.12.self_attn.q_proj.bias")]
    [InlineData("phi3", "blk.0.ffn_up.weight", "model.layers.0.mlp.gate_up_proj.weight")]
    [InlineData("gemma2", "blk.0.ffn_norm.weight", "model.layers.0.pre_feedforward_layernorm.weight")]
    [InlineData("gemma2", "blk.0.post_attention_norm.weight", "model.layers.0.post_attention_layernorm.weight")]
    [InlineData("llama", "token_embd.weight", "model.embed_tokens.weight")]
    [InlineData("llama", "output.weight", "lm_head.weight")]
    [InlineData("llama", "model.layers.0.mlp.what.weight", "model.layers.0.mlp.what.weight")] // of no such file
    public void Names_are_told_as_the_file_has_them(string architecture, string inFile, string name)
    {
        using var source = Open(GgufModels.Tiny(architecture).Without("rope_freqs.weight"));
        source.NameInFile(name).ShouldBe(inFile);
    }

    [Fact]
    public void Rows_that_do_not_fit_the_heads_are_refused()
    {
        var bytes = new GgufBytes().Set("general.architecture", "llama");
        GgufModels.Configure(bytes, "llama");
        Refusal(bytes.Add("blk.0.attn_q.weight", [6, 8], new float[48])).Name.ShouldBe("blk.0.attn_q.weight");
    }

    [Fact]
    public void A_block_type_that_cannot_be_decoded_is_refused_on_opening() =>
        Refusal(GgufModels.Tiny().Add("output.weight", [1, 256], GgmlType.IQ1S, new byte[50])).Name.ShouldBe("output.weight");

    [Fact]
    public void All_tensors_that_cannot_be_used_are_told_at_once()
    {
        var error = Refusal(GgufModels.Tiny()
            .Add("blk.0.ffn_gate_exps.weight", [1], 1).Add("what.weight", [1], 1)
            .Add("output.weight", [1, 256], GgmlType.IQ1S, new byte[50]));
        error.Message.ShouldContain("2 tensors have no place in the architecture 'llama' (blk.0.ffn_gate_exps.weight, what.weight)");
        error.Message.ShouldContain("blocks of type IQ1_S cannot be decoded, in 1 tensors (output.weight)");
    }

    [Fact]
    public unsafe void A_file_that_has_become_shorter_is_an_error_with_the_tensor()
    {
        using var source = Open(GgufModels.Tiny());
        using (var stream = new FileStream(source.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) stream.SetLength(stream.Length - 20);
        var blocks = new byte[34];
        fixed (byte* target = blocks)
        {
            var address = (nint)target;
            foreach (var read in new Action[]
            {
                () => source.ReadSingles("model.layers.0.mlp.down_proj.weight"),
                () => source.CopyBlocks("model.layers.0.mlp.down_proj.weight", address, 34),
            })
            {
                var error = Should.Throw<GgufException>(read);
                error.Name.ShouldBe("blk.0.ffn_down.weight");
                error.Message.ShouldContain("the file cannot be read");
            }
        }
    }

    [Fact]
    public void One_part_of_several_is_refused() => Refusal(GgufModels.Tiny().Set("split.count", 2u)).Name.ShouldBe("split.count");

    [Fact]
    public void A_size_that_is_none_is_refused_by_key()
    {
        var bytes = new GgufBytes().Set("general.architecture", "llama").Set("llama.attention.head_count", 0u);
        Refusal(bytes).Name.ShouldBe("llama.attention.head_count");
        Refusal(new GgufBytes()).Name.ShouldBe("general.architecture");
    }

    [Fact]
    public void Gives_nothing_after_disposal()
    {
        var source = Open(GgufModels.Tiny());
        source.ReadSingles("model.norm.weight");
        source.Dispose();
        source.Dispose();
        Should.Throw<ObjectDisposedException>(() => source.ReadSingles("model.norm.weight"));
    }

    private static unsafe byte[] Whole(GgufModelSource source, string name)
    {
        var copied = new byte[source.Tensors[name].ByteLength];
        fixed (byte* target = copied) source.CopyTo(name, (nint)target, copied.Length);
        return copied;
    }

    private static float[] Rows(GgufModelSource source, string name)
    {
        var values = source.ReadSingles("model.layers.0.self_attn." + name);
        return [.. values.Chunk(8).Select(row => row[0] / 8)];
    }

    private GgufException Refusal(GgufBytes bytes) => Should.Throw<GgufException>(() => Open(bytes));

    private GgufModelSource Open(GgufBytes bytes, TensorDType dtype = TensorDType.F32)
    {
        var path = _folder.File("x.gguf");
        File.WriteAllBytes(path, bytes.Compose());
        return GgufModelSource.Open(path, dtype);
    }
}
