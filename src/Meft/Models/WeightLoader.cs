using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Models.Quantized;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Makes the tensors of a model: read from a checkpoint, or drawn at random.</summary>
internal static class WeightLoader
{
    /// <summary>The weights of a model in the form they will be held in; known before any is read.</summary>
    /// <param name="source">Where they will be read from.</param>
    /// <param name="config">The model's config.</param>
    /// <param name="type">The type of plain weights.</param>
    /// <param name="quantized">Learns which weights are held in blocks; null: none is.</param>
    /// <exception cref="WeightsMismatchException">Tensors are missing, unexpected or of a wrong shape or type.</exception>
    /// <exception cref="Core.Errors.InvalidInputException">The head is tied and the checkpoint has another one.</exception>
    public static IReadOnlyList<HeldWeight> Plan(ITensorSource source, ModelConfig config, ScalarType type, QuantizedWeights? quantized)
    {
        if (WeightsDifference.Between(source, config) is { } difference) throw new WeightsMismatchException(source.Path, difference);
        if (config.TiedEmbeddings) TiedHead.RequireCopy(source);
        var weights = new List<HeldWeight>();
        foreach (var spec in HuggingFaceWeightNames.Of(config))
        {
            var blocks = quantized?.LayoutOf(source, spec);
            if (blocks is { } layout) quantized!.Add(spec.Name, layout);
            weights.Add(new HeldWeight(spec, blocks is null ? type : ScalarType.Byte, blocks));
        }
        return weights;
    }

    /// <summary>
    /// Reads all weights of a model, in the order in which they lie in the files, each into the tensor that it stays in (<see cref="WeightReader"/>).
    /// </summary>
    /// <param name="source">Where they are read from.</param>
    /// <param name="weights">What <see cref="Plan"/> has found.</param>
    /// <param name="type">The type of plain weights.</param>
    /// <param name="make">Makes the tensor of a weight; it is filled here, and freed where reading fails.</param>
    /// <returns>The tensors by name, in the order of <paramref name="weights"/>.</returns>
    /// <exception cref="Core.Errors.InvalidInputException">A weight that is to be quantised is not finite.</exception>
    public static Dictionary<string, Tensor> Read(
        ITensorSource source, IReadOnlyList<HeldWeight> weights, ScalarType type, Func<HeldWeight, Tensor> make)
    {
        using var reader = new WeightReader(source, type);
        var place = source.Tensors.Keys.Index().ToDictionary(t => t.Item, t => t.Index, StringComparer.Ordinal);
        var tensors = Make(weights.OrderBy(weight => place[weight.Spec.Name]).Select(weight => (weight.Spec.Name, weight)), weight =>
        {
            var tensor = make(weight);
            try
            {
                reader.Read(weight, tensor);
                return tensor;
            }
            catch
            {
                tensor.Dispose();
                throw;
            }
        });
        return weights.ToDictionary(weight => weight.Spec.Name, weight => tensors[weight.Spec.Name], StringComparer.Ordinal);
    }

    /// <summary>
    /// Draws all weights: matrices from a normal distribution of the config's initializer range, norms one, biases zero. The
    /// same seed gives the same weights on every device and in every type, up to the type's rounding.
    /// </summary>
    public static Dictionary<string, Tensor> Draw(ModelConfig config, ulong seed, Device device, ScalarType type)
    {
        using var generator = new Generator(seed, CPU);
        return Make(HuggingFaceWeightNames.Of(config).Select(spec => (spec.Name, spec)), spec =>
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

    private static Dictionary<string, Tensor> Make<T>(IEnumerable<(string Name, T Weight)> weights, Func<T, Tensor> make)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            using var noGradients = no_grad();
            using var scope = NewDisposeScope();
            foreach (var (name, weight) in weights) tensors.Add(name, make(weight).DetachFromDisposeScope());
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }
}
