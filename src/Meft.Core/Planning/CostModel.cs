using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>Sizes and a machine's speeds → operations and seconds of a step's phases, for the mean micro-batch. Letters as in method.md.</summary>
/// <param name="model">The base.</param>
/// <param name="width">w: bytes an element of the base's type.</param>
/// <param name="trained">What is trained.</param>
/// <param name="work">The micro-batches.</param>
/// <param name="machine">The machine's speeds.</param>
/// <param name="quantized">What the base takes where it is quantised; null where it is not.</param>
public sealed class CostModel(
    ModelConfig model, int width, TrainedParameters trained, Workload work, Calibration machine, QuantizedBase? quantized = null)
{
    private const int Single = sizeof(float);

    /// <summary>Calls of libtorch in the forward pass of a layer: two norms of six, seven linear maps, two rotations of eight, attention, activation, sums.</summary>
    private const int OperationsPerLayer = 42;

    /// <summary>Of them, those of a norm.</summary>
    private const int OperationsPerNorm = 6;

    /// <summary>A backward pass makes about two operations of one.</summary>
    private const int BackwardOperations = 2;

    /// <summary>Bytes AdamW moves for a float: weight and both moments read and written, the gradient read.</summary>
    private const int OptimizerBytes = 7 * Single;

    /// <summary>Making tensors of ids, a micro-batch.</summary>
    private const double DataSeconds = 2e-4;

    private readonly double _tokens = work.MeanTokens;

    /// <summary>The step of a run that is carried out in a certain way.</summary>
    public StepCost Of(ExecutionPlan plan)
    {
        var layers = model.LayerCount;
        var recorded = trained.Sparse is null ? layers - trained.FirstLayer : layers - trained.FirstLayer - 1;
        var full = trained.Kind == MethodKind.Full;
        double layerFlops = 2.0 * BaseWeights.LayerParameters(model) * _tokens;
        double head = 2.0 * model.VocabularySize * model.HiddenSize * work.MeanTrained;
        var layerSeconds = ElementSeconds() + DecodingSeconds();
        var matmul = machine.Matmul(width);
        var (denseForward, denseBackward) = DenseFlops();
        var (sparseForward, sparseBackward) = SparseFlops(plan.Execution);
        var (rowsForward, rowsBackward) = RowsFlops(plan.Execution);
        var link = LinkSeconds(plan);

        var forward = layers * layerFlops;
        var again = plan.Recompute ? recorded * layerFlops : 0;
        // A frozen map's backward is one product as large as its forward; a trained one's are two.
        var backward = recorded * layerFlops * (full ? 2 : 1) + again + head * (full ? 3 : 2);
        var single = machine.SingleMatmul.At(_tokens);
        var streaming = StreamSeconds(plan);
        return new StepCost(
        [
            new("data", 0, 0, work.MicroBatches * DataSeconds),
            new("forward", work.MicroBatches * (forward + denseForward + rowsForward), work.MicroBatches * sparseForward, work.MicroBatches
                * (Math.Max(streaming, (forward + rowsForward) / matmul.At(_tokens) + layers * layerSeconds)
                    + denseForward / single + SparseSeconds(sparseForward) + link / 2)),
            new("backward", work.MicroBatches * (backward + denseBackward + rowsBackward), work.MicroBatches * sparseBackward, work.MicroBatches
                * (Math.Max(streaming, (backward + rowsBackward) / matmul.At(_tokens) + recorded * layerSeconds * (BackwardOperations + (plan.Recompute ? 1 : 0)))
                    + HeadElementSeconds() + denseBackward / single + SparseSeconds(sparseBackward) + link / 2)),
            new("optimizer", 0, 0, OptimizerSeconds()),
        ]);
    }

    /// <summary>Element-wise work of a layer's forward: numbers read and written by norms, rotations, activation and sums, and the calls themselves.</summary>
    private double ElementSeconds()
    {
        double d = model.HiddenSize, f = model.IntermediateSize, heads = (model.HeadCount + model.KeyValueHeadCount) * (double)model.HeadSize;
        // Norm: copied to float32, squared, averaged, scaled, copied back, multiplied.
        var norms = model.NormsPerLayer * d * (7 * Single + 4 * width);
        var bytes = norms + 12 * heads * width + 6 * d * width + 5 * f * width;
        return _tokens * bytes / machine.DeviceBytesPerSecond + (OperationsPerLayer + (model.NormsPerLayer - 2) * OperationsPerNorm) * machine.OperationSeconds;
    }

    /// <summary>The blocks of a layer are read, their weights written and read again; a backward decodes a layer once, not twice, which is little beside it.</summary>
    private double DecodingSeconds() =>
        quantized is null ? 0 : (quantized.MapBytes + 2.0 * width * QuantizedBase.MapParameters(model)) / machine.DeviceBytesPerSecond;

    /// <summary>Logits are written, widened, exponentiated twice and differentiated: about eight passes.</summary>
    private double HeadElementSeconds() => work.MeanTrained * model.VocabularySize * 8.0 * Single / machine.DeviceBytesPerSecond;

    /// <summary>Trained maps on the device: low-rank additions and the dense parallel adapter; the backward is twice the forward.</summary>
    private (double Forward, double Backward) DenseFlops()
    {
        var forward = trained.Kind switch
        {
            MethodKind.Lora => 2.0 * _tokens * trained.Count,
            MethodKind.Parallel => 2.0 * _tokens * trained.Count,
            _ => 0,
        };
        return (forward, 2 * forward);
    }

    /// <summary>
    /// The sparse adapter on the host (docs/method.md): router 2·T·N·D, candidates 2·T·P·E·D, selected values 2·T·a·D; backward 8·T·a·D and of the
    /// gate 4·T·P·D; a neurons a token are active. Where rows travel, the selected values and their backward are the device's.
    /// </summary>
    private (double Forward, double Backward) SparseFlops(ExecutionKind execution)
    {
        if (trained is not { Kind: MethodKind.Meft, Sparse: { } spec }) return (0, 0);
        var perLayer = _tokens * spec.HiddenSize;
        var active = execution == ExecutionKind.Rows ? 0 : ExpectedUnion.ActivePerToken(spec.Rank, spec.Experts, spec.Probe, spec.TopK);
        double candidates = ExpectedUnion.Candidates(spec.Rank, spec.Experts, spec.Probe);
        var gate = spec.Gate == GateKind.Softmax ? spec.Experts : spec.Probe;
        return (
            spec.Layers.Count * perLayer * 2 * (spec.Experts + candidates + active),
            spec.Layers.Count * perLayer * (8 * active + 4.0 * gate));
    }

    /// <summary>Rows that travel, on the device: products of [T, U] with rows, one in the forward, four in the backward.</summary>
    private (double Forward, double Backward) RowsFlops(ExecutionKind execution)
    {
        if (execution != ExecutionKind.Rows || trained is not { Kind: MethodKind.Meft, Sparse: { } spec }) return (0, 0);
        var union = ExpectedUnion.Rows(spec.Rank, spec.Experts, spec.Probe, spec.TopK, (long)_tokens);
        var product = 2.0 * spec.Layers.Count * _tokens * union * spec.HiddenSize;
        return (product, 4 * product);
    }

    private double SparseSeconds(double flops) => flops / machine.DotFlops;

    private double LinkSeconds(ExecutionPlan plan)
    {
        if (machine.ToDeviceBytesPerSecond is not { } down || machine.ToHostBytesPerSecond is not { } up) return 0;
        if (trained is not { Kind: MethodKind.Meft, Sparse: { } spec }) return 0;
        var sizes = LinkSizesOf(spec) with { Recompute = plan.Recompute };
        var traffic = plan.Execution == ExecutionKind.Rows ? LinkTraffic.OfRows(sizes, (long)_tokens) : LinkTraffic.OfActivations(sizes, (long)_tokens);
        return spec.Layers.Count * (traffic.ToDevice / down + traffic.ToHost / up);
    }

    /// <summary>What decides the link's traffic.</summary>
    internal LinkSizes LinkSizesOf(SparseAdapterSpec spec) => new(spec.HiddenSize, width, spec.Rank, spec.Experts, spec.Probe, spec.TopK);

    /// <summary>A streamed base comes over the link once in each pass, hidden behind the pass as far as that lasts.</summary>
    private double StreamSeconds(ExecutionPlan plan) => plan.Base == BasePlacement.Streamed && machine.ToDeviceBytesPerSecond is { } down
        ? model.LayerCount * BaseWeights.Of(model, width, quantized).LayerBytes / down
        : 0;

    /// <summary>AdamW over the touched rows and the gate, or over every trained number; the norm reads the gradients once more.</summary>
    private double OptimizerSeconds()
    {
        double floats = trained.Count;
        if (trained is { Kind: MethodKind.Meft, Sparse: { } spec })
        {
            var union = ExpectedUnion.Rows(spec.Rank, spec.Experts, spec.Probe, spec.TopK, (long)Math.Min(_tokens * work.MicroBatches, 1e15));
            floats = spec.Layers.Count * (2.0 * union + spec.Experts) * spec.HiddenSize;
        }
        return floats * (OptimizerBytes + Single) / machine.HostBytesPerSecond;
    }
}
