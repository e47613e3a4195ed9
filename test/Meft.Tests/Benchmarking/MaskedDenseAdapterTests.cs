using System.Text.Json;
using Meft.Adapters;
using Meft.Benchmarking;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Formats.Safetensors;
using Meft.Tests.Adapters;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Benchmarking;

/// <summary>What the sparse form is measured against computes the same.</summary>
[Trait("Category", "Fixtures")]
public class MaskedDenseAdapterTests
{
    [Theory]
    [MemberData(nameof(SparseLayerFixtureTests.Cases), MemberType = typeof(SparseLayerFixtureTests))]
    public void Forward_and_backward_agree(string name)
    {
        var folder = Assets.Require("fixtures", "meft_layer");
        using var scope = NewDisposeScope();
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "cases.json")));
        var options = cases.RootElement.GetProperty(name);
        int Size(string key) => options.GetProperty(key).GetInt32();
        var gateKind = options.GetProperty("gate").GetString() == "softmax" ? GateKind.Softmax : GateKind.Linear;
        var spec = new SparseAdapterSpec(Size("rank"), Size("hidden"), Size("experts"), Size("probe"), Size("top_k"), gateKind, [3]);
        using var file = SafetensorsFile.Open(Path.Combine(folder, name + ".safetensors"));
        Tensor Read(string tensorName) => Tensors.Read(file, tensorName);

        using var start = new SparseAdapter(spec);
        var store = start.Stores.Single().Value;
        FastLayer.Fill(store.Keys.Weights, Read("keys"));
        FastLayer.Fill(store.Values.Weights, Read("values"));
        if (spec.Experts > 0) FastLayer.Fill(store.Gate.Weights, Read("gate"));
        using var masked = new MaskedDenseAdapter(start, CPU);
        var x = Read("x").to(ScalarType.Float32).requires_grad_(true);
        var y = masked.Apply(3, x);
        y.backward([Read("dy").to(ScalarType.Float32)]);

        var parameters = masked.Parameters.ToDictionary(p => p.Key, p => p.Value);
        TorchTest.RelativeError(y, Read("y")).ShouldBeLessThan(1e-5, "y");
        TorchTest.RelativeError(x.grad!, Read("dx")).ShouldBeLessThan(1e-5, "dx");
        TorchTest.RelativeError(parameters["layers.3.keys"].grad!, Read("dkeys")).ShouldBeLessThan(1e-5, "dkeys");
        TorchTest.RelativeError(parameters["layers.3.values"].grad!, Read("dvalues")).ShouldBeLessThan(1e-5, "dvalues");
        if (spec.Experts > 0) TorchTest.RelativeError(parameters["layers.3.gate"].grad!, Read("dgate")).ShouldBeLessThan(1e-5, "dgate");
    }
}
