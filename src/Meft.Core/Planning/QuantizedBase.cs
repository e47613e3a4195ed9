using Meft.Core.Configuration;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Kernels.Quantization;

namespace Meft.Core.Planning;

/// <summary>What a base takes whose layers' linear maps are held in blocks.</summary>
/// <param name="Kind">How.</param>
/// <param name="MapBytes">Bytes of the linear maps of a layer, the mean over the layers, which a GGUF file may hold in several types.</param>
/// <param name="Layouts">How the maps lie that are in blocks, each layout once.</param>
public sealed record QuantizedBase(Quantization Kind, long MapBytes, IReadOnlyList<BlockLayout> Layouts)
{
    /// <summary>Bytes of a layer's maps in a window that takes each layer in turn: of blocks the most that any layer has, and of maps that are not in blocks.</summary>
    public long LargestMapBytes { get; init; } = MapBytes;

    /// <summary>The most weights that are plain numbers at once in host memory.</summary>
    public long PanelWeights => Layouts.Select(layout => new BlockPanel(layout, Accelerator: false).Weights).DefaultIfEmpty(0).Max();

    /// <summary>Bytes that decoding takes at most.</summary>
    /// <param name="width">Bytes an element of the base's type.</param>
    /// <param name="accelerator">Whether that is done on an accelerator.</param>
    public long PanelBytes(int width, bool accelerator) => BlockPanel.MostBytes(Layouts, width, accelerator);

    /// <summary>Bytes of a layer: its linear maps, and norms and biases in the base's type.</summary>
    /// <param name="model">The base.</param>
    /// <param name="width">Bytes an element of the base's type.</param>
    public long LayerBytes(ModelConfig model, int width) => MapBytes + (BaseWeights.LayerParameters(model) - MapParameters(model)) * width;

    /// <summary>Weights of the linear maps of a layer.</summary>
    public static long MapParameters(ModelConfig model) => LinearModule.Of(model).Sum(m => (long)m.Inputs * m.Outputs) / model.LayerCount;

    /// <summary>The sizes for a config; null where nothing is quantised.</summary>
    /// <param name="quantize">How the base is held.</param>
    /// <param name="location">Where the model lies; its weights are looked at only where their own blocks are kept.</param>
    /// <param name="model">The model.</param>
    /// <param name="width">Bytes an element of the base's type.</param>
    /// <exception cref="Errors.InvalidInputException">The file's blocks shall be kept, and there is no GGUF file, or it is not well formed.</exception>
    public static QuantizedBase? Of(Quantization quantize, ModelLocation location, ModelConfig model, int width) => quantize switch
    {
        Quantization.Gguf => OfFile(location, model, width),
        _ => WhenLoaded(quantize, model),
    };

    /// <summary>The sizes where the weights are quantised when they are loaded, whatever their file; null where nothing is quantised.</summary>
    internal static QuantizedBase? WhenLoaded(Quantization quantize, ModelConfig model) => quantize switch
    {
        Quantization.None => null,
        Quantization.Int8 => Of(quantize, BlockFormat.Int8, model),
        Quantization.Nf4 => Of(quantize, BlockFormat.Nf4, model),
        _ => throw new ArgumentOutOfRangeException(nameof(quantize), quantize, "such blocks come from a file"),
    };

    /// <summary>The sizes of a model that is quantised when it is loaded.</summary>
    public static QuantizedBase Of(Quantization quantize, BlockFormat format, ModelConfig model) => new(
        quantize, LinearModule.Of(model).Sum(m => new BlockLayout(format, m.Outputs, m.Inputs).ByteCount) / model.LayerCount,
        [.. LinearModule.Of(model).Select(m => new BlockLayout(format, m.Outputs, m.Inputs)).Distinct()]);

    private static QuantizedBase OfFile(ModelLocation location, ModelConfig model, int width)
    {
        using var source = ModelWeights.Open(location.WeightsPath);
        if (source is not GgufModelSource gguf) throw KeptBlocks.None(source.Path);
        var layouts = new HashSet<BlockLayout>();
        var (inBlocks, plain) = (new long[model.LayerCount], new long[model.LayerCount]);
        foreach (var map in LinearModule.Of(model))
        {
            var name = $"{map.FullName}.weight";
            var kept = gguf.Tensors.ContainsKey(name) && gguf.BlocksOf(name) is { } type ? BlockDecoder.FormatOf(type) : null;
            if (kept is not { } format)
            {
                plain[map.Layer] += (long)map.Outputs * map.Inputs * width;
                continue;
            }
            var layout = new BlockLayout(format, map.Outputs, map.Inputs);
            inBlocks[map.Layer] += layout.ByteCount;
            layouts.Add(layout);
        }
        return new QuantizedBase(Quantization.Gguf, (inBlocks.Sum() + plain.Sum()) / model.LayerCount, [.. layouts]) { LargestMapBytes = inBlocks.Max() + plain.Max() };
    }
}
