using Meft.Core.Errors;
using Meft.Evaluation;
using Meft.Tests.Models;
using Shouldly;

namespace Meft.Tests.Evaluation;

public class BatchedScoringTests
{
    private static readonly ScoredRow[] Rows =
        [new([1, 5]), new([9, 2, 7, 3, 3, 8, 1]), new([4, 4, 4]), new([6, 7, 8, 9], [-100, 7, -100, 9]), new([2, 1, 2, 1, 2])];

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(1000)]
    public void Scores_come_in_the_order_of_the_rows_whatever_the_batches(int tokensAtOnce)
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        var scorer = new SequenceScorer(decoder);
        var done = new List<int>();
        var scores = scorer.ScoreInBatches(Rows, tokensAtOnce, done.Add, TestContext.Current.CancellationToken);
        for (var i = 0; i < Rows.Length; i++)
        {
            var alone = scorer.Score([Rows[i]])[0];
            scores[i].Tokens.ShouldBe(Rows[i].Ids.Count);
            scores[i].TokenNll.Count.ShouldBe(alone.TokenNll.Count);
            scores[i].Nll.ShouldBe(alone.Nll, 1e-4);
        }
        done[^1].ShouldBe(Rows.Length);
        done.ShouldBe(done.Order());
    }

    [Fact]
    public void A_wrong_row_is_named_before_any_is_scored()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        var scored = 0;
        Should.Throw<InvalidInputException>(() => new SequenceScorer(decoder).ScoreInBatches([.. Rows, new([900])], progress: _ => scored++))
            .Message.ShouldContain("row 5 holds the id 900");
        scored.ShouldBe(0);
    }

    [Fact]
    public void It_stops_between_two_batches()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var source = new CancellationTokenSource();
        var scored = 0;
        Should.Throw<OperationCanceledException>(() => new SequenceScorer(decoder).ScoreInBatches(Rows, 1, _ =>
        {
            scored++;
            source.Cancel();
        }, source.Token));
        scored.ShouldBe(1);
    }

    [Fact]
    public void Pieces_of_a_row_are_joined()
    {
        var joined = SequenceScore.Join([new(3, [1f, 2f]), new(2, [4f])]);
        (joined.Tokens, joined.Nll, joined.MeanNll).ShouldBe((5, 7, 7 / 3.0));
        joined.TokenNll.ShouldBe([1f, 2f, 4f]);
    }
}
