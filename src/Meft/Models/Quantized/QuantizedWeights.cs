using Meft.Core.Configuration;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// Which matrices of a model are held in blocks, and the scratch memory that they are decoded into. Only the linear maps of the layers are: norms, biases,
/// embedding and head stay in the model's type, as in QLoRA (arXiv 2305.14314).
/// </summary>
/// <param name="kind">How they are quantised.</param>
/// <param name="accelerator">Whether operations on tensors decode them, as on an accelerator, or the kernels in host memory.</param>
internal sealed class QuantizedWeights(Quantization kind, bool accelerator) : IDisposable
{
    private readonly Dictionary<string, BlockLayout> _layouts = new(StringComparer.Ordinal);
    private readonly PanelPool _panels = new();

    /// <summary>For a base on a device, as it decodes there; null for a plain one.</summary>
    public static QuantizedWeights? For(Quantization kind, Device device) =>
        kind == Quantization.None ? null : new QuantizedWeights(kind, accelerator: device.type != TorchSharp.DeviceType.CPU);

    /// <summary>How they are quantised.</summary>
    public Quantization Kind => kind;

    /// <summary>The matrices by name.</summary>
    public IReadOnlyDictionary<string, BlockLayout> Layouts => _layouts;

    /// <summary>Bytes that decoding takes at most, in a type of so many bytes.</summary>
    public long PanelBytes(int width) => BlockPanel.MostBytes(_layouts.Values, width, accelerator);

    /// <summary>Whether a weight can be held in blocks.</summary>
    public static bool MayBe(WeightSpec spec) => spec is { Kind: WeightKind.Matrix, IsOfLayer: true };

    /// <summary>How a weight of a checkpoint is to be held; null where it stays plain.</summary>
    public BlockLayout? LayoutOf(ITensorSource source, WeightSpec spec)
    {
        if (!MayBe(spec)) return null;
        var format = kind switch
        {
            Quantization.Int8 => BlockFormat.Int8,
            Quantization.Nf4 => BlockFormat.Nf4,
            Quantization.Gguf => (source as IBlockSource)?.BlocksOf(spec.Name) is { } stored ? BlockDecoder.FormatOf(stored) : null,
            _ => (BlockFormat?)null,
        };
        return format is { } known ? new BlockLayout(known, checked((int)spec.Shape[0]), checked((int)spec.Shape[1])) : null;
    }

    /// <summary>Enters a matrix.</summary>
    public void Add(string name, BlockLayout layout) => _layouts.Add(name, layout);

    /// <summary>The matrix of a name over its blocks; null where that weight is plain.</summary>
    public QuantizedMatrix? Of(string name, Tensor data) => _layouts.TryGetValue(name, out var layout) ? new QuantizedMatrix(data, new BlockPanel(layout, accelerator), _panels) : null;

    /// <inheritdoc/>
    public void Dispose() => _panels.Dispose();
}
