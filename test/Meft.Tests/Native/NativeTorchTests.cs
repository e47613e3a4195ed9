using Meft.Native;
using Shouldly;
using TorchSharp;

namespace Meft.Tests.Native;

public class NativeTorchTests
{
    [Fact]
    public void Loads_and_computes()
    {
        var info = NativeTorch.Load();
        File.Exists(info.BindingPath).ShouldBeTrue();
        using var three = torch.ones(3).sum();
        three.item<float>().ShouldBe(3f);
    }

    [Fact]
    public void Loading_again_gives_the_same() => NativeTorch.Load().ShouldBeSameAs(NativeTorch.Load());

    [Fact]
    public void A_file_that_is_no_library_is_refused_by_the_mender() =>
        Should.Throw<InvalidDataException>(() => ElfVersionRequirement.MarkWeak(new byte[100], "GLIBCXX_3.4.32"));
}
