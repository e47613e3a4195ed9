using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>The frozen base in bytes, by the parts that can be placed apart.</summary>
/// <param name="LayerCount">Layers.</param>
/// <param name="LayerBytes">One layer.</param>
/// <param name="EndBytes">Embedding, final norm and head; a tied head counts once.</param>
/// <param name="LargestTensorBytes">The largest single tensor.</param>
public sealed record BaseWeights(int LayerCount, long LayerBytes, long EndBytes, long LargestTensorBytes)
{
    /// <summary>Layer buffers on the device where the base is streamed: one computes while the next arrives.</summary>
    public const int StreamBuffers = 2;

    /// <summary>What a window on the device must hold where the base is streamed: of layers that differ the most of each kind.</summary>
    public long LargestLayerBytes { get; init; } = LayerBytes;

    /// <summary>All of it.</summary>
    public long TotalBytes => LayerCount * LayerBytes + EndBytes;

    /// <summary>What of a streamed base is on the device: two layers, embedding and head.</summary>
    public long StreamedDeviceBytes => Math.Min(LayerCount, StreamBuffers) * LargestLayerBytes + EndBytes;

    /// <summary>
    /// Bytes of a streamed base that come to the device for a micro-batch in the midst of a run. The windows hold two layers: forward all come but
    /// those left from the micro-batch before, backward all down to the lowest trained one but the two on top, and then layer 0 for the next forward.
    /// </summary>
    /// <param name="first">The lowest trained layer.</param>
    public long StreamedBytes(int first)
    {
        if (LayerCount <= StreamBuffers) return 0;
        var forward = LayerCount - (first < StreamBuffers ? StreamBuffers : 1);
        var backward = Math.Max(0, LayerCount - StreamBuffers - first) + (first > 0 ? 1 : 0);
        return (forward + backward) * LayerBytes;
    }

    /// <summary>Parameters of one layer.</summary>
    public static long LayerParameters(ModelConfig model) => (model.ParameterCount - EndParameters(model)) / model.LayerCount;

    /// <summary>Parameters of embedding, final norm and head; a tied head counts once.</summary>
    public static long EndParameters(ModelConfig model)
    {
        long hidden = model.HiddenSize;
        return (model.TiedEmbeddings ? 1 : 2) * hidden * model.VocabularySize + hidden;
    }

    /// <summary>The parts of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="width">Bytes a weight.</param>
    /// <param name="quantized">What the layers take where they are quantised; null where they are not.</param>
    public static BaseWeights Of(ModelConfig model, int width, QuantizedBase? quantized = null)
    {
        var largest = LinearModule.Of(model with { LayerCount = 1 }).Max(m => (long)m.Inputs * m.Outputs);
        var layer = quantized?.LayerBytes(model, width) ?? LayerParameters(model) * width;
        return new BaseWeights(
            model.LayerCount, layer, EndParameters(model) * width, Math.Max(largest, (long)model.HiddenSize * model.VocabularySize) * width)
        {
            LargestLayerBytes = quantized is null ? layer : layer - quantized.MapBytes + quantized.LargestMapBytes,
        };
    }

    /// <summary>Bytes an element of the type the base computes in.</summary>
    public static int WidthOf(BaseDType wanted, ModelConfig model) => TypeOf(wanted, model) == BaseDType.Fp32 ? 4 : 2;

    /// <summary>The type that the base computes in: <see cref="BaseDType.Auto"/> is the checkpoint's, float32 where its config does not say.</summary>
    public static BaseDType TypeOf(BaseDType wanted, ModelConfig model) => wanted != BaseDType.Auto ? wanted : model.StoredType switch
    {
        StoredType.BFloat16 => BaseDType.Bf16,
        StoredType.Float16 => BaseDType.Fp16,
        _ => BaseDType.Fp32,
    };
}
