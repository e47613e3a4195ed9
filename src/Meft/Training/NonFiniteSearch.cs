using Meft.Core.Data;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>Where a number that is not finite first appears in a forward pass.</summary>
/// <param name="Layer">The layer whose output it is; −1 for the embedding, the layer count for the logits.</param>
/// <param name="LayerCount">Layers of the model.</param>
/// <param name="Rows">The rows that hold it.</param>
internal sealed record NonFinitePlace(int Layer, int LayerCount, IReadOnlyList<TokenRow> Rows)
{
    public override string ToString() => Layer < 0 ? "the embedding" : Layer < LayerCount ? $"layer {Layer}" : "the head";
}

/// <summary>Runs a micro-batch again, layer by layer, until a number that is not finite appears.</summary>
internal static class NonFiniteSearch
{
    public static NonFinitePlace Find(Decoder decoder, IDecoderAdapter? adapter, MicroBatch batch)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var layers = decoder.Config.LayerCount;
        var h = decoder.Embed(batch.Ids);
        for (var layer = -1; layer < layers; layer++)
        {
            if (layer >= 0) h = decoder.ForwardLayer(layer, h, batch.Layout, adapter: adapter);
            if (RowsWith(h, batch) is { Count: > 0 } rows) return new NonFinitePlace(layer, layers, rows);
        }
        return new NonFinitePlace(layers, layers, []);
    }

    // h [T, D] → the rows with a number that is not finite.
    private static List<TokenRow> RowsWith(Tensor h, MicroBatch batch)
    {
        var bad = h.isfinite().all(1).logical_not().cpu().data<bool>().ToArray();
        return [.. batch.Rows.Where((row, i) => bad.AsSpan(batch.Layout.Offsets[i], row.Length).Contains(true))];
    }
}
