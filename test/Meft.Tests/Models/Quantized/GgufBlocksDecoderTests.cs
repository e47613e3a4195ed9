using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Gguf;
using Meft.Core.Planning;
using Meft.Host;
using Meft.Loading;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>A GGUF file whose maps are of every type of blocks, kept as they are, against the same file as plain numbers.</summary>
public class GgufBlocksDecoderTests
{
    private static readonly SparseAdapterSpec Spec = TinyTask.Spec with { HiddenSize = GgufBlockBases.Hidden, Layers = [1, 3] };

    private static readonly int[][] Prompts = [[1, 2, 3, 4, 5], [9], [7, 8]];

    private static readonly long[] Ids = [1, 2, 3, 4, 5, 16, 27, 38], Targets = [2, 3, 4, 5, 6, 27, 38, 49];

    private static readonly int[] Lengths = [5, 3];

    public static TheoryData<BaseDType> Types => [BaseDType.Fp32, BaseDType.Bf16, BaseDType.Fp16];

    [Fact]
    public void Maps_are_held_as_they_stand_in_the_file()
    {
        using var bases = new GgufBlockBases(BaseDType.Bf16);
        bases.Kept.Decoder.Quantization.ShouldBe(Quantization.Gguf);
        (bases.Kept.Decoder.IsStreamed, bases.Streamed.Decoder.IsStreamed).ShouldBe((false, true));
        bases.Maps.Count.ShouldBe(7 * GgufBlockBases.Layers);
        foreach (var (name, (type, data)) in bases.Maps)
        {
            var held = bases.Kept.Decoder.Parameters[name];
            held.dtype.ShouldBe(type == GgmlType.F16 ? ScalarType.BFloat16 : ScalarType.Byte, name);
            if (type == GgmlType.F16) continue;
            held.numel().ShouldBe(data.Length, name);
            // The rows of queries and keys stand in another order in the file.
            if (name.Contains("q_proj", StringComparison.Ordinal) || name.Contains("k_proj", StringComparison.Ordinal)) continue;
            held.data<byte>().ToArray().SequenceEqual(data).ShouldBeTrue(name);
        }
    }

    [Fact]
    public void Windows_of_layers_that_differ_are_planned_as_large_as_they_are()
    {
        using var bases = new GgufBlockBases(BaseDType.Bf16);
        var (location, config) = (bases.Kept.Location, bases.Kept.Config);
        var weights = BaseWeights.Of(config, 2, QuantizedBase.Of(Quantization.Gguf, location, config, 2));
        var ledger = new MemoryLedger();
        bases.Streamed.Decoder.CountIn(ledger);
        var windows = ledger.DevicePeakByCause[DeviceUse.LayerWindow];
        (weights.StreamedDeviceBytes - weights.EndBytes).ShouldBeInRange(windows - 4096, windows); // norms and blocks begin at multiples of 64 bytes
        weights.LargestLayerBytes.ShouldBeGreaterThan(weights.LayerBytes);
    }

    [Fact]
    public void Blocks_beyond_the_range_of_float16_are_refused_there_and_only_there()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("model.gguf"), GgufBlockBases.Compose([], plainMaps: false, size: 30_000));
        var error = Should.Throw<InvalidInputException>(() => Load(BaseDType.Fp16)).Message;
        foreach (var said in new[] { "model.layers.", "65,504", "bf16 or fp32" }) error.ShouldContain(said);
        Load(BaseDType.Bf16).Dispose();

        LoadedModel Load(BaseDType type) => LoadedModel.Load(
            folder.File("model.gguf"), new ModelLoadOptions { Device = "cpu", DType = type, Quantize = Quantization.Gguf }, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Logits_have_the_bits_of_the_plain_file(BaseDType type)
    {
        using var bases = new GgufBlockBases(type);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var expected = Logits(bases.Plain.Decoder);
        expected.to(float64).abs().max().item<double>().ShouldBeInRange(1.0, 50.0);
        // Layers matter: without them the logits are others.
        TinyModel.Difference(bases.Plain.Decoder.Logits(bases.Plain.Decoder.FinalNorm(bases.Plain.Decoder.Embed(tensor(Ids)))), expected).ShouldBeGreaterThan(0.1);
        TinyModel.Same(Logits(bases.Kept.Decoder), expected).ShouldBeTrue();
        TinyModel.Same(Logits(bases.Streamed.Decoder), expected).ShouldBeTrue();

        static Tensor Logits(Decoder decoder)
        {
            using var layout = TokenLayout.FromLengths(Lengths, CPU);
            return decoder.Logits(decoder.Forward(tensor(Ids), layout));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void It_generates_what_the_plain_file_does(BaseDType type)
    {
        using var bases = new GgufBlockBases(type);
        var expected = Generate(bases.Plain);
        expected.Length.ShouldBe(8 * Prompts.Length);
        Generate(bases.Kept).ShouldBe(expected);
        Generate(bases.Streamed).ShouldBe(expected);

        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var states = Step(bases.Plain.Decoder);
        TinyModel.Same(Step(bases.Kept.Decoder), states).ShouldBeTrue();
        TinyModel.Same(Step(bases.Streamed.Decoder), states).ShouldBeTrue();

        static int[] Generate(LoadedModel model) =>
        [
            .. model.CreateGenerator().Generate(Prompts, new() { MaxNewTokens = 8 }, cancellation: TestContext.Current.CancellationToken)
                .SelectMany(row => row.Tokens),
        ];

        static Tensor Step(Decoder decoder)
        {
            using var cache = new KeyValueCache(decoder.Config, 2, 8, CPU, decoder.DataType);
            using var first = cache.Next([3, 2]);
            decoder.Forward(tensor(new long[] { 1, 2, 3, 4, 5 }), first, cache).Dispose();
            using var second = cache.Next([1, 1]);
            return decoder.Forward(tensor(new long[] { 6, 7 }), second, cache);
        }
    }

    [Theory]
    [InlineData(BaseDType.Fp32, 1e-4)]
    [InlineData(BaseDType.Bf16, 0.02)]
    [InlineData(BaseDType.Fp16, 0.02)]
    public void Gradients_are_those_of_the_plain_file(BaseDType type, double tolerance)
    {
        using var bases = new GgufBlockBases(type);
        using var scope = NewDisposeScope();
        var (adapter, embedded) = Gradients(bases.Kept.Decoder);
        var (plainAdapter, plainEmbedded) = Gradients(bases.Plain.Decoder);
        plainAdapter.Max(g => Math.Abs(g)).ShouldBeGreaterThan(1e-3f);
        plainEmbedded.Max(g => Math.Abs(g)).ShouldBeGreaterThan(1e-3f);
        TorchTest.RelativeError(tensor(adapter), tensor(plainAdapter)).ShouldBeLessThan(tolerance);
        TorchTest.RelativeError(tensor(embedded), tensor(plainEmbedded)).ShouldBeLessThan(tolerance);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_streamed_one_trains_to_the_same_bits(BaseDType type)
    {
        // Plain maps of a resident bfloat16 base are packed, and their products round differently.
        using var bases = new GgufBlockBases(type, plainMaps: type != BaseDType.Bf16);
        Train(bases.Streamed.Decoder, recompute: false).ShouldBe(Train(bases.Kept.Decoder, recompute: true));
    }

    private static float[] Train(Decoder decoder, bool recompute)
    {
        using var method = new SparseAdapterMethod(new SparseAdapter(Spec).Initialize(seed: 3), OptimizerRows.Touched, TinyTask.Identity);
        var runner = new StepRunner(decoder, method, new OptimizerConfig(), new MemoryLedger(), recompute);
        for (var step = 1; step <= 3; step++) runner.Run([TinyTask.Rows(5, seed: step)], 0.01, step);
        return TinyTask.Bits(method);
    }

    /// <summary>The gradients of a loss: of all rows of a sparse adapter, and of the embedded tokens below all layers.</summary>
    private static (float[] Adapter, float[] Embedded) Gradients(Decoder decoder)
    {
        using var scope = NewDisposeScope();
        using var layout = TokenLayout.FromLengths(Lengths, CPU);
        using var adapter = new SparseAdapter(Spec).Initialize(seed: 3);
        var random = new Random(4);
        foreach (var (_, store) in adapter.Stores)
            for (var row = 0; row < store.Values.Rows; row++)
                foreach (ref var value in store.Values.Weights.Row(row)) value = (float)(0.2 * (random.NextDouble() - 0.5));

        var h = decoder.Embed(tensor(Ids)).detach().requires_grad_();
        var logits = decoder.Logits(decoder.ForwardEmbedded(h, layout, adapter: adapter));
        nn.functional.cross_entropy(logits.to(float32), tensor(Targets), reduction: nn.Reduction.Sum).backward();
        BackwardFailure.ThrowIfAny();
        adapter.ThrowIfBackwardFailed();

        var gradients = new List<float>();
        foreach (var (_, store) in adapter.Stores)
        {
            foreach (var slot in store.RowGradients.SlotOfRow)
            {
                gradients.AddRange(Row(store.RowGradients.Keys, slot));
                gradients.AddRange(Row(store.RowGradients.Values, slot));
            }
            for (var row = 0; row < store.GateGradient.Rows; row++) gradients.AddRange(Row(store.GateGradient, row));
        }
        return (gradients.ToArray(), h.grad!.to(float32).data<float>().ToArray());

        static float[] Row(HostMatrix matrix, int row) => row < 0 ? new float[GgufBlockBases.Hidden] : matrix.Row(row).ToArray();
    }
}
