using System.Globalization;
using Meft.Core.Errors;

namespace Meft.Core.Configuration;

/// <summary>Which layers are adapted: all of them, every few, the last few, the last share of them, or those with the given absolute indices.</summary>
public abstract record LayerSelection
{
    /// <summary>What a selection looks like, for error texts.</summary>
    public const string Allowed = "all, every:N or last:N with N at least 1 (for example every:3, last:15), last:N% with N from 1 to 100 (for example last:20%), or a list of distinct layer indices from 0 (for example [3, 4, 20])";

    private LayerSelection()
    {
    }

    /// <summary>The absolute indices in a model of the given depth, ascending.</summary>
    /// <exception cref="InvalidInputException">The model has fewer layers than the selection asks for.</exception>
    public abstract IReadOnlyList<int> Resolve(int layerCount);

    /// <summary>The selection that a word names: <c>all</c>, <c>every:N</c>, <c>last:N</c>, <c>last:N%</c>; null where it is none of these.</summary>
    public static LayerSelection? OfWord(string text)
    {
        if (text == "all") return new All();
        if (After("every:", text) is { } step) return Positive(step) is { } n ? new Every(n) : null;
        if (After("last:", text) is not { } last) return null;
        if (!last.EndsWith('%')) return Positive(last) is { } count ? new Last(count) : null;
        return Positive(last[..^1]) is { } percent and <= 100 ? new LastShare(percent) : null;
    }

    /// <summary>Every layer.</summary>
    public sealed record All : LayerSelection
    {
        /// <inheritdoc/>
        public override IReadOnlyList<int> Resolve(int layerCount) => [.. Enumerable.Range(0, layerCount)];

        /// <inheritdoc/>
        public override string ToString() => "all";
    }

    /// <summary>Every N-th layer, counted from the last one, which is always among them: layers spread over the whole depth.</summary>
    /// <param name="Step">N, from 1.</param>
    public sealed record Every(int Step) : LayerSelection
    {
        /// <summary>N, from 1.</summary>
        public int Step { get; init; } = Step > 0 ? Step : throw new ArgumentOutOfRangeException(nameof(Step), Step, "at least 1");

        /// <inheritdoc/>
        public override IReadOnlyList<int> Resolve(int layerCount) =>
            [.. Enumerable.Range(0, layerCount).Where(layer => (layerCount - 1 - layer) % Step == 0)];

        /// <inheritdoc/>
        public override string ToString() => $"every:{Step}";
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
        new(problem, "method.layers", $"all, every:N, last:1 to last:{layerCount}, last:N%, or indices 0 to {layerCount - 1}");

    private static string? After(string prefix, string text) => text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;

    private static int? Positive(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}
