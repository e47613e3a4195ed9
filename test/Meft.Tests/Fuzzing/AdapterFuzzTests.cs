using Meft.Adapters;
using Meft.Core.Errors;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Fuzzing;

/// <summary>Adapter folders of both kinds, each of their files changed in every way.</summary>
public sealed class AdapterFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("MEFT", "adapter_config.json")]
    [InlineData("MEFT", "adapter_model.safetensors")]
    [InlineData("LORA", "adapter_config.json")]
    [InlineData("LORA", "adapter_model.safetensors")]
    public void A_changed_file_is_read_or_refused(string kind, string name)
    {
        if (kind == "MEFT")
        {
            using var method = TinyTask.NewMethod();
            method.SaveResult(_folder.Path);
        }
        else
        {
            using var method = TinyTask.NewLora();
            method.SaveResult(_folder.Path);
        }
        var path = _folder.File(name);
        ReaderFuzz.Run(path, [File.ReadAllBytes(path)], Load, e => e is InvalidInputException, _folder.Path, cases: 200);
    }

    [Fact]
    public void No_room_is_made_for_rows_that_the_file_does_not_have()
    {
        using (var method = TinyTask.NewMethod()) method.SaveResult(_folder.Path);
        var path = _folder.File("adapter_config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"rank\": 64", "\"rank\": 2000000000", StringComparison.Ordinal));
        var error = Should.Throw<InvalidInputException>(Load).Message;
        error.ShouldContain("[64, 16]");
        error.ShouldContain("[2000000000, 16]");
    }

    private void Load() => (AdapterFiles.Load(_folder.Path, TinyTask.Config, CPU) as IDisposable)!.Dispose();
}
