using CsCheck;
using Meft.Core.Evaluation.Metrics;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Metrics;

public class AnswerMetricTests
{
    private const double Precision = 1e-12;

    // Worked by hand with the rules of the SQuAD script: lower case, punctuation, articles, white space.
    [Theory]
    [InlineData("The  Eiffel Tower!", "eiffel tower")]
    [InlineData("a an the", "")]
    [InlineData("Theatre of a nation", "theatre of nation")]
    [InlineData("U.S.A.", "usa")]
    [InlineData("an-them", "anthem")]
    [InlineData("1,200", "1200")]
    [InlineData("l'a\u00a0b", "la b")]
    [InlineData("“the” end", "“ ” end")]
    [InlineData("Élan\tÉlan\n", "élan élan")]
    public void Texts_are_normalised_as_the_script_does(string text, string expected) => AnswerText.Normalize(text).ShouldBe(expected);

    [Theory]
    [InlineData("exact_match", "the Cat.", "cat", 1)]
    [InlineData("exact_match", "cats", "cat", 0)]
    [InlineData("exact_match", "", "", 1)]
    [InlineData("f1", "red cat", "the red dog", 0.5)]
    [InlineData("f1", "red", "red red red", 0.5)]
    [InlineData("f1", "blue", "red", 0)]
    [InlineData("f1", "", "", 1)]
    [InlineData("f1", "red", "", 0)]
    [InlineData("f1", "the", "a", 1)]
    [InlineData("contains", "It was the Red Cat, I think", "red cat", 1)]
    [InlineData("contains", "infrared cat", "red cat", 0)]
    [InlineData("contains", "anything", "the", 0)]
    [InlineData("starts_with", "  English and more", " English", 1)]
    [InlineData("starts_with", "english", "English", 0)]
    [InlineData("starts_with", "In English", "English", 0)]
    [InlineData("starts_with", "anything", " ", 0)]
    [InlineData("number", "so 3 + 4 = 7\n#### 1,200", "1200.0", 1)]
    [InlineData("number", "no digits", "no digits", 0)]
    public void An_answer_is_worth_this(string metric, string prediction, string answer, double expected) =>
        AnswerMetrics.Find(metric)!.Score(prediction, [answer]).ShouldHaveSingleItem().ShouldBe(expected, Precision);

    [Fact]
    public void The_best_of_several_answers_counts()
    {
        AnswerMetrics.Find("f1")!.Score("red cat", ["dog", "red", "cat red"])[0].ShouldBe(1, Precision);
        AnswerMetrics.Find("exact_match")!.Score("one", ["two", "One."])[0].ShouldBe(1);
    }

    [Fact]
    public void Scores_lie_between_0_and_1_the_text_itself_scores_1_and_f1_does_not_care_for_sides() =>
        Gen.Select(Words, Words).Sample((a, b) =>
        {
            foreach (var metric in AnswerMetrics.Names.Select(name => AnswerMetrics.Find(name)!))
                metric.Score(a, [b]).ShouldAllBe(score => score >= 0 && score <= 1);
            TokenF1.Score(a, b).ShouldBe(TokenF1.Score(b, a), Precision);
            TokenF1.Score(a, a).ShouldBe(1, Precision);
            AnswerMetrics.Find("exact_match")!.Score(a, [a])[0].ShouldBe(1);
            AnswerText.Normalize(AnswerText.Normalize(a)).ShouldBe(AnswerText.Normalize(a));
            // Equal texts share all their words.
            if (AnswerMetrics.Find("exact_match")!.Score(a, [b])[0] == 1) TokenF1.Score(a, b).ShouldBe(1, Precision);
        });

    private static readonly string[] Vocabulary = ["the", "a", "Red", "cat", "dog.", "1,000", "x-y"];

    private static Gen<string> Words { get; } =
        Gen.Int[0, Vocabulary.Length - 1].List[0, 6].Select(words => string.Join(' ', words.Select(i => Vocabulary[i])));
}
