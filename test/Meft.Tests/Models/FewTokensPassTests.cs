using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>The decoder on plain memory against the decoder on tensors, which it is where gradients are on.</summary>
public class FewTokensPassTests
{
    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.BFloat16, false)]
    [InlineData(ScalarType.BFloat16, true)]
    public void Agrees_with_the_decoder_on_tensors(ScalarType type, bool adapted)
    {
        using var scope = NewDisposeScope();
        using var decoder = Decoder.Initialize(TinyDecoder.Llama, 7, CPU, type);
        using var adapter = adapted ? Adapter() : null;
        var few = Steps(decoder, type, adapter, gradients: false);
        var tensors = Steps(decoder, type, adapter, gradients: true);
        for (var step = 0; step < few.Count; step++)
        {
            var expected = tensors[step].to(float64);
            var difference = (few[step].to(float64) - expected).abs().max().item<double>() / expected.abs().max().item<double>();
            // bfloat16: the same numbers are rounded; sums in another order may move some to the neighbour, 2⁻⁷ away.
            difference.ShouldBeLessThan(type == ScalarType.Float32 ? 1e-5 : 0.03);
        }
    }

    [Fact]
    public void The_adapter_takes_part()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var adapter = Adapter();
        var (with, without) = (Steps(decoder, float32, adapter, gradients: false), Steps(decoder, float32, null, gradients: false));
        TinyModel.Difference(with[0], without[0]).ShouldBeGreaterThan(1e-3);
    }

    /// <summary>Three rows: their prompts, then a token each, twice.</summary>
    private static List<Tensor> Steps(Decoder decoder, ScalarType type, SparseAdapter? adapter, bool gradients)
    {
        using var mode = set_grad_enabled(gradients);
        using var cache = new KeyValueCache(decoder.Config, 3, 12, CPU, type);
        var results = new List<Tensor>();
        foreach (var (ids, counts) in new (long[], int[])[] { ([1, 2, 3, 4, 5, 6, 7, 8, 9], [4, 2, 3]), ([10, 11, 12], [1, 1, 1]), ([13, 14, 15], [1, 1, 1]) })
        {
            using var layout = cache.Next(counts);
            results.Add(decoder.Forward(tensor(ids), layout, cache, adapter).detach());
        }
        return results;
    }

    private static SparseAdapter Adapter()
    {
        var adapter = new SparseAdapter(new SparseAdapterSpec(32, TinyDecoder.Llama.HiddenSize, 8, 3, 6, GateKind.Linear, [1])).Initialize(3);
        var random = new Random(4);
        foreach (var (_, store) in adapter.Stores)
            for (var row = 0; row < store.Values.Weights.Rows; row++)
                foreach (ref var value in store.Values.Weights.Row(row)) value = (float)(random.NextDouble() - 0.5);
        return adapter;
    }
}
