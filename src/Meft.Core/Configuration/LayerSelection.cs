using System.Globalization;
using Meft.Core.Errors;

namespace Meft.Core.Configuration;

/// <summary>Which layers are adapted: all of them, the last few, the last share of them, or those with the given absolute indices.</summary>
public abstract record LayerSelection
{
    /// <summary>What a selection looks like, for error texts.</summary>
    public const string Allowed = "all, last:N with N at least 1 (for example last:15), last:N% with N from 1 to 100 (for example last:20%), or a list of distinct layer indices from 0 (for example [3, 4, 20])";

    private LayerSelection()
    {
    }

    /// <summary>The absolute indices in a model of the given depth, ascending.</summary>
    /// <exception cref="InvalidInputException">The model has fewer layers than the selection asks for.</exception>
    public abstract IReadOnlyList<int> Resolve(int layerCount);

    /// <summary>The selection that a word names: <c>all</c>, <c>last:N</c>, <c>last:N%</c>; null where it is none of these.</summary>
    public static LayerSelection? OfWord(string text)
    {
        const string Prefix = "last:";
        if (text == "all") return new All();
        if (!text.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var isShare = text.EndsWith('%');
        var digits = isShare ? text[Prefix.Length..^1] : text[Prefix.Length..];
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count == 0) return null;
        if (!isShare) return new Last(count);
        return count <= 100 ? new LastShare(count) : null;
    }

    /// <summary>Every layer.</summary>
    public sealed record All : LayerSelection
    {
        /// <inheritdoc/>
        public override IReadOnlyList<int> Resolve(int layerCount) => [.. Enumerable.Range(0, layerCount)];

        /// <inheritdoc/>
        public override string ToString() => "all";
    }

    /// <summary>The last layers, those next to the output.</summary>
    /// <param name="Count">How many.</param>
    public sealed record Last(int Count) : LayerSelection
    {
        /// <inheritdoc/>
        public override IReadOnlyList<int> Resolve(int layerCount) => Count <= layerCount
            ? [.. Enumerable.Range(layerCount - Count, Count)]
            : throw Refusal($"last:{Count} asks for more layers than the model's {layerCount}", layerCount);

        /// <inheritdoc/>
        public override string ToString() => $"last:{Count}";
    }

    /// <summary>The last share of the layers, whatever the model's depth: the whole number nearest to it, at least one layer.</summary>
    /// <param name="Percent">From 1 to 100.</param>
    public sealed record LastShare(int Percent) : LayerSelection
    {
        /// <inheritdoc/>
        public override IReadOnlyList<int> Resolve(int layerCount)
        {
            var count = Math.Max(1, (layerCount * Percent + 50) / 100);
            return [.. Enumerable.Range(layerCount - count, count)];
        }

        /// <inheritdoc/>
        public override string ToString() => $"last:{Percent}%";
    }

    /// <summary>Layers by index.</summary>
    /// <param name="Indices">Distinct absolute indices, ascending.</param>
    public sealed record Listed(ValueList<int> Indices) : LayerSelection
    {
        /// <inheritdoc/>
        public override IReadOnlyList<int> Resolve(int layerCount) => Indices[^1] < layerCount
            ? Indices
            : throw Refusal($"layer {Indices[^1]} is not in the model, which has {layerCount} layers", layerCount);

        /// <inheritdoc/>
        public override string ToString() => Indices.ToString();
    }

    private static InvalidInputException Refusal(string problem, int layerCount) =>
        new(problem, "method.layers", $"all, last:1 to last:{layerCount}, or indices 0 to {layerCount - 1}");
}
