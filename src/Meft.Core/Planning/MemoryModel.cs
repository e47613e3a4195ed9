using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>Sizes of model, method and micro-batches → bytes by tier and cause. Pure arithmetic; letters as in method.md.</summary>
/// <param name="model">The base.</param>
/// <param name="width">w: bytes an element of the base's type.</param>
/// <param name="trained">What is trained.</param>
/// <param name="work">The micro-batches.</param>
/// <param name="accelerator">Whether the device is not the CPU.</param>
/// <param name="kernels">Whether the base computes by kernels of our own, as on a CPU in all types but float16.</param>
/// <param name="quantized">What the base takes where it is quantised; null where it is not.</param>
public sealed class MemoryModel(
    ModelConfig model, int width, TrainedParameters trained, Workload work, bool accelerator, bool kernels, QuantizedBase? quantized = null)
{
    /// <summary>The most logits alive at once, in numbers, as <c>TrainedTokenLoss</c> has it.</summary>
    public const long LogitsAtOnce = 1 << 23;

    private const int Single = sizeof(float);

    /// <summary>Masters, both moments and the gradient of a parameter in host memory.</summary>
    private const int TensorHostBytes = 4 * Single;

    private readonly BaseWeights _base = BaseWeights.Of(model, width, quantized);
    private readonly SparseAdapterMemory? _sparse = trained is { Kind: MethodKind.Meft, Sparse: { } spec }
        ? new SparseAdapterMemory(spec, width, work.WorstTokens, accelerator)
        : null;
    private readonly long _tokens = work.WorstTokens;

    /// <summary>T·D·w of the largest micro-batch.</summary>
    private long Hidden => _tokens * model.HiddenSize * width;

    /// <summary>The memory of a run that is carried out in a certain way.</summary>
    /// <param name="plan">The way.</param>
    /// <param name="checkpoints">Full checkpoints on disk at once; an incremental one counts as the share of one that it takes at most.</param>
    public MemoryPlan Of(ExecutionPlan plan, double checkpoints)
    {
        var items = new List<MemoryItem>();
        void Add(MemoryTier tier, string cause, long bytes, long counted = 0)
        {
            if (bytes > 0 || counted > 0) items.Add(new MemoryItem(tier, cause, bytes, counted));
        }

        var streamed = plan.Base == BasePlacement.Streamed;
        var onDevice = streamed ? _base.StreamedDeviceBytes : _base.TotalBytes;
        var inside = KeptInsideLayers(plan.Recompute);
        var (logits, countedLogits) = Logits();
        var (tensors, countedTensors) = TrainedTensors(inside);
        var working = _sparse?.WorkingSet(plan.Execution) ?? 0;
        // The peak is at the loss, or in the backward pass when it begins: with recompute only then there is something inside a layer.
        var atLoss = logits + (plan.Recompute ? 0 : inside) > working + inside + (2 * Hidden);
        var hidden = (model.LayerCount - trained.FirstLayer + (atLoss ? 1 : 3)) * Hidden;
        if (atLoss && plan.Recompute) inside = 0;
        var baseWeights = quantized is null ? "base weights" : "quantised base weights";
        var panel = quantized?.PanelBytes(width, accelerator) ?? 0;
        // A type without kernels is decoded by way of float32.
        var besidePanel = accelerator || kernels ? 0 : (quantized?.PanelWeights ?? 0) * Single;
        Add(MemoryTier.Device, baseWeights, onDevice, onDevice);
        Add(MemoryTier.Device, "dequantised panel", panel + besidePanel, panel);
        Add(MemoryTier.Device, "hidden states", hidden, hidden);
        Add(MemoryTier.Device, "kept for the backward", inside, inside);
        if (atLoss) Add(MemoryTier.Device, "logits", logits, countedLogits);
        else Add(MemoryTier.Device, "adapter working set", working, working);
        Add(MemoryTier.Device, "trained tensors", tensors, countedTensors);

        Add(MemoryTier.Host, baseWeights, streamed && !accelerator ? _base.LayerCount * _base.LayerBytes : 0);
        AddTrained(Add);
        var (inputs, selections) = (_sparse?.KeptInputs ?? 0, _sparse?.Selections() ?? 0);
        Add(MemoryTier.Host, "adapter inputs", inputs);
        Add(MemoryTier.Host, "selections", selections);

        Add(MemoryTier.Pinned, baseWeights, streamed && accelerator ? _base.LayerCount * _base.LayerBytes : 0);
        Add(MemoryTier.Pinned, "staging", accelerator ? 2 * working : 0);

        Add(MemoryTier.Program, "program and libtorch", ProgramMemory.RuntimeBytes);
        Add(MemoryTier.Program, "compiled shapes", accelerator || width >= Single ? 0 : ProgramMemory.CompiledShapes(work.DistinctSizes));
        var packs = kernels && width == 2 && !streamed && trained.Kind != MethodKind.Full;
        Add(MemoryTier.Program, "packed weights", packs ? Math.Min(ProgramMemory.PackedWeightBytes, 2 * PlainBytes) : 0);
        var inHeap = InHeap(plan, logits);
        Add(MemoryTier.Program, "holes in malloc's heap", ProgramMemory.HeapLimit(inHeap) - inHeap);
        Add(MemoryTier.Program, "uncollected garbage", ProgramMemory.Garbage(selections));

        Add(MemoryTier.Disk, "checkpoints", (long)(checkpoints * trained.StateBytes));
        Add(MemoryTier.Disk, "result", trained.Count * (trained.Kind == MethodKind.Full ? width : Single));

        // Each weight is read straight into the tensor that it stays in, by way of the host where that is on a card (docs/model-files.md).
        var load = ProgramMemory.RuntimeBytes + _base.LargestTensorBytes + (accelerator && !streamed ? 0 : _base.TotalBytes);
        return new MemoryPlan(items, accelerator, load, ProgramMemory.HeapLimit(inHeap));
    }

    /// <summary>The weights that packed copies may be made of: of a quantised base, the head alone.</summary>
    private long PlainBytes => quantized is null ? _base.TotalBytes : (long)model.VocabularySize * model.HiddenSize * width;

    /// <summary>
    /// Of what comes and goes with every micro-batch, the part that lies in malloc's heap: on the CPU also the device's, and of it only blocks that are
    /// not large enough to be mapped by themselves. Of the logits' chunk there are about five blocks.
    /// </summary>
    private long InHeap(ExecutionPlan plan, long logits)
    {
        var mapped = ProgramMemory.MappedBlockBytesOf(trained.Kind);
        var inputs = _tokens * model.HiddenSize * Single < mapped ? _sparse?.KeptInputs ?? 0 : 0;
        if (accelerator) return inputs;
        var (kept, gradients) = (KeptInsideLayers(plan.Recompute, mapped), SmallGradients(mapped));
        return inputs + kept + GradientsBeside(kept, gradients) + (logits / 5 < mapped ? logits : 0);
    }

    /// <summary>Gradients of trained tensors, made anew in every step, as far as a tensor is below a size; embedding and head are not.</summary>
    private long SmallGradients(long below) => trained.Kind switch
    {
        MethodKind.Full => (long)model.HiddenSize * model.IntermediateSize * width < below ? _base.LayerCount * _base.LayerBytes : 0,
        MethodKind.Parallel => (long)trained.Rank * model.HiddenSize * Single < below ? Single * trained.Count : 0,
        MethodKind.Lora => Single * trained.Count,
        _ => 0,
    };

    private void AddTrained(Action<MemoryTier, string, long, long> add)
    {
        if (_sparse is not null)
        {
            add(MemoryTier.Host, "adapter weights", Single * trained.Count, 0);
            add(MemoryTier.Host, "moments", 2 * Single * trained.Count, 0);
            add(MemoryTier.Host, "row gradients", _sparse.RowGradients(work.MicroBatches), 0);
            add(MemoryTier.Host, "gate gradient", _sparse.GateGradient, 0);
            return;
        }
        add(MemoryTier.Host, "masters", Single * trained.Count, 0);
        add(MemoryTier.Host, "moments", 2 * Single * trained.Count, 0);
        add(MemoryTier.Host, "gradients", (TensorHostBytes - 3 * Single) * trained.Count, 0);
    }

    /// <summary>
    /// What autograd keeps: of every layer above the lowest trained one; with recompute of one layer at a time. The lowest itself keeps the base's
    /// operations only where something before its feed-forward block is trained, or the block's input would need a gradient.
    /// </summary>
    /// <param name="recompute">Whether layers are computed again.</param>
    /// <param name="below">Only tensors below this size, in bytes.</param>
    private long KeptInsideLayers(bool recompute, long below = long.MaxValue)
    {
        var full = trained.Kind == MethodKind.Full;
        var perLayer = KeptForBackward.InLayer(model, width, full, onHost: kernels)
            .Where(k => k.Bytes * _tokens < below).Sum(k => k.Bytes);
        var first = trained.Sparse is null ? trained.FirstLayer : trained.FirstLayer + 1;
        var layers = Math.Max(0, model.LayerCount - first);
        var beside = trained.Kind switch
        {
            MethodKind.Parallel => trained.Layers.Count * DenseAdapterBytesPerToken(trained.Sparse!),
            MethodKind.Lora => trained.Maps.Sum(LoraBytesPerToken),
            _ => 0,
        };
        if (recompute)
        {
            layers = Math.Min(layers, 1);
            beside /= trained.Layers.Count;
        }
        return _tokens * (layers * perLayer + beside);
    }

    /// <summary>relu(x·Kᵀ)·V in float32 keeps x, its float32 copy where it is one, and the R activations.</summary>
    private long DenseAdapterBytesPerToken(SparseAdapterSpec spec) => Single * ((width < Single ? spec.HiddenSize : 0) + (long)spec.Rank);

    /// <summary>A low-rank addition keeps the float32 copy of its input and the r numbers between its two maps.</summary>
    private long LoraBytesPerToken(PlannedMap map) => Single * ((map.SharesInput ? 0 : map.Inputs) + (long)map.Rank);

    /// <summary>
    /// A chunk of logits in the model's type (w), one type wider (f), their log-softmax, and in the backward two gradients of that width; the ledger
    /// counts w + 2·f. A soft cap keeps its hyperbolic tangent beside the logits.
    /// </summary>
    private (long Bytes, long Counted) Logits()
    {
        var chunk = Math.Min(work.WorstTrained, Math.Max(1, LogitsAtOnce / model.VocabularySize)) * model.VocabularySize;
        var own = model.SoftCaps.Logits is null ? width : 2 * width;
        if (kernels) return (chunk * own, chunk * own); // the gradient takes the logits' place
        var wide = width < Single ? Single : 2 * Single;
        return (chunk * (own + 4 * wide), chunk * (own + 2 * wide));
    }

    /// <summary>
    /// Trained tensors that the device computes with (a trained base's are counted as the base's) and their gradients, which take the place of what
    /// else lives until the backward frees it. The ledger counts all gradients always.
    /// </summary>
    private (long Bytes, long Counted) TrainedTensors(long freedInBackward)
    {
        var (weights, gradients, counted) = trained.Kind switch
        {
            MethodKind.Meft => (0L, 0L, 0L),
            MethodKind.Full => (0, trained.Count * width, trained.Count * width),
            _ => (Single * trained.Count, Single * trained.Count, 2 * Single * trained.Count),
        };
        return (weights + GradientsBeside(freedInBackward, gradients), counted);
    }

    /// <summary>
    /// What gradients take beyond memory that the backward frees meanwhile, layer by layer. With several micro-batches a step those of the earlier ones are
    /// there when the next one's forward fills that memory again.
    /// </summary>
    private long GradientsBeside(long freedInBackward, long gradients) =>
        work.MicroBatches > 1 ? gradients : Math.Max(0, gradients - freedInBackward);
}
