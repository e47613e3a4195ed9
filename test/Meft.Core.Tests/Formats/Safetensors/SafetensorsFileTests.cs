using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", "a")]
    [InlineData("""{"a":null}""", "a")]
    [InlineData("""{"a\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", null)]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""", null)]
    [InlineData("""{} {}""", null)]
    [InlineData("""{}x""", null)]
    [InlineData("", null)]
    public void Refuses_a_header_of_another_form(string header, string? tensor)
    {
        var error = Refusal(SafetensorsBytes.Compose(header, dataBytes: 1));
        error.Error.ShouldBe(SafetensorsError.InvalidHeaderDeserialization);
        error.Tensor.ShouldBe(tensor);
    }

    [Fact]
    public unsafe void A_file_that_has_become_shorter_is_an_error_with_the_tensor()
    {
        using var folder = new TemporaryFolder();
        var writer = new SafetensorsWriter();
        writer.Add("w", [100_000], new float[100_000]);
        var path = folder.File("x.safetensors");
        writer.Save(path);
        using var file = SafetensorsFile.Open(path);
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write)) stream.SetLength(200_000);
        var read = new float[100_000];
        fixed (float* single = read)
        {
            var address = (nint)single;
            foreach (var type in new[] { TensorDType.F32, TensorDType.BF16 })
            {
                var error = Should.Throw<SafetensorsException>(() => file.CopyRows("w", 0, 1, type, address));
                error.Tensor.ShouldBe("w");
                error.Message.ShouldContain("it has 200000 bytes, and had 400");
            }
        }
    }

    [Fact]
    public unsafe void Rows_are_read_in_any_parts_and_types_and_again_after_their_pages_were_given_back()
    {
        using var folder = new TemporaryFolder();
        const int rows = 700, columns = 33;
        var values = Enumerable.Range(0, rows * columns).Select(i => i / 7f).ToArray();
        var writer = new SafetensorsWriter();
        writer.Add("w", [rows, columns], values);
        writer.Add("flat", [5], new float[] { 1, 2, 3, 4, 5 });
        writer.Add("one", [], new float[] { 6 });
        writer.Add("ids", TensorDType.I32, [1], stream => stream.Write(new byte[4]));
        writer.Save(folder.File("x.safetensors"));
        using var file = SafetensorsFile.Open(folder.File("x.safetensors"));
        (file.Tensors["w"].RowCount, file.Tensors["w"].RowLength).ShouldBe((rows, columns));
        (file.Tensors["flat"].RowCount, file.Tensors["flat"].RowLength).ShouldBe((1, 5));
        (file.Tensors["one"].RowCount, file.Tensors["one"].RowLength).ShouldBe((1, 1));
        var read = new float[rows * columns];
        var brain = new ushort[rows * columns];
        fixed (float* single = read)
        fixed (ushort* half = brain)
        {
            foreach (var step in new[] { 1, 64, 699, 700, 700 })
            {
                Array.Clear(read);
                for (var row = 0; row < rows; row += step) file.CopyRows("w", row, Math.Min(step, rows - row), TensorDType.F32, (nint)(single + row * columns));
                read.ShouldBe(values);
            }
            file.CopyRows("w", 0, rows, TensorDType.BF16, (nint)half);
            brain.ShouldBe(values.Select(SingleConversion.ToBFloat16));
            file.CopyRows("w", rows, 0, TensorDType.F32, 0);
            file.CopyRows("flat", 0, 1, TensorDType.F32, (nint)single);
            read[..5].ShouldBe([1, 2, 3, 4, 5]);
            file.CopyRows("one", 0, 1, TensorDType.F32, (nint)single);
            read[0].ShouldBe(6);
        }
        Should.Throw<ArgumentOutOfRangeException>(() => file.CopyRows("w", 1, rows, TensorDType.F32, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => file.CopyRows("w", -1, 1, TensorDType.F32, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => file.CopyRows("ids", 0, 1, TensorDType.F32, 0));
        Should.Throw<TensorNotFoundException>(() => file.CopyRows("v", 0, 1, TensorDType.F32, 0));
    }

    [Fact]
    public void Refuses_nesting_without_end() =>
        Refusal(SafetensorsBytes.Compose("{\"a\":{\"x\":" + new string('[', 100_000))).Error
            .ShouldBe(SafetensorsError.InvalidHeaderDeserialization);

    [Theory]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", SafetensorsError.MisalignedSlice)]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,18446744073709551615],"data_offsets":[0,0]}}""", SafetensorsError.ValidationOverflow)]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}""", SafetensorsError.ValidationOverflow)]
    [InlineData(
        """{"a":{"dtype":"U8","shape":[2305843009213693951],"data_offsets":[0,2305843009213693951]}}""",
        SafetensorsError.MetadataIncompleteBuffer)]
    public void Refuses_sizes_that_cannot_be(string header, SafetensorsError expected)
    {
        var error = Refusal(SafetensorsBytes.Compose(header));
        error.Error.ShouldBe(expected);
        if (expected != SafetensorsError.MetadataIncompleteBuffer) error.Tensor.ShouldBe("a");
    }

    [Fact]
    public void Reads_packed_elements_and_ignores_unknown_keys()
    {
        var path = Write(SafetensorsBytes.Compose(
            """{"__metadata__":null,"a":{"dtype":"F4","shape":[3,2],"x":{"y":[1]},"data_offsets":[0,3]}}""", dataBytes: 3));
        using var file = SafetensorsFile.Open(path);
        file.Metadata.ShouldBeEmpty();
        file.Tensors["a"].ByteLength.ShouldBe(3);
        file.Tensors["a"].ElementCount.ShouldBe(6);
    }

    [Fact]
    public void A_missing_file_or_a_folder_is_an_input_error()
    {
        foreach (var path in new[] { _folder.File("absent"), _folder.Path, _folder.File("no\0name") })
        {
            var error = Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(path));
            error.Error.ShouldBe(SafetensorsError.IoError);
            error.File.ShouldBe(path);
        }
        Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(_folder.File("absent"))).Message
            .ShouldBe($"{_folder.File("absent")}: there is no such file. Check the path and the permissions.");
    }

    [Fact]
    public void A_missing_tensor_is_named_with_the_ones_present()
    {
        using var file = SafetensorsFile.Open(Write(SafetensorsBytes.Compose(OneByte, dataBytes: 1)));
        var error = Should.Throw<TensorNotFoundException>(() => file.CopyTo("b", 0, 1));
        error.Tensor.ShouldBe("b");
        error.Message.ShouldContain("Allowed: a.");
        Should.Throw<TensorNotFoundException>(() => file.ReadSingles("b"));
    }

    [Fact]
    public void An_integer_tensor_is_not_read_as_floats()
    {
        using var file = SafetensorsFile.Open(Write(SafetensorsBytes.Compose(OneByte, dataBytes: 1)));
        Should.Throw<InvalidInputException>(() => file.ReadSingles("a")).Message.ShouldContain("type U8");
    }

    [Fact]
    public unsafe void Copies_exactly_the_tensor()
    {
        using var file = SafetensorsFile.Open(Write(SafetensorsBytes.Compose(System.Text.Encoding.UTF8.GetBytes(OneByte), [7])));
        byte value = 0;
        file.CopyTo("a", (nint)(&value), 1);
        value.ShouldBe((byte)7);
        Should.Throw<ArgumentOutOfRangeException>(() => file.CopyTo("a", 0, 2));
    }

    [Fact]
    public void Gives_no_data_after_disposal()
    {
        var file = SafetensorsFile.Open(Write(SafetensorsBytes.Compose(OneByte, dataBytes: 1)));
        file.Dispose();
        file.Dispose();
        Should.Throw<ObjectDisposedException>(() => file.CopyTo("a", 0, 1));
    }

    [Fact]
    public void A_pipe_is_refused_instead_of_waited_for()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names are those of Linux");
        var pipe = _folder.File("pipe.safetensors");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [pipe])) mkfifo.WaitForExit();
        Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(pipe)).Message.ShouldContain("is not a regular file");
    }

    private const string OneByte = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""";

    private SafetensorsException Refusal(byte[] bytes)
    {
        var path = Write(bytes);
        return Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(path));
    }

    private string Write(byte[] bytes)
    {
        var path = _folder.File("x.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
