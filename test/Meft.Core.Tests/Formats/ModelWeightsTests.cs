using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Tests.Formats.Gguf;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats;

public sealed class ModelWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_its_safetensors_before_its_gguf()
    {
        Should.Throw<InvalidInputException>(() => ModelWeights.Open(_folder.Path)).Allowed!.ShouldContain("*.gguf");
        WriteGguf("b.gguf");
        OpenAs<GgufModelSource>(_folder.Path);
        WriteGguf("a.gguf");
        Should.Throw<InvalidInputException>(() => ModelWeights.Open(_folder.Path)).NextStep!.ShouldContain("a.gguf, b.gguf");
        var writer = new SafetensorsWriter();
        writer.Add("x", [1], new float[1]);
        writer.Save(_folder.File("one.safetensors"));
        _folder.Write("model.safetensors.index.json", """{"weight_map":{"x":"one.safetensors"}}""");
        OpenAs<ShardedSafetensors>(_folder.Path);
        writer.Save(_folder.File("model.safetensors"));
        OpenAs<SafetensorsFile>(_folder.Path);
    }

    [Fact]
    public void A_file_is_what_its_name_says()
    {
        WriteGguf("a.GGUF");
        OpenAs<GgufModelSource>(_folder.File("a.GGUF"));
        Should.Throw<SafetensorsException>(() => ModelWeights.Open(_folder.File("absent"))).Error.ShouldBe(SafetensorsError.IoError);
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void The_real_gguf_model_holds_what_its_configuration_says()
    {
        var folder = Assets.Require("models", "smollm2-135m-instruct");
        using var source = ModelWeights.Open(folder, TensorDType.BF16).ShouldBeOfType<GgufModelSource>();
        source.Config.BlockCount.ShouldBe(30);
        source.Config.HeadSize.ShouldBe(64);
        source.File.Metadata.GetStrings("tokenizer.ggml.tokens").Count.ShouldBe(49152);
        source.File.Tensors.Values.Select(t => t.Type).Distinct().ShouldBe([GgmlType.Q41, GgmlType.Q80, GgmlType.F32], ignoreOrder: true);
        source.Tensors.Count.ShouldBe(2 + 9 * 30);
        source.Tensors.Values.Sum(t => t.ElementCount).ShouldBe(134_515_008);
        source.Tensors["model.embed_tokens.weight"].Shape.ShouldBe([49152, 576]);
        source.Tensors["model.layers.29.self_attn.k_proj.weight"].Shape.ShouldBe([192, 576]);
        source.Tensors.ShouldNotContainKey("lm_head.weight");
        foreach (var name in source.Tensors.Keys.Where(n => n.StartsWith("model.layers.7.", StringComparison.Ordinal)))
            source.ReadSingles(name).ShouldAllBe(v => MathF.Abs(v) < 10f);
    }

    private static void OpenAs<T>(string path)
    {
        using var source = ModelWeights.Open(path);
        source.ShouldBeOfType<T>();
    }

    private void WriteGguf(string name) => File.WriteAllBytes(_folder.File(name), GgufModels.Tiny().Compose());
}
