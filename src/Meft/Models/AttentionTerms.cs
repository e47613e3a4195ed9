using Meft.Core.Formats.HuggingFace;

namespace Meft.Models;

/// <summary>How a layer's attention weighs its keys: softmax(c · tanh(scale · q·k / c)) over the keys that are seen.</summary>
/// <param name="Scale">What products of queries and keys are multiplied by.</param>
/// <param name="SoftCap">c; null: scores have no bound.</param>
/// <param name="Window">How many last tokens a token sees, itself included; null for all of its row.</param>
internal readonly record struct AttentionTerms(double Scale, double? SoftCap, int? Window)
{
    /// <summary>Those of a layer.</summary>
    public static AttentionTerms Of(ModelConfig config, int layer) => new(config.AttentionScale, config.SoftCaps.Attention, config.WindowOf(layer));
}
