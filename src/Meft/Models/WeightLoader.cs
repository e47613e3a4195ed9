using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Models.Quantized;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Makes the tensors of a model: read from a checkpoint, or drawn at random.</summary>
internal static class WeightLoader
{
    /// <summary>
    /// Reads all weights of a model in the wanted type; beside them no more than one tensor in its stored type is alive.
    /// </summary>
    /// <param name="source">Where they are read from.</param>
    /// <param name="config">The model's config.</param>
    /// <param name="placement">Where each is to be.</param>
    /// <param name="type">The wanted type.</param>
    /// <param name="quantized">Learns which weights are held in blocks; null: none is.</param>
    /// <exception cref="WeightsMismatchException">Tensors are missing, unexpected or of a wrong shape or type.</exception>
    public static Dictionary<string, Tensor> Read(
        ITensorSource source, ModelConfig config, Func<WeightSpec, Device> placement, ScalarType type, QuantizedWeights? quantized = null)
    {
        var specs = HuggingFaceWeightNames.Of(config).ToList();
        Check(source, config, specs);
        return Make(specs, spec =>
        {
            if (quantized is not null && QuantizedLoader.TryRead(source, spec, type, quantized) is { } blocks) return blocks.to(placement(spec));
            using var stored = source.ReadTensor(spec.Name);
            return stored.to(type, placement(spec), copy: true);
        });
    }

    /// <summary>
    /// Draws all weights: matrices from a normal distribution of the config's initializer range, norms one, biases zero. The
    /// same seed gives the same weights on every device and in every type, up to the type's rounding.
    /// </summary>
    public static Dictionary<string, Tensor> Draw(ModelConfig config, ulong seed, Device device, ScalarType type)
    {
        using var generator = new Generator(seed, CPU);
        return Make(HuggingFaceWeightNames.Of(config), spec =>
        {
            using var drawn = spec.Kind switch
            {
                WeightKind.Norm => ones(spec.Shape, float32),
                WeightKind.Bias or WeightKind.OffsetNorm => zeros(spec.Shape, float32),
                _ => randn(spec.Shape, float32, generator: generator).TimesInPlace(config.InitializerRange),
            };
            return drawn.to(type, device, copy: true);
        });
    }

    private static Dictionary<string, Tensor> Make(IEnumerable<WeightSpec> specs, Func<WeightSpec, Tensor> make)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            using var noGradients = no_grad();
            using var scope = NewDisposeScope();
            foreach (var spec in specs) tensors.Add(spec.Name, make(spec).DetachFromDisposeScope());
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    private static void Check(ITensorSource source, ModelConfig config, List<WeightSpec> specs)
    {
        var known = specs.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        var missing = known.Where(name => !source.Tensors.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        var unexpected = source.Tensors.Keys.Where(name => !known.Contains(name) && !HuggingFaceWeightNames.MayBeIgnored(name, config))
            .Order(StringComparer.Ordinal).ToList();
        var wrong = new List<string>();
        foreach (var spec in specs)
        {
            if (!source.Tensors.TryGetValue(spec.Name, out var entry)) continue;
            if (!entry.Shape.SequenceEqual(spec.Shape))
                wrong.Add($"{spec.Name} is [{string.Join(", ", entry.Shape)}], the config asks for [{string.Join(", ", spec.Shape)}]");
            else if (entry.DType is not (TensorDType.F64 or TensorDType.F32 or TensorDType.F16 or TensorDType.BF16))
                wrong.Add($"{spec.Name} has the type {entry.DType.FileName()}, not one of F64, F32, F16, BF16");
        }
        if (missing.Count + unexpected.Count + wrong.Count > 0) throw new WeightsMismatchException(source.Path, missing, unexpected, wrong);
    }
}
