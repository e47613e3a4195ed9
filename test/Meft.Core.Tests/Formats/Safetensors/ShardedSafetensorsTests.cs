using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

public sealed class ShardedSafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Opens_a_single_file_before_an_index()
    {
        WriteShard("model.safetensors", "a", 1);
        WriteIndex("""{"weight_map":{"b":"absent.safetensors"}}""");
        using var source = ShardedSafetensors.OpenFolder(_folder.Path);
        source.ShouldBeOfType<SafetensorsFile>();
        source.Tensors.Keys.ShouldBe(["a"]);
    }

    [Fact]
    public unsafe void Finds_each_tensor_in_its_shard()
    {
        WriteShard("one.safetensors", "a", 1);
        WriteShard("two.safetensors", "b", 2);
        WriteIndex("""{"metadata":{"total_size":8},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        using var source = ShardedSafetensors.OpenFolder(_folder.Path);
        source.Tensors.Keys.ShouldBe(["a", "b"], ignoreOrder: true);
        source.ReadSingles("a").ShouldBe([1f]);
        source.ReadSingles("b").ShouldBe([2f]);
        float copied = 0;
        source.CopyTo("b", (nint)(&copied), 4);
        copied.ShouldBe(2f);
        Should.Throw<TensorNotFoundException>(() => source.ReadSingles("c")).Tensor.ShouldBe("c");
    }

    [Fact]
    public void Names_a_shard_that_is_missing()
    {
        WriteShard("one.safetensors", "a", 1);
        WriteIndex("""{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        var error = Refusal();
        error.Shard.ShouldBe("two.safetensors");
        error.Tensor.ShouldBe("b");
    }

    [Fact]
    public void Names_a_tensor_that_its_shard_lacks()
    {
        WriteShard("one.safetensors", "a", 1);
        WriteIndex("""{"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}""");
        var error = Refusal();
        error.Shard.ShouldBe("one.safetensors");
        error.Tensor.ShouldBe("b");
    }

    [Fact]
    public void All_that_is_wrong_with_shards_is_one_error()
    {
        WriteShard("one.safetensors", "a", 1);
        WriteShard("two.safetensors", "a", 2);
        WriteIndex(
            """{"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors","model.layers.0.w":"three.safetensors","model.layers.1.w":"three.safetensors","d":"four.safetensors"}}""");
        var message = Refusal().Message;
        message.ShouldContain("the shard 'four.safetensors' is missing from the folder, with 1 tensors: d");
        message.ShouldContain("the shard 'three.safetensors' is missing from the folder, with 2 tensors: model.layers.{0-1}.w");
        message.ShouldContain("the shard 'one.safetensors' lacks 1 tensors that the index places there: b");
        message.ShouldContain("the shard 'two.safetensors' lacks 1 tensors that the index places there: c");
        message.ShouldContain("1 tensors stand in several shards, 'one.safetensors', 'two.safetensors': a");
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused_with_both()
    {
        WriteShard("one.safetensors", "a", 1);
        WriteShards("two.safetensors", ("b", 2), ("a", 3));
        WriteIndex("""{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        var error = Refusal();
        error.Tensor.ShouldBe("a");
        error.Message.ShouldContain("'one.safetensors', 'two.safetensors': a");
    }

    [Fact]
    public void A_tensor_that_the_index_does_not_name_is_there_nevertheless()
    {
        WriteShard("two.safetensors", "b", 2);
        WriteShards("one.safetensors", ("z", 3), ("a", 1));
        WriteIndex("""{"weight_map":{"b":"two.safetensors","a":"one.safetensors"}}""");
        using var source = ShardedSafetensors.OpenFolder(_folder.Path);
        source.Tensors.Keys.ShouldBe(["a", "z", "b"], "shard by shard, by their offsets");
        source.ReadSingles("z").ShouldBe([3f]);
    }

    [Fact]
    public void Names_a_shard_that_is_malformed()
    {
        _folder.Write("one.safetensors", "");
        WriteIndex("""{"weight_map":{"a":"one.safetensors"}}""");
        var error = Should.Throw<SafetensorsException>(() => ShardedSafetensors.OpenFolder(_folder.Path));
        error.File.ShouldBe(_folder.File("one.safetensors"));
    }

    [Theory]
    [InlineData("../one.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/one.safetensors")]
    [InlineData("..\\\\one.safetensors")]
    [InlineData("C:one.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public void Refuses_a_shard_outside_the_folder(string shard)
    {
        WriteIndex("""{"weight_map":{"a":"SHARD"}}""".Replace("SHARD", shard, StringComparison.Ordinal));
        Refusal().Tensor.ShouldBe("a");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"weight_map":[]}""")]
    [InlineData("""{"weight_map":{"a":1}}""")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""")]
    [InlineData("""{"weight_map":{"a":"x","a":"y"}}""")]
    public void Refuses_a_malformed_index(string json)
    {
        WriteIndex(json);
        Refusal().File.ShouldBe(_folder.File(ShardedSafetensors.IndexFileName));
    }

    [Fact]
    public void A_folder_without_weights_says_what_would_be_weights() =>
        Should.Throw<SafetensorsException>(() => ShardedSafetensors.OpenFolder(_folder.Path)).Message
            .ShouldContain("model.safetensors.index.json");

    private SafetensorsIndexException Refusal() =>
        Should.Throw<SafetensorsIndexException>(() => ShardedSafetensors.OpenFolder(_folder.Path));

    private void WriteIndex(string json) => _folder.Write(ShardedSafetensors.IndexFileName, json);

    private void WriteShard(string fileName, string tensor, float value) => WriteShards(fileName, (tensor, value));

    private void WriteShards(string fileName, params (string Tensor, float Value)[] tensors)
    {
        var writer = new SafetensorsWriter();
        foreach (var (tensor, value) in tensors) writer.Add(tensor, [1], new[] { value });
        writer.Save(_folder.File(fileName));
    }
}
