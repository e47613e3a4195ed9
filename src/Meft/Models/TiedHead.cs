using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Models;

/// <summary>
/// Holds the copy of a tied head that a checkpoint may have to the embedding. Where they differ, versions of transformers differ too: older ones tie them and drop
/// the stored head, version 5 unties them. Neither is done here unasked. A .gguf file may hold the two in blocks of different types: then they are one matrix where
/// they differ by no more than rounding to few bits does.
/// </summary>
internal static unsafe class TiedHead
{
    private const string Head = HuggingFaceWeightNames.Head, Embedding = HuggingFaceWeightNames.Embedding;

    private const int NumbersAtOnce = 1 << 18;

    /// <summary>The root of the mean square of rounding to two bits is about a third of that of the weights; matrices that have nothing to do with each other lie 1.4 apart.</summary>
    private const double MostRounding = 0.6;

    /// <summary>Whether a tensor is read for the comparison.</summary>
    public static bool IsCompared(string name, ITensorSource source, ModelConfig config) =>
        name is Head or Embedding && config.TiedEmbeddings && source.Tensors.ContainsKey(Head);

    /// <exception cref="InvalidInputException">The stored head is not the embedding; the first difference is told.</exception>
    public static void RequireCopy(ITensorSource source)
    {
        if (!source.Tensors.TryGetValue(Head, out var entry)) return;
        var isRounded = source is IBlockSource blocks && blocks.BlocksOf(Head) != blocks.BlocksOf(Embedding);
        double differences = 0, squares = 0;
        var width = (int)entry.RowLength;
        var atOnce = Math.Max(1, NumbersAtOnce / width);
        float[] head = new float[atOnce * width], embedding = new float[atOnce * width];
        fixed (float* first = head, second = embedding)
        {
            for (long row = 0; row < entry.RowCount; row += atOnce)
            {
                var rows = Math.Min(atOnce, entry.RowCount - row);
                source.CopyRows(Head, row, rows, TensorDType.F32, (nint)first);
                source.CopyRows(Embedding, row, rows, TensorDType.F32, (nint)second);
                var count = (int)rows * width;
                if (isRounded)
                {
                    for (var i = 0; i < count; i++)
                    {
                        var difference = (double)head[i] - embedding[i];
                        differences += difference * difference;
                        squares += (double)embedding[i] * embedding[i];
                    }
                    continue;
                }
                var same = head.AsSpan(0, count).CommonPrefixLength(embedding.AsSpan(0, count));
                if (same == count) continue;
                throw Differs(source, $"[{row + same / width}, {same % width}] is {head[same]} and {embedding[same]}");
            }
        }
        if (!(differences <= MostRounding * MostRounding * squares)) throw Differs(source, $"they lie {Math.Sqrt(differences / squares):0.0#} times the embedding's size apart");
    }

    private static InvalidInputException Differs(ITensorSource source, string how) => new(
        $"config.json ties the head to the embedding (tie_word_embeddings), and {source.NameInFile(Head)} is another matrix than {source.NameInFile(Embedding)}: {how}",
        source.Path, null, "set tie_word_embeddings to false in config.json to use the stored head, or take it out of the file to use the embedding");
}
