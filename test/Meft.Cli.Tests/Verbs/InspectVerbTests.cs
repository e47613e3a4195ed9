using System.Text.Json;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Meft.TestSupport.Gguf;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class InspectVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_model_shows_its_sizes_tokenizer_and_what_an_adapter_would_add()
    {
        var run = ProgramRun.Of("inspect", SampleModel.Write(_folder), "--rank", "16");
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("architecture  LlamaForCausalLM (llama), float32\n");
        run.Output.ShouldContain("layers        2, hidden size 16, feed-forward 24 (silu)\n");
        run.Output.ShouldContain("tokenizer     5 tokens, BPE from tokenizer.json\n              begins with nothing, ends with </s>\n");
        run.Output.ShouldContain("template      none\n");
        run.Output.ShouldContain("files         model.safetensors, ");
        // 16 experts of a row: the last of 2 layers, (2·16 + 16) rows of 16.
        run.Output.ShouldMatch("meft R = 16 +1 +768 ");
        // On q and v of 2 layers: r·(16 + 16) and r·(16 + 8).
        run.Output.ShouldMatch("lora r = 8 +2 +896 ");
        run.Output.ShouldNotContain("model.embed_tokens.weight");
        ProgramRun.Of("inspect", _folder.File("model"), "--tensors").Output.ShouldContain("model.embed_tokens.weight");
    }

    [Fact]
    public void Json_is_one_document()
    {
        var run = ProgramRun.Of("inspect", SampleModel.Write(_folder), "--json", "--rank", "16", "--lora-rank", "2");
        using var json = JsonDocument.Parse(run.Output);
        json.RootElement.GetProperty("kind").GetString().ShouldBe("model");
        var costs = json.RootElement.GetProperty("adapter_costs");
        (costs.GetProperty("rows").GetInt32(), costs.GetProperty("row_tokens").GetInt32()).ShouldBe((16, SampleModel.MaxPositions));
        costs.GetProperty("methods").EnumerateArray().Select(m => (m.GetProperty("method").GetString(), m.GetProperty("rank").GetInt32(), m.GetProperty("parameters").GetInt64()))
            .ShouldBe([("meft", 16, 768), ("lora", 2, 224)]);
        json.RootElement.GetProperty("model").GetProperty("rope").GetProperty("type").GetString().ShouldBe("default");
        json.RootElement.GetProperty("files")[0].GetProperty("name").GetString().ShouldBe("model.safetensors");
        var model = json.RootElement.GetProperty("model").GetProperty("parameters").GetInt64();
        // The head is stored apart, as the config says: every stored element is a parameter.
        var tensors = json.RootElement.GetProperty("tensors");
        tensors.GetProperty("elements").GetInt64().ShouldBe(model);
        tensors.GetProperty("all").EnumerateArray().Sum(t => t.GetProperty("elements").GetInt64()).ShouldBe(model);
        tensors.GetProperty("all")[0].GetProperty("dtype").GetString().ShouldBe("F32");
    }

    [Fact]
    public void A_foreign_models_tensors_are_listed()
    {
        var folder = SampleModel.Write(_folder);
        _folder.Write("model/config.json", """{"architectures": ["StrangeForCausalLM"], "model_type": "strange"}""");
        var run = ProgramRun.Of("inspect", folder);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Words.ShouldContain("note the model cannot be loaded: the architecture 'StrangeForCausalLM' is not known. Allowed: ");
        run.Words.ShouldContain("LlamaForCausalLM");
        run.Output.ShouldContain("\nmodel.embed_tokens.weight ");
    }

    [Fact]
    public void A_config_alone_is_a_model_to_plan_with()
    {
        File.Delete(Path.Combine(SampleModel.Write(_folder), "model.safetensors"));
        var run = ProgramRun.Of("inspect", _folder.File("model"));
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("parameters ");
        run.Output.ShouldContain("note          no weights");
    }

    [Fact]
    public void Weights_that_do_not_fit_their_config_are_named()
    {
        var folder = SampleModel.Write(_folder);
        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"intermediate_size\": 24", "\"intermediate_size\": 20", StringComparison.Ordinal));
        var run = ProgramRun.Of("inspect", folder);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Words.ShouldContain("mlp.gate_proj.weight is [24, 16], the config asks for [20, 16]");
    }

    [Fact]
    public void A_contradictory_config_is_refused_with_both_values()
    {
        var folder = SampleModel.Write(_folder);
        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 3", StringComparison.Ordinal));
        var run = ProgramRun.Of("inspect", folder);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("num_attention_heads is 2, which num_key_value_heads, 3, does not divide");
    }

    [Theory]
    [InlineData("\"use_experts\": true", "'use_experts' is true")]
    [InlineData("\"quantization_config\": {\"bits\": 4}", "'quantization_config' is {\"bits\": 4}")]
    public void A_model_that_is_not_computed_here_still_has_its_tensors_listed(string flag, string note)
    {
        var folder = SampleModel.Write(_folder);
        var config = Path.Combine(folder, "config.json");
        var text = File.ReadAllText(config);
        File.WriteAllText(config, text.Insert(text.IndexOf('{', StringComparison.Ordinal) + 1, flag + ","));
        var run = ProgramRun.Of("inspect", folder);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Words.ShouldContain(note);
        run.Output.ShouldContain("model.embed_tokens.weight ");
    }

    [Fact]
    public void A_pickle_is_named_and_not_read()
    {
        var folder = SampleModel.Write(_folder);
        File.Move(Path.Combine(folder, "model.safetensors"), Path.Combine(folder, "pytorch_model.bin"));
        ProgramRun.Of("inspect", folder).Words.ShouldContain("pytorch_model.bin is a pickle of PyTorch's, which may run code; convert the model to safetensors");
    }

    [Fact]
    public void Control_characters_of_a_file_are_shown_as_pictures()
    {
        var path = _folder.File("hostile.gguf");
        File.WriteAllBytes(path, new GgufBytes().Set("general.architecture", "str\u001b[2Jange").Compose());
        var run = ProgramRun.Of("inspect", path);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldNotContain('\u001b');
        run.Output.ShouldContain("str␛[2Jange");
    }

    [Fact]
    public void A_foreign_files_tensors_are_cut_unless_all_are_asked_for()
    {
        var writer = new SafetensorsWriter();
        for (var i = 0; i < 45; i++) writer.Add($"block.{i:00}.weight", [2, 3], new float[6]);
        var path = _folder.File("foreign.safetensors");
        writer.Save(path);
        var run = ProgramRun.Of("inspect", path);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("\nblock.00.weight  F32  [2, 3]      24 B\n");
        run.Output.ShouldContain("\nblock.39.weight ");
        run.Output.ShouldNotContain("block.40.weight");
        run.Output.ShouldEndWith("\n… and 5 more: --tensors lists them all\n");
        var all = ProgramRun.Of("inspect", path, "--tensors").Output;
        all.ShouldContain("\nblock.44.weight ");
        all.ShouldNotContain("more:");
        using var json = JsonDocument.Parse(ProgramRun.Of("inspect", path, "--json").Output);
        json.RootElement.GetProperty("tensors").GetProperty("all").GetArrayLength().ShouldBe(45);
    }

    [Fact]
    public void A_foreign_GGUF_file_shows_every_type_of_block_with_its_bytes()
    {
        var bytes = new GgufBytes().Set("general.architecture", "strange").Set("strange.words", ["a", "b"]);
        foreach (var type in Enum.GetValues<GgmlType>()) bytes.Add($"t.{type}", [3, type.BlockWeights()], type, new byte[3 * type.BlockBytes()]);
        var path = _folder.File("foreign.gguf");
        File.WriteAllBytes(path, bytes.Compose());
        var run = ProgramRun.Of("inspect", path);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("note          the model cannot be loaded: general.architecture: the architecture 'strange' is\n              unknown\n");
        run.Output.ShouldContain("strange.words         [2 values]\n");
        using var json = JsonDocument.Parse(ProgramRun.Of("inspect", path, "--json").Output);
        var listed = json.RootElement.GetProperty("tensors").GetProperty("all").EnumerateArray()
            .ToDictionary(t => t.GetProperty("name").GetString()!, t => (t.GetProperty("dtype").GetString(), t.GetProperty("bytes").GetInt64()));
        foreach (var type in Enum.GetValues<GgmlType>())
        {
            run.Output.ShouldContain($"\nt.{type} ");
            listed[$"t.{type}"].ShouldBe((type.GgmlName(), 3L * type.BlockBytes()));
        }
    }

    [Fact]
    public void A_GGUF_model_whose_blocks_cannot_be_decoded_says_so()
    {
        var bytes = new GgufBytes().Set("general.architecture", "llama").Set("llama.block_count", 1u).Set("llama.context_length", 64u).Set("llama.embedding_length", 256u)
            .Set("llama.feed_forward_length", 256u).Set("llama.attention.head_count", 2u).Set("llama.attention.layer_norm_rms_epsilon", 0.5f)
            .Add("token_embd.weight", [2, 256], GgmlType.IQ2XXS, new byte[2 * 66]);
        var path = _folder.File("model.gguf");
        File.WriteAllBytes(path, bytes.Compose());
        var run = ProgramRun.Of("inspect", path);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("architecture  LlamaForCausalLM (llama)");
        run.Output.ShouldContain("blocks of type IQ2_XXS cannot");
    }

    [Fact]
    public void A_GGUF_file_without_an_embedding_still_lists_its_tensors()
    {
        var path = _folder.File("adapter.gguf");
        File.WriteAllBytes(path, new GgufBytes().Set("general.architecture", "llama").Add("blk.0.attn_q.weight.lora_a", [2, 8], new float[16]).Compose());
        var run = ProgramRun.Of("inspect", path);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("note          the model cannot be loaded: ");
        run.Output.ShouldContain("\nblk.0.attn_q.weight.lora_a ");
    }

    [Fact]
    public void A_model_whose_shard_is_missing_is_shown_with_a_note_and_a_damaged_index_is_refused()
    {
        var folder = SampleModel.Write(_folder);
        File.Delete(Path.Combine(folder, "model.safetensors"));
        _folder.Write("model/model.safetensors.index.json", """{"weight_map": {"model.norm.weight": "model-00001-of-00001.safetensors"}}""");
        var run = ProgramRun.Of("inspect", folder);
        run.ExitCode.ShouldBe(0);
        run.Words.ShouldContain("the model cannot be loaded: the shard 'model-00001-of-00001.safetensors' is missing from the folder, with 1 tensors: model.norm.weight");
        _folder.Write("model/model.safetensors.index.json", "{");
        run = ProgramRun.Of("inspect", folder);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.Error.ShouldContain("the index is not valid JSON");
        run.Error.ShouldNotContain("BytePositionInLine");
    }

    [Fact]
    public void Shards_without_an_index_are_no_model()
    {
        var folder = SampleModel.Write(_folder);
        File.Move(Path.Combine(folder, "model.safetensors"), Path.Combine(folder, "model-00001-of-00001.safetensors"));
        ProgramRun.Of("inspect", folder).Words.ShouldContain("note no weights: model-00001-of-00001.safetensors is neither model.safetensors nor named by a model.safetensors.index.json");
    }

    [Fact]
    public void A_tokenizer_alone_is_shown_and_a_damaged_one_is_a_note()
    {
        var folder = SampleModel.Write(_folder);
        foreach (var name in new[] { "config.json", "model.safetensors" }) File.Delete(Path.Combine(folder, name));
        var run = ProgramRun.Of("inspect", folder);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldStartWith("folder ");
        run.Output.ShouldContain("tokenizer     5 tokens, BPE from tokenizer.json\n");
        run.Output.ShouldContain("1 added token\n");
        run.Output.ShouldContain("note          no model: the folder holds a tokenizer alone\n");

        _folder.Write("model/tokenizer.json", "{");
        run = ProgramRun.Of("inspect", folder);
        run.ExitCode.ShouldBe(0);
        run.Output.ShouldContain("note          the tokenizer cannot be used: ");
    }

    [Theory]
    [InlineData("modle", "there is no such file or folder")]
    [InlineData("modle", "Did you mean ")]
    [InlineData("model/tokenizer.json", "files that end with '.json' are not known")]
    [InlineData("model/tokenizer.json", "Name its folder, ")]
    [InlineData("LICENSE", "files without an ending are not known")]
    [InlineData("loose", "Name one of its files: some.safetensors")]
    [InlineData("empty", "the folder holds nothing that is known")]
    [InlineData("broken.safetensors", "the file has 4 bytes (HeaderTooSmall)")]
    [InlineData("broken.gguf", "broken.gguf")]
    [InlineData("strange", "'peft_type' is missing")]
    public void What_cannot_be_inspected_is_refused(string name, string problem)
    {
        SampleModel.Write(_folder);
        Directory.CreateDirectory(_folder.File("empty"));
        _folder.Write("broken.safetensors", "oops");
        _folder.Write("loose/some.safetensors", "oops");
        _folder.Write("LICENSE", "MIT");
        _folder.Write("broken.gguf", "oops");
        _folder.Write("strange/adapter_config.json", "{}");
        var run = ProgramRun.Of("inspect", _folder.File(name));
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Theory]
    [InlineData("inspect", "PATH is required")]
    [InlineData("inspect . --rank 0", "--rank is 0. Allowed: 1 to")]
    [InlineData("inspect . --lora-rank 0", "--lora-rank is 0. Allowed: 1 to")]
    [InlineData("inspect . --jsno", "did you mean --json?")]
    public void Wrong_arguments_are_refused(string args, string problem)
    {
        var run = ProgramRun.Of(args.Split(' '));
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    public void Dispose() => _folder.Dispose();
}
