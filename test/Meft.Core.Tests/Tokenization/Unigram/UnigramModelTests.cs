using CsCheck;
using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Unigram;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.Unigram;

public class UnigramModelTests
{
    private const int Unknown = 0;

    private static readonly Gen<(string Piece, float Score)[]> GenPieces =
        Gen.Select(Gen.Char["abé"].Array[1, 4], Gen.Int[-40, -1]).Select((text, score) => (Piece: new string(text), Score: score / 4f)).Array[0, 12]
            .Select(pieces => pieces.DistinctBy(p => p.Piece).ToArray());

    [Fact]
    public void The_cut_has_the_largest_sum_of_all_cuts() =>
        Gen.Select(GenPieces, Gen.Char["abé日"].Array[0, 8]).Sample((pieces, text) =>
        {
            var model = Create(pieces);
            var ids = new List<int>();
            model.Encode(new string(text), ids);
            var score = ids.Where(id => id != Unknown).Sum(id => pieces[id - 1].Score);
            var spelt = ids.Where(id => id != Unknown).Sum(id => pieces[id - 1].Piece.Length);
            var penalty = pieces.Select(p => p.Score).DefaultIfEmpty(0).Min() - 10;
            (score + (text.Length - spelt) * penalty).ShouldBe(BestSum(new string(text), pieces, penalty), 1e-4);
        });

    [Fact]
    public void Prefixes_are_those_that_a_search_of_all_pieces_finds() =>
        Gen.Select(GenPieces, Gen.Char["abé"].Array[0, 6]).Sample((pieces, text) =>
        {
            var table = new PieceTable(pieces.Select((p, i) => (p.Piece, i)));
            var found = new List<(int, int)>();
            table.FindPrefixes(new string(text), found);
            found.ShouldBe(pieces.Select((p, i) => (p.Piece.Length, i)).Where(p => new string(text).StartsWith(pieces[p.i].Piece, StringComparison.Ordinal)).OrderBy(p => p.Length));
        });

    [Fact]
    public void A_document_without_spaces_is_no_trap()
    {
        var ids = new List<int>();
        Create([("a", -1), ("aa", -1.5f), ("aaa", -1.6f)]).Encode(new string('a', 300_000), ids);
        ids.Count.ShouldBe(100_000);
    }

    private static UnigramModel Create((string Piece, float Score)[] pieces)
    {
        var vocabulary = new Vocabulary(pieces.Select((p, i) => (p.Piece, i)).Append(("<unk>", -1)).ToDictionary(p => p.Item1, p => p.Item2 + 1));
        return new UnigramModel(vocabulary, [0, .. pieces.Select(p => p.Score)], id => id != Unknown, fallsBackToBytes: false, Unknown);
    }

    /// <summary>Tries every cut.</summary>
    private static float BestSum(string text, (string Piece, float Score)[] pieces, float penalty)
    {
        if (text.Length == 0) return 0;
        var ways = pieces.Where(p => text.StartsWith(p.Piece, StringComparison.Ordinal)).Select(p => p.Score + BestSum(text[p.Piece.Length..], pieces, penalty));
        return ways.Append(penalty + BestSum(text[1..], pieces, penalty)).Max();
    }
}
