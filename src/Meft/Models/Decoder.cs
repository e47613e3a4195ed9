using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Planning;
using Meft.Memory;
using Meft.Models.Quantized;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// A decoder-only transformer over packed tokens (see <see cref="TokenLayout"/>): an embedding, layers (<see cref="DecoderLayer"/>), a norm and a
/// head. The families of <see cref="ModelConfig"/> are settings of this one. Its weights are frozen unless <see cref="SetTrainable"/> says
/// otherwise; every operation can be differentiated.
/// </summary>
public sealed class Decoder : IDisposable
{
    private readonly Dictionary<string, Tensor> _parameters;
    private readonly DecoderWeights _weights;
    private readonly DecoderLayer _layer;
    private readonly FewTokensPass _fewTokens;
    private readonly double _embeddingFactor;
    private readonly QuantizedWeights? _quantized;

    private Decoder(
        ModelConfig config, Dictionary<string, Tensor> parameters, Func<ILayerSource>? layers = null, QuantizedWeights? quantized = null)
    {
        Config = config;
        _parameters = parameters;
        _quantized = quantized;
        _weights = HuggingFaceWeightNames.Assemble(config, parameters, layers?.Invoke(), quantized);
        _layer = new DecoderLayer(config);
        _fewTokens = new FewTokensPass(config, _weights);
        using var factor = ScalarOperations.Filled([1], config.Multipliers.Embedding, DataType, CPU);
        using var rounded = factor.to(float64);
        _embeddingFactor = rounded.item<double>();
    }

    /// <summary>The model's sizes and flags.</summary>
    public ModelConfig Config { get; }

    /// <summary>Where the weights are.</summary>
    public Device Device => _weights.Embedding.device;

    /// <summary>The type of the weights and of the hidden states.</summary>
    public ScalarType DataType => _weights.Embedding.dtype;

    /// <summary>Whether the layers wait in host memory and come to the device in turn.</summary>
    public bool IsStreamed => _weights.Layers.HostByteCount > 0;

    /// <summary>How the linear maps of the layers are held.</summary>
    public Quantization Quantization => _quantized?.Kind ?? Quantization.None;

    /// <summary>Whether the weights want gradients.</summary>
    public bool IsTrainable { get; private set; }

    /// <summary>
    /// The weights by their Hugging Face names, layer by layer; a tied head is not listed twice. Quantised ones are the bytes of their blocks.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>Reads a model from a source of tensors.</summary>
    /// <param name="source">The tensors.</param>
    /// <param name="config">The model's sizes and flags.</param>
    /// <param name="device">Where the weights shall be.</param>
    /// <param name="type">Their type.</param>
    /// <param name="quantize">How the linear maps of the layers shall be held.</param>
    /// <exception cref="WeightsMismatchException">The tensors are not those the config asks for.</exception>
    /// <exception cref="InvalidInputException">A weight that is to be quantised is not finite.</exception>
    public static Decoder Load(ITensorSource source, ModelConfig config, Device device, ScalarType type, Quantization quantize = Quantization.None)
    {
        NativeTorch.Load();
        config.Validate();
        var quantized = QuantizedWeights.For(quantize, device);
        var weights = WeightLoader.Plan(source, config, type, quantized);
        using var memory = device.type == TorchSharp.DeviceType.CPU ? WeightMemory.TryFor(weights.Select(weight => weight.ByteCount)) : null;
        var tensors = WeightLoader.Read(source, weights, type, weight => memory?.Take(weight.Shape, weight.Type) ?? weight.Empty(device));
        return Owning(tensors, () => new Decoder(config, tensors, quantized: quantized));
    }

    /// <summary>
    /// Reads a model whose layers wait in host memory and come to the device in turn, forward and backward; only the embedding, the head and
    /// two layers are ever there. The results have the same bits.
    /// </summary>
    /// <exception cref="WeightsMismatchException">The tensors are not those the config asks for.</exception>
    /// <exception cref="InvalidInputException">A weight that is to be quantised is not finite.</exception>
    public static Decoder LoadStreamed(ITensorSource source, ModelConfig config, Device device, ScalarType type, Quantization quantize = Quantization.None)
    {
        NativeTorch.Load();
        config.Validate();
        var quantized = QuantizedWeights.For(quantize, device);
        var weights = WeightLoader.Plan(source, config, type, quantized);
        var layers = new HostLayers(config.LayerCount, weights, device);
        try
        {
            var tensors = WeightLoader.Read(source, weights, type, weight => weight.Spec.IsOfLayer ? layers.Take(weight) : weight.Empty(device));
            return Owning(tensors, () => new Decoder(config, tensors, () => new StreamedLayers(layers.Layers, device, quantized: quantized), quantized));
        }
        catch
        {
            layers.Dispose();
            throw;
        }
    }

    /// <summary>A decoder that owns tensors; where it cannot be made, as where a device has no room for its windows, they are freed.</summary>
    private static Decoder Owning(Dictionary<string, Tensor> tensors, Func<Decoder> make)
    {
        try
        {
            return make();
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    /// <summary>Reads a model folder: config.json and its safetensors, one file or shards.</summary>
    /// <param name="folder">The folder, in the Hugging Face layout.</param>
    /// <param name="device">Where the weights shall be.</param>
    /// <param name="type">Their type; null for the one the checkpoint is stored in.</param>
    /// <exception cref="InvalidInputException">The folder is not a model, or not one that is known; the text says why.</exception>
    public static Decoder Load(string folder, Device device, ScalarType? type = null)
    {
        var config = ModelConfigReader.Read(folder);
        using var source = ShardedSafetensors.OpenFolder(folder);
        return Load(source, config, device, type ?? TypeOf(BaseDType.Auto, config));
    }

    /// <summary>
    /// Writes the model as a folder in the Hugging Face layout: config.json and model.safetensors, in the weights' own type.
    /// </summary>
    /// <param name="folder">The folder; made where it is not there.</param>
    /// <exception cref="InvalidOperationException">The base is quantised: its weights are no longer there.</exception>
    public void Save(string folder)
    {
        if (_quantized is not null) throw new InvalidOperationException("a quantised base cannot be saved");
        Directory.CreateDirectory(folder);
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach (var (name, parameter) in _parameters) writer.Add(name, parameter);
        writer.Save(Path.Combine(folder, ShardedSafetensors.SingleFileName));
        var stored = DataType switch
        {
            ScalarType.Float16 => StoredType.Float16,
            ScalarType.BFloat16 => StoredType.BFloat16,
            _ => StoredType.Float32,
        };
        ModelConfigWriter.Write(Config with { StoredType = stored }, Path.Combine(folder, "config.json"));
    }

    /// <summary>Makes a model that starts from nothing: matrices drawn from N(0, initializer_range²), norms 1, biases 0.</summary>
    public static Decoder Initialize(ModelConfig config, ulong seed, Device device, ScalarType type)
    {
        NativeTorch.Load();
        config.Validate();
        return new Decoder(config, WeightLoader.Draw(config, seed, device, type));
    }

    /// <summary>Whether all weights want gradients.</summary>
    /// <exception cref="InvalidOperationException">The layers are streamed or quantised: they are frozen.</exception>
    public void SetTrainable(bool trainable)
    {
        if (trainable && IsStreamed) throw new InvalidOperationException("a streamed base is frozen");
        if (trainable && _quantized is not null) throw new InvalidOperationException("a quantised base is frozen");
        if (_quantized is not null) return;
        foreach (var parameter in _parameters.Values) parameter.requires_grad = trainable;
        IsTrainable = trainable;
    }

    /// <summary>Counts what the weights hold on the device and in host memory, from now on.</summary>
    internal void CountIn(MemoryLedger ledger)
    {
        ledger.Hold(DeviceUse.BaseWeights, _parameters.Values.Sum(TensorMemory.ByteCount) - _weights.Layers.HostByteCount);
        _weights.Layers.CountIn(ledger);
        if (_quantized is null) return;
        ledger.Hold(DeviceUse.DequantizedPanel, _quantized.PanelBytes(TensorMemory.ElementBytes(DataType)));
    }

    /// <summary>Counts what layers move between host and device in another ledger from now on, where several count in turn.</summary>
    internal void CountTrafficIn(MemoryLedger ledger) => _weights.Layers.CountTrafficIn(ledger);

    /// <summary>
    /// Lets frozen bfloat16 weights in host memory have copies in the form that their products are computed from, each made when it is first
    /// used: steps then do not convert the weights again and again. Training does this; results change within the type's rounding.
    /// </summary>
    /// <param name="byteLimit">The most bytes of such copies; the plain weights stay beside them.</param>
    internal void AllowPacking(long byteLimit) => _weights.Packing.Limit = byteLimit;

    /// <summary>ids [T] (int64) → hidden states [T, D].</summary>
    public Tensor Embed(Tensor ids)
    {
        var rows = _weights.Embedding.index_select(0, ids);
        if (_embeddingFactor == 1) return rows;
        using (rows) return rows.Times(_embeddingFactor);
    }

    /// <summary>h [T, D] → [T, D]: one layer.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="h">[T, D], the hidden states of the layout's tokens.</param>
    /// <param name="layout">Where the tokens stand.</param>
    /// <param name="cache">Earlier tokens of the rows, to which these are added; null where the rows begin here.</param>
    /// <param name="adapter">What runs beside the frozen weights.</param>
    public Tensor ForwardLayer(
        int layer, Tensor h, TokenLayout layout, KeyValueCache? cache = null, IDecoderAdapter? adapter = null)
    {
        using var scope = NewDisposeScope();
        return _layer.Forward(layer, _weights.Layers.Take(layer), h, layout, cache, adapter).MoveToOuterDisposeScope();
    }

    /// <summary>Says which layer will be run after the one that is run next, so that a streamed base can bring it meanwhile.</summary>
    internal void Prefetch(int layer) => _weights.Layers.Prefetch(layer);

    /// <summary>Begins to bring the first layers of a streamed base, unless they are there.</summary>
    internal void Rewind() => _weights.Layers.Rewind();

    /// <summary>h [T, D] → [T, D]: the norm before the head.</summary>
    public Tensor FinalNorm(Tensor h) => _layer.Norm(h, _weights.FinalNorm);

    /// <summary>h [n, D], normed, of any n tokens → logits [n, V] in the model's type.</summary>
    public Tensor Logits(Tensor h)
    {
        var logits = _weights.Head.Apply(h, few: true);
        if (Config.Multipliers.LogitDivisor is var divisor and not 1) logits = Replaced(logits, divided => divided.Times(1 / divisor));
        if (Config.SoftCaps.Logits is { } cap) logits = Replaced(logits, raw => Replaced(raw.Times(1 / cap).tanh_(), bound => bound.Times(cap)));
        return logits;
    }

    /// <summary>ids [T] (int64) → hidden states [T, D] after all layers and the final norm, ready for <see cref="Logits"/>.</summary>
    public Tensor Forward(Tensor ids, TokenLayout layout, KeyValueCache? cache = null, IDecoderAdapter? adapter = null)
    {
        using var scope = NewDisposeScope();
        return ForwardEmbedded(Embed(ids), layout, cache, adapter).MoveToOuterDisposeScope();
    }

    /// <summary>h [T, D], embedded → [T, D] after all layers and the final norm.</summary>
    public Tensor ForwardEmbedded(Tensor h, TokenLayout layout, KeyValueCache? cache = null, IDecoderAdapter? adapter = null)
    {
        if (cache is not null && _fewTokens.Takes(h, layout, adapter)) return _fewTokens.Run(h, layout, cache, adapter);
        using var scope = NewDisposeScope();
        for (var layer = 0; layer < Config.LayerCount; layer++)
        {
            Prefetch((layer + 1) % Config.LayerCount); // after the last layer the next pass begins with the first
            var next = ForwardLayer(layer, h, layout, cache, adapter);
            if (layer > 0) h.Dispose();
            h = next;
        }
        cache?.Advance(layout);
        return FinalNorm(h).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.Dispose();
        _quantized?.Dispose();
        foreach (var parameter in _parameters.Values) parameter.Dispose();
    }

    /// <summary>The type that a base computes in: <see cref="BaseDType.Auto"/> is the one its checkpoint is stored in, by its config; float32 where that does not say.</summary>
    internal static ScalarType TypeOf(BaseDType wanted, ModelConfig config) => BaseWeights.TypeOf(wanted, config) switch
    {
        BaseDType.Bf16 => ScalarType.BFloat16,
        BaseDType.Fp16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    // The result of an operation, after which its input is not needed any more.
    private static Tensor Replaced(Tensor x, Func<Tensor, Tensor> operation)
    {
        using (x) return operation(x);
    }
}
