using System.Text.Json;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

[Trait("Category", "Fixtures")]
public class SparseLayerFixtureTests
{
    public static TheoryData<string> Cases => Assets.Enumerate("fixtures/meft_layer", folder =>
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "cases.json")));
        return [.. cases.RootElement.EnumerateObject().Select(c => c.Name)];
    });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_and_backward_agree_when_activations_travel(string name) => Check(name, ExecutionKind.Activations);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_and_backward_agree_when_rows_travel(string name) => Check(name, ExecutionKind.Rows);

    private static void Check(string name, ExecutionKind execution)
    {
        var folder = Assets.Require("fixtures", "meft_layer");
        using var scope = NewDisposeScope();
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "cases.json")));
        var options = cases.RootElement.GetProperty(name);
        int Size(string key) => options.GetProperty(key).GetInt32();
        var gateKind = options.GetProperty("gate").GetString() == "softmax" ? GateKind.Softmax : GateKind.Linear;
        var spec = new SparseAdapterSpec(Size("rank"), Size("hidden"), Size("experts"), Size("probe"), Size("top_k"), gateKind, [0]);

        using var file = SafetensorsFile.Open(Path.Combine(folder, name + ".safetensors"));
        Tensor Read(string tensorName) => Tensors.Read(file, tensorName);
        var gate = spec.Experts > 0 ? Read("gate") : zeros(0, spec.HiddenSize);
        var fast = FastLayer.Run(spec, Read("x"), Read("keys"), Read("values"), gate, Read("dy"), execution);

        fast.Active.to(ScalarType.Float64).equal(Read("active").to(ScalarType.Float64)).all().item<bool>().ShouldBeTrue("selection");
        TorchTest.RelativeError(fast.Y, Read("y")).ShouldBeLessThan(1e-5, "y");
        TorchTest.RelativeError(fast.Dx, Read("dx")).ShouldBeLessThan(1e-5, "dx");
        TorchTest.RelativeError(fast.DKeys, Read("dkeys")).ShouldBeLessThan(1e-5, "dkeys");
        TorchTest.RelativeError(fast.DValues, Read("dvalues")).ShouldBeLessThan(1e-5, "dvalues");
        if (spec.Experts == 0) return;
        TorchTest.RelativeError(fast.DGate, Read("dgate")).ShouldBeLessThan(1e-5, "dgate");
        fast.Experts.Select(e => (double)e).ShouldBe(Read("experts").to(ScalarType.Float64).flatten().data<double>(), "experts");
    }
}
