using Meft.Core.Formats.HuggingFace;
using Shouldly;

namespace Meft.Tests.Models;

/// <summary>
/// The forward pass of a decoder written down a second time, as transformers defines it: one row, one number after another, in float64, from nothing but the
/// fields of the config and the weights by their names. It shares no code with Meft's models, so that a wrong scale, window, order or angle there is seen.
/// </summary>
internal sealed class ReferenceDecoder(ModelConfig config, Dictionary<string, double[]> weights)
{
    private const string Embedding = "model.embed_tokens";

    private readonly HashSet<string> _read = [];

    /// <summary>The weights that no row has needed so far.</summary>
    public IEnumerable<string> Unread => weights.Keys.Except(_read);

    /// <summary>The logits of each token of one row.</summary>
    public double[][] Logits(int[] row)
    {
        double[][] hidden = [.. row.Select(Embed)];
        for (var layer = 0; layer < config.LayerCount; layer++) hidden = Layer(layer, hidden);
        return [.. hidden.Select(Head)];
    }

    private double[] Embed(int id)
    {
        var table = Weight($"{Embedding}.weight", config.VocabularySize * config.HiddenSize);
        return [.. table.Skip(id * config.HiddenSize).Take(config.HiddenSize).Select(x => x * config.Multipliers.Embedding)];
    }

    private double[] Head(double[] hidden)
    {
        var logits = Map(config.TiedEmbeddings ? Embedding : "lm_head", Norm("model.norm", hidden), config.VocabularySize, biased: false);
        return [.. logits.Select(logit => Capped(logit / config.Multipliers.LogitDivisor, config.SoftCaps.Logits))];
    }

    // Llama's post_attention_layernorm stands before the feed-forward block; where blocks have norms behind them, that name is attention's.
    private double[][] Layer(int layer, double[][] hidden)
    {
        var name = $"model.layers.{layer}";
        var before = config.NormPlacement is NormPlacement.Before or NormPlacement.Around;
        var behind = config.NormPlacement is NormPlacement.After or NormPlacement.Around;
        var beforeFeedForward = behind ? "pre_feedforward_layernorm" : "post_attention_layernorm";

        var attended = Attention(layer, $"{name}.self_attn", [.. hidden.Select(h => before ? Norm($"{name}.input_layernorm", h) : h)]);
        var result = new double[hidden.Length][];
        for (var t = 0; t < hidden.Length; t++)
        {
            var h = Added(hidden[t], behind ? Norm($"{name}.post_attention_layernorm", attended[t]) : attended[t]);
            var y = FeedForward($"{name}.mlp", before ? Norm($"{name}.{beforeFeedForward}", h) : h);
            result[t] = Added(h, behind ? Norm($"{name}.post_feedforward_layernorm", y) : y);
        }
        return result;
    }

    // x, a vector a token of the row → attention's result for each.
    private double[][] Attention(int layer, string name, double[][] x)
    {
        // As layer_types has it: a layer slides or is full, and those that slide may have a rope of their own.
        var slides = config.SlidingWindow is not null && (config.SlidingLayers is null || config.SlidingLayers[layer]);
        var window = slides ? config.SlidingWindow!.Value : x.Length;
        var rope = slides && config.LocalRope is not null ? config.LocalRope : config.Rope;
        var turns = config.RotaryLayers is null || config.RotaryLayers[layer];
        int size = config.HeadSize, queriesPerKey = config.HeadCount / config.KeyValueHeadCount;

        double[][][] queries = new double[x.Length][][], keys = new double[x.Length][][], values = new double[x.Length][][];
        for (var t = 0; t < x.Length; t++)
        {
            var (q, k, v) = Project(name, x[t]);
            queries[t] = Heads($"{name}.q_norm", q);
            keys[t] = Heads($"{name}.k_norm", k);
            values[t] = [.. v.Chunk(size)];
            if (!turns) continue;
            foreach (var head in queries[t].Concat(keys[t])) ReferenceRotary.Turn(head, rope, t, x.Length);
        }

        var result = new double[x.Length][];
        for (var t = 0; t < x.Length; t++)
        {
            var mixed = new double[config.HeadCount * size];
            for (var head = 0; head < config.HeadCount; head++)
            {
                var shared = head / queriesPerKey;
                double[] powers = new double[x.Length];
                for (var j = 0; j < x.Length; j++)
                {
                    // Query i sees key j where i - window < j <= i.
                    if (t - window < j && j <= t) powers[j] = Math.Exp(Score(queries[t][head], keys[j][shared]));
                }
                var sum = powers.Sum();
                for (var j = 0; j < x.Length; j++)
                    for (var i = 0; i < size; i++) mixed[head * size + i] += powers[j] / sum * values[j][shared][i];
            }
            result[t] = Map($"{name}.o_proj", mixed, config.HiddenSize, config.AttentionOutputBias);
        }
        return result;
    }

    private double Score(double[] query, double[] key)
    {
        var product = 0.0;
        for (var i = 0; i < query.Length; i++) product += query[i] * key[i];
        var scale = config.Multipliers.Attention ?? 1 / Math.Sqrt(config.HeadSize);
        return Capped(product * scale, config.SoftCaps.Attention);
    }

    private (double[] Queries, double[] Keys, double[] Values) Project(string name, double[] x)
    {
        int queries = config.HeadCount * config.HeadSize, keys = config.KeyValueHeadCount * config.HeadSize;
        double[] Mapped(string module, int outputs) => Map($"{name}.{module}", x, outputs, config.QueryKeyValueBias);
        if (!config.FusedProjections) return (Mapped("q_proj", queries), Mapped("k_proj", keys), Mapped("v_proj", keys));
        var all = Mapped("qkv_proj", queries + 2 * keys);
        return (all[..queries], all[queries..(queries + keys)], all[(queries + keys)..]);
    }

    // Queries or keys of one token, head after head → its heads, where the family norms them all at once or each on its own.
    private double[][] Heads(string norm, double[] x)
    {
        if (config.QueryKeyNorm && config.QueryKeyNormOverHeads) x = Norm(norm, x);
        double[][] heads = [.. x.Chunk(config.HeadSize)];
        return config.QueryKeyNorm && !config.QueryKeyNormOverHeads ? [.. heads.Select(head => Norm(norm, head))] : heads;
    }

    private double[] FeedForward(string name, double[] x)
    {
        var inner = config.IntermediateSize;
        double[] Mapped(string module, int outputs) => Map($"{name}.{module}", x, outputs, config.FeedForwardBias);
        var both = config.FusedProjections ? Mapped("gate_up_proj", 2 * inner) : [.. Mapped("gate_proj", inner), .. Mapped("up_proj", inner)];
        var product = new double[inner];
        for (var i = 0; i < inner; i++) product[i] = Activated(both[i]) * both[inner + i];
        return Map($"{name}.down_proj", product, config.HiddenSize, config.FeedForwardBias);
    }

    private double Activated(double x) => config.Activation switch
    {
        Activation.Silu => x / (1 + Math.Exp(-x)),
        Activation.Gelu => x / 2 * (1 + ErrorFunction(x / Math.Sqrt(2))),
        Activation.GeluTanh => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
        _ => throw new NotSupportedException($"no definition of {config.Activation}"),
    };

    // 2/√π · e^(-x²) · Σ over n of 2ⁿ · x^(2n + 1) / (1 · 3 · … · (2n + 1)), a series whose terms all have one sign.
    private static double ErrorFunction(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        double term = x, sum = x;
        for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    private double[] Norm(string name, double[] x)
    {
        var weight = Weight($"{name}.weight", x.Length);
        var added = config.NormScaling == NormScaling.OnePlusWeight ? 1 : 0;
        var scale = 1 / Math.Sqrt(x.Sum(value => value * value) / x.Length + config.NormEpsilon);
        return [.. x.Select((value, i) => value * scale * (added + weight[i]))];
    }

    private double[] Map(string name, double[] x, int outputs, bool biased)
    {
        var matrix = Weight($"{name}.weight", outputs * x.Length);
        var bias = biased ? Weight($"{name}.bias", outputs) : new double[outputs];
        var y = new double[outputs];
        for (var o = 0; o < outputs; o++)
        {
            y[o] = bias[o];
            for (var i = 0; i < x.Length; i++) y[o] += matrix[o * x.Length + i] * x[i];
        }
        return y;
    }

    // A block's result goes back to the hidden state.
    private double[] Added(double[] h, double[] y) => [.. h.Select((value, i) => value + config.Multipliers.Residual * y[i])];

    private static double Capped(double x, double? cap) => cap is { } bound ? bound * Math.Tanh(x / bound) : x;

    private double[] Weight(string name, int count)
    {
        _read.Add(name);
        weights[name].Length.ShouldBe(count, name);
        return weights[name];
    }
}
