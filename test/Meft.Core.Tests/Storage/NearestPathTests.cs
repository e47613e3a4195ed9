using Meft.Core.Storage;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Storage;

public sealed class NearestPathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public NearestPathTests()
    {
        _folder.Write("models/stories/config.json", "{}");
        _folder.Write("models/other/config.json", "{}");
    }

    [Theory]
    [InlineData("models/storeis", "models/stories")]
    [InlineData("models/Stories/", "models/stories")]
    [InlineData("modles/stories", "models/stories")]
    [InlineData("modles/nothing", "models")]
    [InlineData("models/stories/confg.json", "models/stories/config.json")]
    [InlineData("models/quite-different", null)]
    public void The_nearest_is_found_where_a_few_letters_differ(string missing, string? expected) =>
        NearestPath.IfClose(_folder.File(missing)).ShouldBe(expected is null ? null : _folder.File(expected));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public void A_path_without_parts_has_none(string path) => NearestPath.IfClose(path).ShouldBeNull();

    public void Dispose() => _folder.Dispose();
}
