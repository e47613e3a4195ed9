using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>Bytes a token that one operation keeps for the backward pass.</summary>
/// <param name="Operation">The operation and what it keeps.</param>
/// <param name="Bytes">Bytes a token.</param>
public readonly record struct KeptTensor(string Operation, long Bytes);

/// <summary>
/// What autograd keeps of one decoder layer from the forward pass to the backward: an operation a line, in the order of
/// <c>Meft.Models.DecoderLayer</c>. Whoever changes an operation there (fuses it, say) changes its line here; a test holds the
/// list against what the allocator really holds after a forward pass.
/// </summary>
/// <remarks>
/// An operation keeps the inputs that its derivative needs, or its result. A linear map by frozen weights needs nothing but the weights; an
/// addition nothing at all; a product by something that requires no gradient (a norm's weight, a cosine) only that something. Tensors kept by two
/// operations count once. Letters: w bytes an element of the base's type, D hidden size, H·hd and Hkv·hd widths of queries and keys, F width of the
/// feed-forward block.
/// </remarks>
public static class KeptForBackward
{
    private const int Single = sizeof(float);

    /// <summary>The list for a layer whose input requires a gradient.</summary>
    /// <param name="model">The model.</param>
    /// <param name="width">w.</param>
    /// <param name="trained">Whether the base's own weights are trained: then linear maps keep their inputs too.</param>
    /// <param name="onHost">Whether the base computes by kernels of our own over packed tokens, as on a CPU in float32 and bfloat16; they keep their inputs and nothing else.</param>
    public static IEnumerable<KeptTensor> InLayer(ModelConfig model, int width, bool trained, bool onHost)
    {
        long d = model.HiddenSize * (long)width, f = model.IntermediateSize * (long)width;
        long q = (long)model.HeadCount * model.HeadSize * width, kv = (long)model.KeyValueHeadCount * model.HeadSize * width;
        var fused = onHost && !trained;
        var (before, after) = (model.NormPlacement != NormPlacement.After, model.NormPlacement != NormPlacement.Before);
        var kernel = onHost && model.Activation is Activation.Silu or Activation.GeluTanh;
        List<KeptTensor> list = [];
        void Keeps(string operation, long bytes) => list.Add(new(operation, bytes));
        void Norms(string name, int n, int groups = 1, bool inputIsHidden = false) =>
            list.AddRange(Norm(name, n, groups, model.NormScaling, width, trained, fused, inputIsHidden));

        if (before) Norms("attention norm", model.HiddenSize, inputIsHidden: true);
        if (trained && before) Keeps("query, key, value maps: their input", d); // else the hidden state, which is counted elsewhere
        if (model.QueryKeyNorm)
        {
            var (queries, keys) = model.QueryKeyNormOverHeads ? (1, 1) : (model.HeadCount, model.KeyValueHeadCount);
            Norms("query norm", (int)(q / width) / queries, queries);
            Norms("key norm", (int)(kv / width) / keys, keys);
        }
        Keeps("attention: rotated queries", q);
        Keeps("attention: rotated keys", onHost ? kv : q);
        Keeps("attention: values", onHost ? kv : q);
        if (!onHost && model.SoftCaps.Attention is null) Keeps("attention: result and its sums", q + model.HeadCount * (long)Single);
        if (trained) Keeps("output map: its input", q);
        if (after) Norms("attention's post-norm", model.HiddenSize);
        if (before) Norms("feed-forward norm", model.HiddenSize);
        if (trained) Keeps("gate and up maps: their input", d);
        Keeps(kernel ? "activation(gate) · up: the gate" : "activation: the gate", f);
        if (!kernel) Keeps("gate · up: the activated gate", f);
        Keeps("gate · up: up", f);
        if (trained) Keeps("down map: its input", f);
        if (after) Norms("feed-forward's post-norm", model.HiddenSize);
        return list;
    }

    /// <summary>Bytes a token of a layer: the sum of <see cref="InLayer"/>.</summary>
    public static long BytesPerToken(ModelConfig model, int width, bool trained, bool onHost) =>
        InLayer(model, width, trained, onHost).Sum(k => k.Bytes);

    /// <summary>Of the norm before the head.</summary>
    public static long FinalNormBytesPerToken(ModelConfig model, int width, bool trained, bool onHost) =>
        Norm("final norm", model.HiddenSize, 1, model.NormScaling, width, trained, onHost && !trained, inputIsHidden: true).Sum(k => k.Bytes);

    /// <summary>
    /// A root-mean-square norm over groups of n numbers, done in float32. The fused one keeps its input. The other one, of a 16-bit model, keeps the
    /// float32 copy of its input; of a float32 model the input itself. A layer's first norm reads the hidden state, which is counted elsewhere.
    /// </summary>
    private static IEnumerable<KeptTensor> Norm(
        string name, int n, int groups, NormScaling scaling, int width, bool trained, bool fused, bool inputIsHidden)
    {
        if (fused)
        {
            if (!inputIsHidden) yield return new($"{name}: its input", (long)n * groups * width);
            yield break;
        }
        if (width < Single || !inputIsHidden) yield return new($"{name}: its input in float32", (long)n * groups * Single);
        yield return new($"{name}: the scale", (long)groups * Single);
        // A trained weight needs what it multiplies, which is rounded first or not.
        if (trained) yield return new($"{name}: the normed input", (long)n * groups * (scaling == NormScaling.AfterRounding ? width : Single));
    }
}
