using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Planning;
using Meft.Devices;
using Meft.Devices.Cuda;
using Meft.Kernels.Quantization;
using Meft.Memory;
using Meft.Models;
using Meft.Models.Quantized;
using Meft.Native;
using Meft.Tests.Devices.Cuda;
using Meft.Tests.Models.Quantized;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

public class StreamedLayersTests
{
    private const int Layers = 6;
    private static readonly ModelConfig Config = TinyTask.Config with { LayerCount = Layers };

    [Fact]
    public void A_streamed_base_trains_to_the_same_bits()
    {
        using var bases = new BothBases();
        Train(bases.Streamed, new MemoryLedger(), recompute: false).ShouldBe(Train(bases.Resident, new MemoryLedger(), recompute: true));
    }

    [Fact]
    public void Forward_passes_one_after_another_give_the_same_bits()
    {
        using var bases = new BothBases();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var ids = tensor(new long[] { 1, 2, 3, 4, 5 });
        for (var pass = 0; pass < 3; pass++)
        {
            using var layout = TokenLayout.FromLengths([2, 3], CPU);
            bases.Streamed.Forward(ids, layout).equal(bases.Resident.Forward(ids, layout)).all().item<bool>().ShouldBeTrue();
        }
    }

    [Fact]
    public void Two_layers_embedding_and_last_norm_are_all_of_the_base_that_is_on_the_device()
    {
        using var bases = new BothBases();
        var ledger = new MemoryLedger();
        Train(bases.Streamed, ledger, recompute: false);
        var ofLayer = bases.Resident.Parameters.Where(p => p.Key.StartsWith("model.layers.0.", StringComparison.Ordinal)).Sum(p => TensorMemory.ByteCount(p.Value));
        var all = bases.Resident.Parameters.Values.Sum(TensorMemory.ByteCount);
        ledger.DevicePeakByCause[DeviceUse.LayerWindow].ShouldBe(2 * ofLayer);
        ledger.DevicePeakByCause[DeviceUse.BaseWeights].ShouldBe(all - Layers * ofLayer);
        ledger.HostByCause["base layers"].ShouldBe(Layers * ofLayer);
        // A step in its stride: layer 0 came while the step before ended and 1 was still there; forward brings 2 to 5, backward 3, 2, 1 and, for the next step, 0.
        ledger.ToDeviceByCause[LinkUse.BaseLayers].ShouldBe((4 + 4) * ofLayer);
        BaseWeights.Of(Config, sizeof(float)).StreamedBytes(first: 1).ShouldBe((4 + 4) * ofLayer);
    }

    // The lowest adapted layer decides what a backward pass leaves on the device.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Layers - 1)]
    public void What_a_step_moves_is_the_same_after_a_start_another_step_and_an_evaluation(int lowest)
    {
        using var bases = new BothBases();
        var ledger = new MemoryLedger();
        using var method = new SparseAdapterMethod(
            new Meft.Adapters.SparseAdapter(TinyTask.Spec with { Layers = [lowest] }).Initialize(seed: 3), OptimizerRows.Touched, TinyTask.Identity);
        var runner = new StepRunner(bases.Streamed, method, new OptimizerConfig(), ledger);
        long Moved(int step)
        {
            runner.Run([TinyTask.Rows(5), TinyTask.Rows(3)], 0.01, step);
            return ledger.ToDeviceByCause[LinkUse.BaseLayers];
        }
        var first = Moved(1);
        Moved(2).ShouldBe(first);
        using (no_grad())
        {
            using var layout = TokenLayout.FromLengths([5], CPU);
            using var ids = tensor(new long[] { 1, 2, 3, 4, 5 });
            bases.Streamed.Forward(ids, layout).Dispose();
        }
        Moved(3).ShouldBe(first);
        runner.Try([TinyTask.Rows(5)]);
        Moved(4).ShouldBe(first);
    }

    [Fact]
    public void It_is_frozen()
    {
        using var bases = new BothBases();
        Should.Throw<InvalidOperationException>(() => bases.Streamed.SetTrainable(true));
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var bases = new BothBases();
        TinyDecoder.LiveTensorsAdded(() =>
        {
            using var layout = TokenLayout.FromLengths([5], CPU);
            using var ids = tensor(new long[] { 1, 2, 3, 4, 5 });
            bases.Streamed.Forward(ids, layout).Dispose();
        }).ShouldBe(0);
    }

    [Fact]
    public void Layers_arrive_whole_through_copies_that_come_as_late_as_the_events_allow()
    {
        using var bases = new BothBases();
        var runtime = new FakeCudaRuntime();
        var (plain, counted) = (new MemoryLedger(), new MemoryLedger());
        Walk(bases.Resident, ledger => new HostLink(CPU, ledger), plain);
        Walk(bases.Resident, ledger => new CudaLink(CPU, runtime, ledger), counted);
        counted.ToDeviceByCause.ShouldBe(plain.ToDeviceByCause);
        runtime.HostWaits.ShouldBeLessThanOrEqualTo(2); // when a link is closed
        runtime.Violations.ShouldBeEmpty();
        runtime.LiveHandles.ShouldBe(0);
    }

    [Fact]
    public void Views_of_a_quantised_layer_go_when_the_next_one_comes()
    {
        using var bases = new QuantizedBases(Quantization.Nf4, ScalarType.Float32, Config);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var link = new HostLink(CPU, null);
        var x = randn(3, Config.HiddenSize);
        TinyDecoder.LiveTensorsAdded(() =>
        {
            // As on an accelerator, where operations on tensors decode by views of the blocks.
            using var quantized = new QuantizedWeights(Quantization.Nf4, accelerator: true);
            foreach (var (name, plain) in bases.Plain.Parameters)
            {
                if (bases.Quantized.Parameters[name].dtype == ScalarType.Byte)
                    quantized.Add(name, new BlockLayout(BlockFormat.Nf4, (int)plain.shape[0], (int)plain.shape[1]));
            }
            using var layers = new StreamedLayers(
                [.. Enumerable.Range(0, Layers).Select(layer => Gather(bases.Quantized, layer, link))], CPU, quantized: quantized);
            foreach (var layer in new[] { 0, 1, 2, 1, 0, 0, 5 })
            {
                using var each = NewDisposeScope();
                var actual = layers.Take(layer).Query!.Map(x);
                var expected = nn.functional.linear(
                    x, bases.Plain.Parameters[$"model.layers.{layer}.self_attn.q_proj.weight"], bases.Plain.Parameters.GetValueOrDefault($"model.layers.{layer}.self_attn.q_proj.bias"));
                TorchTest.RelativeError(actual, expected.to(float64)).ShouldBeLessThan(1e-6);
            }
        }).ShouldBe(0);
    }

    /// <summary>Layers in the order of a step, each compared with the base's.</summary>
    private static void Walk(Decoder resident, Func<MemoryLedger?, IDeviceLink> links, MemoryLedger ledger)
    {
        using var scope = NewDisposeScope();
        using var buffers = links(null);
        var hosts = Enumerable.Range(0, Layers).Select(layer => Gather(resident, layer, buffers)).ToList();
        var layers = new StreamedLayers(hosts, CPU, links);
        layers.CountIn(ledger);
        int[] order = [.. Enumerable.Range(0, Layers), .. Enumerable.Range(0, Layers).Reverse(), 2];
        for (var i = 0; i < order.Length; i++)
        {
            if (i + 1 < order.Length) layers.Prefetch(order[i + 1]);
            var weights = layers.Take(order[i]);
            Tensor Resident(string name) => resident.Parameters[$"model.layers.{order[i]}.{name}.weight"];
            weights.AttentionNorm!.equal(Resident("input_layernorm")).all().item<bool>().ShouldBeTrue();
            weights.Query!.Weight.equal(Resident("self_attn.q_proj")).all().item<bool>().ShouldBeTrue();
            weights.Down.Weight.equal(Resident("mlp.down_proj")).all().item<bool>().ShouldBeTrue();
        }
        layers.Dispose();
    }

    private static HostLayer Gather(Decoder resident, int layer, IDeviceLink link)
    {
        var weights = resident.Parameters.Where(p => p.Key.StartsWith($"model.layers.{layer}.", StringComparison.Ordinal)).ToDictionary();
        var host = new HostLayer(weights.Select(w => (w.Key, w.Value.dtype, w.Value.shape)), link.HostBuffer);
        foreach (var (name, view) in host.Views())
        {
            using (view) view.copy_(weights[name]);
        }
        return host;
    }

    private static float[] Train(Decoder decoder, MemoryLedger ledger, bool recompute)
    {
        var adapter = new Meft.Adapters.SparseAdapter(TinyTask.Spec with { Layers = [1, 3, 4] }).Initialize(seed: 3);
        using var method = new SparseAdapterMethod(adapter, OptimizerRows.Touched, TinyTask.Identity);
        var runner = new StepRunner(decoder, method, new OptimizerConfig(), ledger, recompute);
        for (var step = 1; step <= 3; step++) runner.Run([TinyTask.Rows(5, seed: step)], 0.01, step);
        return TinyTask.Bits(method);
    }

    /// <summary>One model, loaded in both ways.</summary>
    private sealed class BothBases : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public BothBases()
        {
            Resident = Decoder.Initialize(Config, seed: 7, CPU, ScalarType.Float32);
            Resident.Save(_folder.Path);
            using var source = ShardedSafetensors.OpenFolder(_folder.Path);
            Streamed = Decoder.LoadStreamed(source, Config, CPU, ScalarType.Float32);
        }

        public Decoder Resident { get; }

        public Decoder Streamed { get; }

        public void Dispose()
        {
            Resident.Dispose();
            Streamed.Dispose();
            _folder.Dispose();
        }
    }
}
