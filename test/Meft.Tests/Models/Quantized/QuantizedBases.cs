using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Meft.Models;
using Meft.Models.Quantized;
using Meft.TestSupport;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>A model, it quantised, and a plain one of the quantised weights.</summary>
internal sealed class QuantizedBases : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <param name="quantize">How it is quantised.</param>
    /// <param name="type">What it computes in.</param>
    /// <param name="config">Its sizes.</param>
    /// <param name="make">Makes it; null for one whose biases are drawn.</param>
    public QuantizedBases(Quantization quantize, ScalarType type, ModelConfig config, Func<Decoder>? make = null)
    {
        Original = make?.Invoke() ?? WithBiases(config, type);
        Original.Save(_folder.File("original"));
        using (var source = ShardedSafetensors.OpenFolder(_folder.File("original")))
        {
            Quantized = Decoder.Load(source, config, CPU, type, quantize);
            Streamed = Decoder.LoadStreamed(source, config, CPU, type, quantize);
        }
        using var scope = NewDisposeScope();
        using var panels = new PanelPool();
        Plain = Decoder.Initialize(config, seed: 8, CPU, type);
        var format = quantize == Quantization.Int8 ? BlockFormat.Int8 : BlockFormat.Nf4;
        using var noGradients = no_grad();
        foreach (var (name, weights) in Quantized.Parameters)
        {
            var plain = Plain.Parameters[name];
            plain.copy_(weights.dtype == ScalarType.Byte
                ? new QuantizedMatrix(
                    weights, new BlockPanel(new BlockLayout(format, (int)plain.shape[0], (int)plain.shape[1]), Accelerator: false), panels).Decode(type)
                : weights);
        }
    }

    public Decoder Original { get; }

    public Decoder Quantized { get; }

    public Decoder Streamed { get; }

    public Decoder Plain { get; }

    public void Dispose()
    {
        foreach (var decoder in new[] { Original, Quantized, Streamed, Plain }) decoder.Dispose();
        _folder.Dispose();
    }

    private static Decoder WithBiases(ModelConfig config, ScalarType type)
    {
        using var noGradients = no_grad();
        using var generator = new Generator(5, CPU);
        var decoder = Decoder.Initialize(config, seed: 7, CPU, type);
        foreach (var (_, bias) in decoder.Parameters.Where(p => p.Key.EndsWith("bias", StringComparison.Ordinal))) bias.normal_(0, 0.1, generator);
        return decoder;
    }
}
