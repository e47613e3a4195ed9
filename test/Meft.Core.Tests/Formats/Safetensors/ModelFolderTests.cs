using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

[Trait("Category", "Fixtures")]
public class ModelFolderTests
{
    public static TheoryData<string> Tiny => Assets.Folders("models/tiny");

    public static TheoryData<string> Families => Assets.Folders("models/families");

    [Theory]
    [MemberData(nameof(Tiny))]
    public void Opens_a_tiny_model(string name) => OpenAndRead(Assets.Require("models", "tiny", name));

    [Theory]
    [MemberData(nameof(Families))]
    public void Opens_a_model_of_another_family(string name) => OpenAndRead(Assets.Require("models", "families", name));

    private static void OpenAndRead(string folder)
    {
        using var source = ShardedSafetensors.OpenFolder(folder);
        source.Tensors.ShouldContainKey("model.embed_tokens.weight");
        foreach (var (name, entry) in source.Tensors)
        {
            var values = source.ReadSingles(name);
            ((long)values.Length).ShouldBe(entry.ElementCount);
            values.ShouldAllBe(v => float.IsFinite(v));
        }
    }
}
