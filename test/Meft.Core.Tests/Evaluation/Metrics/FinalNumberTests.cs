using System.Globalization;
using CsCheck;
using Meft.Core.Evaluation.Metrics;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Metrics;

public class FinalNumberTests
{
    [Theory]
    [InlineData("#### 18", "18")]
    [InlineData("first 5, then #### $1,234.50 dollars, 99", "1234.50")]
    [InlineData("#### 3\nQuestion #### 4", "4")]
    [InlineData("the total is 12.", "12")]
    [InlineData("#### -7", "-7")]
    [InlineData("#### -$7", "-7")]
    [InlineData("10-3", "3")]
    [InlineData("x = -.", null)]
    [InlineData("it is .5", "0.5")]
    [InlineData("12,34", "34")]
    [InlineData("1,234,567", "1234567")]
    [InlineData("5 #### none", null)]
    [InlineData("", null)]
    [InlineData("99999999999999999999999999999999999", null)]
    public void The_number_after_the_last_mark_or_else_the_last_one_is_found(string text, string? expected) =>
        FinalNumber.Find(text).ShouldBe(expected is null ? null : decimal.Parse(expected, CultureInfo.InvariantCulture));

    [Fact]
    public void A_number_is_found_however_it_is_written() => Gen.Select(Gen.Int[-2_000_000, 2_000_000], Gen.Bool, Gen.Bool).Sample((number, commas, marked) =>
    {
        var text = number.ToString(commas ? "#,0" : "0", CultureInfo.InvariantCulture);
        FinalNumber.Find(marked ? $"2 and 3\n#### {text}" : $"2 and 3 make {text}.").ShouldBe(number);
    });

    [Fact]
    [Trait("Category", "Fixtures")]
    public void Every_answer_of_gsm8k_has_a_number()
    {
        var lines = File.ReadAllLines(Assets.Require("datasets", "gsm8k", "test.jsonl"));
        foreach (var line in lines)
        {
            using var row = System.Text.Json.JsonDocument.Parse(line);
            var answer = row.RootElement.GetProperty("answer").GetString()!;
            FinalNumber.Score(answer, answer[(answer.LastIndexOf('#') + 1)..]).ShouldBe(1, answer);
        }
    }
}
