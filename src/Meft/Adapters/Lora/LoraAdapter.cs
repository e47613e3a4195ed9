using Meft.Core.Adapters.Lora;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Adapters.Lora;

/// <summary>
/// Low-rank additions beside linear maps of a frozen decoder, as PEFT defines them. The parameters are float32 on the base's device, whatever
/// the base's type (PEFT's <c>autocast_adapter_dtype</c>).
/// </summary>
public sealed class LoraAdapter : ILinearAdapter, IDisposable
{
    private static readonly int MapCount = Enum.GetValues<LinearMap>().Length;
    private readonly List<LoraMap> _maps;
    private readonly LoraMap?[] _places; // [layers · MapCount]
    private readonly bool[] _layers;
    private SingleInput? _lastInput;

    /// <summary>Allocates the maps of a spec; every number is zero until initialised or loaded.</summary>
    public LoraAdapter(LoraSpec spec, Device device)
    {
        Spec = spec;
        _maps = [.. spec.Maps.Select(map => new LoraMap(map, device))];
        _layers = new bool[spec.Layers[^1] + 1];
        _places = new LoraMap?[_layers.Length * MapCount];
        foreach (var map in _maps)
        {
            var module = map.Spec.Module;
            _layers[module.Layer] = true;
            _places[module.Layer * MapCount + (int)HuggingFaceWeightNames.LinearMapOf(module.Name)] = map;
        }
    }

    /// <summary>Which maps are adapted, and how.</summary>
    public LoraSpec Spec { get; }

    /// <summary>A [r, in] and B [out, r] of every map by their names in PEFT's files.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Parameters => _maps.SelectMany(map => new[]
    {
        KeyValuePair.Create(LoraFiles.NameOfA(map.Spec.Module), map.A),
        KeyValuePair.Create(LoraFiles.NameOfB(map.Spec.Module), map.B),
    });

    internal IReadOnlyList<LoraMap> Maps => _maps;

    /// <summary>The dropout of the micro-batch that is being trained; null for none, as in evaluation.</summary>
    internal LoraDropout? Dropout { get; set; }

    /// <summary>
    /// Start values: A uniform within ±1/√in (Kaiming's bound with a = √5, as PEFT and torch's linear layers have it), seeded; B = 0, so that the
    /// adapted model starts as the base model bit for bit.
    /// </summary>
    public LoraAdapter Initialize(ulong seed)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var generator = new Generator(seed, CPU);
        foreach (var map in _maps)
        {
            var bound = 1 / Math.Sqrt(map.Spec.Module.Inputs);
            map.A.copy_(empty(map.A.shape, ScalarType.Float32).uniform_(-bound, bound, generator));
            map.B.zero_();
        }
        return this;
    }

    /// <summary>Makes the parameters leaves that want gradients.</summary>
    public LoraAdapter MakeTrainable()
    {
        foreach (var (_, parameter) in Parameters) parameter.requires_grad = true;
        return this;
    }

    /// <inheritdoc/>
    public bool Adapts(int layer) => layer < _layers.Length && _layers[layer];

    /// <inheritdoc/>
    public long KeptBytesPerToken(int layer, int width) => Spec.KeptBytesPerToken(layer);

    /// <inheritdoc/>
    public Tensor Apply(int layer, LinearMap map, Tensor x, Tensor y)
    {
        if (_places[layer * MapCount + (int)map] is not { } lora) return y;
        using var scope = NewDisposeScope();
        var input = ToSingle(x);
        if (Dropout is { } dropout) input = dropout.Apply(input, layer, map);
        return lora.Apply(input, y).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var map in _maps) map.Dispose();
    }

    /// <summary>x [T, in] in float32. Maps that read the same x, as queries and values do, share one copy.</summary>
    private Tensor ToSingle(Tensor x)
    {
        if (x.dtype == ScalarType.Float32) return x;
        var recorded = is_grad_enabled() && x.requires_grad;
        if (_lastInput is { } last && ReferenceEquals(last.Source, x) && !last.Single.IsInvalid && last.Single.requires_grad == recorded) return last.Single;
        var single = x.to(ScalarType.Float32).MoveToOuterDisposeScope();
        _lastInput = new SingleInput(x, single);
        return single;
    }

    private sealed record SingleInput(Tensor Source, Tensor Single);
}
