using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Values;
using Shouldly;

namespace Meft.Core.Tests.Chat.Jinja;

public class JinjaExpressionTests
{
    private static readonly Dictionary<string, Value> Variables = new()
    {
        ["a"] = MapValue.Of([KeyValuePair.Create("b", (Value)new TextValue("x"))]),
        ["n"] = new ListValue([new IntegerValue(1), new IntegerValue(2)]),
    };

    [Theory]
    [InlineData("a.b", "x")]
    [InlineData("a['b'] ~ n[1]", "x2")]
    [InlineData("n | length", "2")]
    [InlineData("c | default('none')", "none")]
    [InlineData("c is defined", "False")]
    [InlineData("1 if c else 2", "2")]
    [InlineData("a.c is defined and a.c.d", "False")]
    public void An_expression_gives_a_value(string text, string expected) =>
        ValueText.Plain(JinjaExpression.Parse(text).Evaluate(Variables, TimeProvider.System)).ShouldBe(expected);

    [Theory]
    [InlineData("c.d", "'c' is undefined")]
    [InlineData("c | upper", "'c' is undefined")]
    [InlineData("'x' ~ a.c", "'dict object' has no attribute 'c'")]
    [InlineData("'x'.replace('x', c)", "'c' is undefined")]
    [InlineData("n | join(c)", "'c' is undefined")]
    public void What_does_not_exist_is_an_error_where_it_is_used(string text, string problem) =>
        Should.Throw<JinjaException>(() => JinjaExpression.Parse(text).Evaluate(Variables, TimeProvider.System)).Message.ShouldBe(problem);

    [Theory]
    [InlineData("a }} {{ b")]
    [InlineData("")]
    [InlineData("a b")]
    public void Anything_else_is_no_expression(string text) => Should.Throw<JinjaException>(() => JinjaExpression.Parse(text));

    [Theory]
    [InlineData("{{ c }}")]
    [InlineData("{% for i in c %}{% endfor %}")]
    public void A_strict_template_refuses_what_another_takes_as_empty(string text)
    {
        var template = JinjaTemplate.Parse(text);
        template.Render(Variables, TimeProvider.System).ShouldBe("");
        Should.Throw<JinjaException>(() => template.Render(Variables, TimeProvider.System, isStrict: true)).Message.ShouldBe("'c' is undefined");
    }
}
