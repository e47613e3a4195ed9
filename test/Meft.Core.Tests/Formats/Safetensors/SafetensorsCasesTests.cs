using System.Text.Json;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

[Trait("Category", "Fixtures")]
public class SafetensorsCasesTests
{
    private const string Folder = "fixtures/safetensors_cases";

    public static TheoryData<string> Cases =>
        Assets.Enumerate(Folder, folder => ReadCases(folder).Select(c => c.GetProperty("file").GetString()!));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gets_the_answer_of_the_reference_parser(string name)
    {
        var path = Assets.Require("fixtures", "safetensors_cases", name);
        var expected = ReadCases(Path.GetDirectoryName(path)!).Single(c => c.GetProperty("file").GetString() == name);
        if (expected.GetProperty("ok").GetBoolean())
        {
            using var file = SafetensorsFile.Open(path);
            file.ByteLength.ShouldBe(expected.GetProperty("bytes").GetInt64());
            foreach (var entry in file.Tensors.Values) (entry.Offset + entry.ByteLength).ShouldBeLessThanOrEqualTo(file.ByteLength);
            return;
        }
        var error = Should.Throw<SafetensorsException>(() => SafetensorsFile.Open(path));
        error.Error.ToString().ShouldBe(expected.GetProperty("error").GetString());
        error.File.ShouldBe(path);
        error.Message.ShouldContain(path);
        error.ExitCode.ShouldBe(2);
    }

    [Fact]
    public void Every_file_has_a_case()
    {
        var folder = Assets.Require("fixtures", "safetensors_cases");
        var files = Directory.EnumerateFiles(folder, "*.safetensors").Select(f => Path.GetFileName(f)!);
        files.ShouldBe(ReadCases(folder).Select(c => c.GetProperty("file").GetString()!), ignoreOrder: true);
    }

    [Fact]
    public void Reads_the_values_and_metadata_that_the_notes_name()
    {
        var folder = Assets.Require("fixtures", "safetensors_cases");
        using (var file = SafetensorsFile.Open(Path.Combine(folder, "ok_metadata_and_tensor.safetensors")))
        {
            file.Metadata["format"].ShouldBe("pt");
            file.ReadSingles("a").ShouldBe([1.5f, -2.25f]);
        }
        using (var file = SafetensorsFile.Open(Path.Combine(folder, "ok_unordered_header.safetensors")))
        {
            file.ReadSingles("a").ShouldBe([1f]);
            file.ReadSingles("b").ShouldBe([2f]);
        }
        using (var file = SafetensorsFile.Open(Path.Combine(folder, "ok_bf16_f16.safetensors")))
        {
            file.ReadSingles("h").ShouldBe([1f, -2f]);
            file.ReadSingles("b").ShouldBe([1f, -2f]);
        }
    }

    private static List<JsonElement> ReadCases(string folder) =>
        [.. JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "cases.json"))).RootElement.GetProperty("cases").EnumerateArray()];
}
