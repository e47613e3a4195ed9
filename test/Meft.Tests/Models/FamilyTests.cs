using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Generation;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>Random models of every family: each way to compute them gives the same.</summary>
public class FamilyTests
{
    private const int Seeds = 6;

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Growing_rows_give_what_whole_rows_give(string family) => ForEach(family, (config, random) =>
    {
        using Decoder narrow = RandomFamilies.Build(config, float32), wide = RandomFamilies.Build(config, float64);
        using KeyValueCache kernels = new(config, 3, 24, CPU, float32), tensors = new(config, 3, 24, CPU, float64);
        List<int>[] rows = [Ids(random, 5), Ids(random, 1), Ids(random, 2)];
        for (var step = 0; step < 8; step++)
        {
            // Some steps bring several tokens; long-rope's rows grow beyond what their short factors are for.
            foreach (var row in rows) row.AddRange(Ids(random, step == 3 ? 3 : 1));
            var expected = stack([.. rows.Select(row => Whole(wide, row)[^1])]);
            Relative(wide.Feed(rows, tensors, null), expected).ShouldBeLessThan(1e-9);
            Relative(narrow.Feed(rows, kernels, null), expected).ShouldBeLessThan(2e-4);
        }
    });

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Packed_rows_give_what_each_gives_alone(string family) => ForEach(family, (config, random) =>
    {
        using Decoder narrow = RandomFamilies.Build(config, float32), wide = RandomFamilies.Build(config, float64);
        List<int>[] rows = [Ids(random, 9), Ids(random, 1), Ids(random, 4), Ids(random, 2)];
        using var layout = TokenLayout.FromLengths([.. rows.Select(row => row.Count)], CPU);
        var ids = tensor([.. rows.SelectMany(row => row).Select(id => (long)id)]);
        var alone = cat([.. rows.Select(row => Whole(wide, row))]);
        Relative(wide.Forward(ids, layout), alone).ShouldBeLessThan(1e-9);
        Relative(narrow.Forward(ids, layout), alone).ShouldBeLessThan(2e-4);
    });

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Few_tokens_on_plain_memory_are_rounded_as_on_tensors(string family) => ForEach(family, (config, random) =>
    {
        foreach (var (type, tolerance) in new[] { (float32, 2e-4), (bfloat16, 0.04) })
        {
            using var decoder = RandomFamilies.Build(config, type);
            // A near-tie of bfloat16 numbers may be decided either way: there the adapter stays away.
            using var adapter = type == float32 ? Adapter(config) : null;
            using KeyValueCache plain = new(config, 2, 24, CPU, type), tensors = new(config, 2, 24, CPU, type);
            List<int>[] rows = [Ids(random, 4), Ids(random, 2)];
            for (var step = 0; step < 3; step++)
            {
                var actual = decoder.Feed(rows, plain, adapter);
                Tensor expected;
                using (enable_grad()) expected = decoder.Feed(rows, tensors, adapter).detach(); // with gradients on, tensors are used
                // The same numbers are rounded; sums in another order may move some to the neighbour, 2⁻⁷ away.
                Relative(actual, expected).ShouldBeLessThan(tolerance);
                foreach (var row in rows) row.AddRange(Ids(random, 1));
            }
        }
    });

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Nothing_is_left_behind(string family)
    {
        var config = RandomFamilies.Create(family, 3);
        using var decoder = RandomFamilies.Build(config, float32);
        using var wide = RandomFamilies.Build(config, float64);
        using var ids = tensor(new long[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 });
        foreach (var model in new[] { decoder, wide })
        {
            TinyDecoder.LiveTensorsAdded(() =>
            {
                using var scope = NewDisposeScope();
                using var layout = TokenLayout.FromLengths([7, 3], CPU);
                var h = model.Embed(ids).detach().requires_grad_();
                model.Logits(model.ForwardEmbedded(h, layout)).sum().backward();
                h.grad.ShouldNotBeNull();
            }).ShouldBe(0);
            TinyDecoder.LiveTensorsAdded(() =>
            {
                using var noGradients = no_grad();
                using var layout = TokenLayout.FromLengths([7, 3], CPU);
                using var h = model.Forward(ids, layout);
                model.Logits(h).Dispose();
            }).ShouldBe(0);
        }
    }

    [Fact]
    public void Every_known_family_has_its_random_models() =>
        ModelFamily.KnownArchitectures.Except(RandomFamilies.Names.Select(family => RandomFamilies.Create(family.Data, 0).Architecture)).ShouldBeEmpty();

    [Fact]
    public void A_row_that_outgrows_its_ropes_short_length_within_a_cache_is_refused()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var config = RandomFamilies.Create("phi3-longrope", 1);
        using var decoder = RandomFamilies.Build(config, float32);
        using var cache = new KeyValueCache(config, 1, 10, CPU, float32);
        using (var first = cache.Next([RandomFamilies.ShortLength])) decoder.Forward(tensor(new long[] { 1, 2, 3, 4, 5, 6 }), first, cache);
        using var next = cache.Next();
        Should.Throw<InvalidOperationException>(() => decoder.Forward(tensor(new long[] { 7 }), next, cache)).Message.ShouldContain("grows beyond 6");
    }

    private static void ForEach(string family, Action<ModelConfig, Random> check)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            check(RandomFamilies.Create(family, seed), new Random(seed));
        }
    }

    /// <summary>A sparse adapter on the first layer, all its numbers drawn.</summary>
    private static SparseAdapter Adapter(ModelConfig config)
    {
        var adapter = new SparseAdapter(new SparseAdapterSpec(24, config.HiddenSize, 4, 2, 3, GateKind.Linear, [0])).Initialize(3);
        var random = new Random(4);
        foreach (var matrix in new[] { adapter.Stores.Single().Value.Keys.Weights, adapter.Stores.Single().Value.Values.Weights })
            for (var row = 0; row < matrix.Rows; row++)
                foreach (ref var value in matrix.Row(row)) value = (float)(random.NextDouble() - 0.5);
        return adapter;
    }

    private static List<int> Ids(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(48))];

    private static Tensor Whole(Decoder decoder, List<int> row)
    {
        using var layout = TokenLayout.FromLengths([row.Count], CPU);
        return decoder.Forward(tensor([.. row.Select(id => (long)id)]), layout);
    }

    private static double Relative(Tensor actual, Tensor expected) =>
        TinyModel.Difference(actual, expected) / expected.to(float64).abs().max().item<double>();
}
