using Meft.Core.Evaluation.Metrics;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Metrics;

public class ToolCallTests
{
    private const string Wanted = "{\"name\": \"tip\", \"arguments\": {\"bill\": 100, \"currency\": \"EUR\"}}";

    // call, tool, arguments, parses
    [Theory]
    [InlineData("{\"name\": \"tip\", \"arguments\": {\"currency\": \"EUR\", \"bill\": 100.0}}", "1111")]
    [InlineData("I call:\n```\n{\"name\": \"tip\", \"arguments\": \"{\\\"bill\\\": 100, \\\"currency\\\": \\\"EUR\\\"}\"}\n```", "1111")]
    [InlineData("Action: tip\nAction Input: {\"bill\": 100, \"currency\": \"EUR\"}", "1111")]
    [InlineData(" tip\nAction Input: {\"bill\": 100, \"currency\": \"EUR\"} and so on", "1111")]
    [InlineData("{\"name\": \"tip\", \"arguments\": {\"bill\": \"100\", \"currency\": \"EUR\"}}", "0101")]
    [InlineData("{\"name\": \"tip\", \"arguments\": {\"bill\": 100}}", "0101")]
    [InlineData("{\"name\": \"top\", \"arguments\": {\"bill\": 100, \"currency\": \"EUR\"}}", "0011")]
    [InlineData("Action: tip\nAction Input: none", "0101")]
    [InlineData("{} {\"name\": \"tip\", \"arguments\": {\"bill\": 100, \"currency\": \"EUR\"}} {\"name\": \"top\", \"arguments\": {}}", "1111")]
    [InlineData("{\"name\": \"tip\"}", "0000")]
    [InlineData("{\"name\": \"tip\", \"arguments\": {\"bill\": 1, \"bill\": 100}", "0000")]
    [InlineData("a thought\nand tip\nAction Input: {}", "0000")]
    [InlineData("{{{{\"}", "0000")]
    [InlineData("", "0000")]
    public void A_call_is_compared_by_tool_and_arguments(string prediction, string expected) =>
        string.Concat(AnswerMetrics.Find("tool_call")!.Score(prediction, [Wanted])).ShouldBe(expected);

    [Fact]
    public void Any_of_several_calls_may_be_right()
    {
        const string other = "Action: other\nAction Input: {}";
        AnswerMetrics.Find("tool_call")!.Score(other, [Wanted, other]).ShouldBe([1, 1, 1, 1]);
        AnswerMetrics.Find("tool_call")!.Score("Action: other\nAction Input: {\"a\": [1, {\"b\": null}]}", [Wanted, other]).ShouldBe([0, 1, 0, 1]);
    }

    [Fact]
    public void A_brace_in_a_text_does_not_end_an_object()
    {
        var call = ToolCall.Find("{\"name\": \"say\", \"arguments\": {\"text\": \"a } and \\\" b\"}} }").ShouldNotBeNull();
        call.Arguments!["text"]!.GetValue<string>().ShouldBe("a } and \" b");
    }
}
