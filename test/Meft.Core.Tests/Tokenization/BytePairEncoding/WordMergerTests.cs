using CsCheck;
using Meft.Core.Tokenization.BytePairEncoding;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.BytePairEncoding;

public class WordMergerTests
{
    /// <summary>Tokens: the letters a b c, and merges of two earlier tokens each, with the spelling of both.</summary>
    private static readonly Gen<List<(string Left, string Right)>> Merges =
        Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[0, 25].Select(picks =>
        {
            List<string> tokens = ["a", "b", "c"];
            var merges = new List<(string, string)>();
            foreach (var (left, right) in picks)
            {
                var pair = (tokens[left % tokens.Count], tokens[right % tokens.Count]);
                if (merges.Contains(pair)) continue;
                merges.Add(pair);
                if (!tokens.Contains(pair.Item1 + pair.Item2)) tokens.Add(pair.Item1 + pair.Item2);
            }
            return merges;
        });

    private static readonly Gen<string> Words = Gen.Char["abc"].Array[1, 200].Select(letters => new string(letters));

    [Fact]
    public void Gives_what_merging_the_lowest_rank_first_gives() =>
        Gen.Select(Merges, Words).Sample((merges, word) =>
        {
            var (vocabulary, model) = Build(merges, withBoundaries: false);
            Encode(model, word).Select(id => vocabulary.TokenOf(id)).ShouldBe(MergeNaively(merges, word));
        });

    [Fact]
    public void Cutting_at_boundaries_changes_nothing() =>
        Gen.Select(Merges, Words).Sample((merges, word) =>
            Encode(Build(merges, withBoundaries: true).Model, word).ShouldBe(Encode(Build(merges, withBoundaries: false).Model, word)));

    [Fact]
    public void A_long_run_of_one_letter_merges_in_pairs()
    {
        var (vocabulary, model) = Build([("a", "a"), ("aa", "aa")], withBoundaries: true);
        var tokens = Encode(model, new string('a', 200_003));
        tokens.Count.ShouldBe(50_002);
        tokens[..50_000].ShouldAllBe(id => vocabulary.TokenOf(id) == "aaaa");
        tokens[50_000..].Select(id => vocabulary.TokenOf(id)).ShouldBe(["aa", "a"]);
    }

    private static List<string> MergeNaively(List<(string Left, string Right)> merges, string word)
    {
        var symbols = word.Select(letter => letter.ToString()).ToList();
        while (true)
        {
            var (rank, position) = (int.MaxValue, -1);
            for (var i = 0; i + 1 < symbols.Count; i++)
            {
                var candidate = merges.IndexOf((symbols[i], symbols[i + 1]));
                if (candidate >= 0 && candidate < rank) (rank, position) = (candidate, i);
            }
            if (position < 0) return symbols;
            symbols[position] += symbols[position + 1];
            symbols.RemoveAt(position + 1);
        }
    }

    private static (Vocabulary Vocabulary, BytePairModel Model) Build(List<(string Left, string Right)> merges, bool withBoundaries)
    {
        var ids = new Dictionary<string, int> { ["a"] = 0, ["b"] = 1, ["c"] = 2 };
        var table = new MergeTable(merges.Count);
        var boundaries = new MergeBoundaries();
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            ids.TryAdd(left + right, ids.Count);
            table.Set(ids[left], ids[right], new Merge(rank, ids[left + right]));
            boundaries.Add(left + right);
        }
        var vocabulary = new Vocabulary(ids);
        var symbols = new SymbolReader(vocabulary, byteTokens: null, unknownToken: null, fuseUnknown: false);
        return (vocabulary, new BytePairModel(symbols, table, withBoundaries ? boundaries : null, ignoreMerges: false));
    }

    private static List<int> Encode(BytePairModel model, string word)
    {
        var output = new List<int>();
        model.Encode(word, output);
        return output;
    }
}
