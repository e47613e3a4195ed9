using CsCheck;
using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

public class KeyValueCacheTests
{
    private const double Tolerance = 2e-5;

    private static readonly ModelConfig Sliding = TinyDecoder.Llama with
    {
        Architecture = "Qwen3ForCausalLM",
        QueryKeyNorm = true,
        SlidingWindow = 3,
        SlidingLayers = [true, false],
    };

    private static readonly ModelConfig OneKeyHead = TinyDecoder.Llama with { KeyValueHeadCount = 1, QueryKeyValueBias = true };

    [Fact]
    public void Tokens_fed_piece_by_piece_give_what_they_give_at_once()
    {
        using Decoder llama = TinyDecoder.Create(TinyDecoder.Llama), sliding = TinyDecoder.Create(Sliding), one = TinyDecoder.Create(OneKeyHead);
        // A step brings each row 0 to 4 tokens; some brings one each, as when generating.
        Gen.Select(Gen.Int[0, 2].Select(i => new[] { llama, sliding, one }[i]), Gen.Int[1, 4], Gen.Int[1, 5], Gen.Int[0, 1 << 20]).Sample((decoder, rows, steps, seed) =>
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var random = new Random(seed);
            int[][] counts = [.. Enumerable.Range(0, steps).Select(step =>
                Enumerable.Range(0, rows).Select(_ => step % 2 == 1 ? 1 : random.Next(step == 0 ? 1 : 0, 5)).ToArray())];
            counts = [.. counts.Where(step => step.Sum() > 0)];
            long[][] ids = [.. Enumerable.Range(0, rows).Select(row =>
                counts.SelectMany(step => Enumerable.Range(0, step[row])).Select(_ => (long)random.Next(48)).ToArray())];

            using var cache = new KeyValueCache(decoder.Config, rows, ids.Max(row => row.Length), CPU, float32);
            var pieces = Enumerable.Range(0, rows).Select(_ => new List<Tensor>()).ToArray();
            foreach (var step in counts)
            {
                using var layout = cache.Next(step);
                var fed = layout.Starts.SelectMany((start, row) => ids[row].Skip(start).Take(step[row])).ToArray();
                var h = decoder.Forward(tensor(fed), layout, cache);
                for (var row = 0; row < rows; row++) pieces[row].Add(h.narrow(0, layout.Offsets[row], step[row]));
            }
            for (var row = 0; row < rows; row++)
            {
                using var whole = TokenLayout.FromLengths([ids[row].Length], CPU);
                TinyModel.Difference(cat(pieces[row], 0), decoder.Forward(tensor(ids[row]), whole)).ShouldBeLessThan(Tolerance);
            }
        }, iter: 150, threads: 1);
    }

    [Fact]
    public void A_removed_row_leaves_the_others_as_they_were()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var cache = new KeyValueCache(decoder.Config, 3, 8, CPU, float32);
        Feed(decoder, cache, [1, 2, 3, 4, 5, 6, 7], [2, 4, 1]);
        cache.RemoveRow(0);
        cache.Lengths.ShouldBe([1, 4]);
        var h = Feed(decoder, cache, [8, 9], [1, 1]);
        TinyModel.Difference(h[0], Alone(decoder, [7, 8])).ShouldBeLessThan(Tolerance);
        TinyModel.Difference(h[1], Alone(decoder, [3, 4, 5, 6, 9])).ShouldBeLessThan(Tolerance);
    }

    [Fact]
    public void Selected_rows_continue_from_their_sources()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var cache = new KeyValueCache(decoder.Config, 3, 8, CPU, float32);
        Feed(decoder, cache, [1, 2, 3, 4, 5, 6, 7], [2, 4, 1]);
        cache.SelectRows([1]);
        cache.SelectRows([0, 0]);
        cache.Lengths.ShouldBe([4, 4]);
        Feed(decoder, cache, [8, 9], [1, 1]);
        cache.SelectRows([1, 0, 1]);
        var h = Feed(decoder, cache, [10, 11, 12], [1, 1, 1]);
        TinyModel.Difference(h[0], Alone(decoder, [3, 4, 5, 6, 9, 10])).ShouldBeLessThan(Tolerance);
        TinyModel.Difference(h[1], Alone(decoder, [3, 4, 5, 6, 8, 11])).ShouldBeLessThan(Tolerance);
        TinyModel.Difference(h[2], Alone(decoder, [3, 4, 5, 6, 9, 12])).ShouldBeLessThan(Tolerance);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(40)]
    public void No_step_and_no_row_that_leaves_copies_what_is_there(int length)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var cache = new KeyValueCache(decoder.Config, 3, 60, CPU, float32);
        Feed(decoder, cache, [.. Enumerable.Range(0, 3 * length).Select(i => (long)i % 48)], [length, length, length]);
        for (var step = 0; step < 5; step++) Feed(decoder, cache, [1, 2, 3], [1, 1, 1]);
        cache.RemoveRow(0);
        cache.SelectRows([1, 0]);
        Feed(decoder, cache, [4, 5], [1, 1]);
        cache.CopiedBytes.ShouldBe(0);
        // A row that goes on twice is copied once: keys and values of both layers' two heads, 8 float32 a token.
        cache.SelectRows([1, 1]);
        cache.CopiedBytes.ShouldBe(2 * 2 * 2 * 8 * 4 * (length + 6));
    }

    [Fact]
    public void Misuse_is_refused()
    {
        using var noGradients = no_grad();
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var cache = new KeyValueCache(decoder.Config, 2, 3, CPU, float32);
        Should.Throw<ArgumentException>(() => Feed(decoder, cache, [1, 2, 3, 4, 5], [4, 1])).Message.ShouldContain("row 0 outgrows");
        using var elsewhere = TokenLayout.FromLengths([1, 1], CPU, starts: [1, 0]);
        using var ids = tensor(new long[] { 1, 2 });
        Should.Throw<ArgumentException>(() => decoder.Forward(ids, elsewhere, cache)).Message.ShouldContain("row 0 begins at 1");
        Should.Throw<ArgumentException>(() => cache.SelectRows([2]));
        Should.Throw<ArgumentOutOfRangeException>(() => cache.RemoveRow(2));
    }

    private static Tensor Feed(Decoder decoder, KeyValueCache cache, long[] ids, int[] counts)
    {
        using var layout = cache.Next(counts);
        using var input = tensor(ids);
        return decoder.Forward(input, layout, cache);
    }

    private static Tensor Alone(Decoder decoder, long[] ids)
    {
        using var layout = TokenLayout.FromLengths([ids.Length], CPU);
        using var input = tensor(ids);
        return decoder.Forward(input, layout)[^1];
    }
}
