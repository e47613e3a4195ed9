using Meft.Core.Evaluation.Metrics;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Metrics;

public class ChoiceScoresTests
{
    [Theory]
    [InlineData(LengthNormalization.None, 6)]
    [InlineData(LengthNormalization.Tokens, 3)]
    [InlineData(LengthNormalization.Bytes, 1.5)]
    public void A_cost_is_a_sum_or_a_mean(LengthNormalization normalization, double expected) =>
        ChoiceScores.Cost(6, tokens: 2, bytes: 4, normalization).ShouldBe(expected);

    [Fact]
    public void The_right_choice_wins_only_where_it_is_likelier_than_all_others()
    {
        ChoiceScores.Accuracy([2, 1, 3], 1).ShouldBe(1);
        ChoiceScores.Accuracy([2, 1, 3], 0).ShouldBe(0);
        ChoiceScores.Accuracy([1, 1, 3], 1).ShouldBe(0);
    }

    [Fact]
    public void The_magnitude_is_the_difference_of_probabilities_to_the_likeliest_other()
    {
        // P = 1/2 for the right one, 1/4 and 1/8 for the others.
        double[] costs = [Math.Log(8), Math.Log(2), Math.Log(4)];
        ChoiceScores.Magnitude(costs, 1).ShouldBe(0.25, 1e-12);
        ChoiceScores.Magnitude(costs, 0).ShouldBe(0.125 - 0.5, 1e-12);
    }
}
