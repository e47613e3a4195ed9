using System.Text.Json;
using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Values;
using Shouldly;

namespace Meft.Core.Tests.Chat.Jinja;

/// <summary>
/// Templates of one feature each against what Jinja itself makes of them; <c>jinja_cases.json</c> says how that was computed.
/// </summary>
public class JinjaCaseTests
{
    private static readonly JsonElement File = JsonDocument.Parse(
        System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Chat", "Jinja", "jinja_cases.json"))).RootElement;

    private static readonly Dictionary<string, Value> Variables =
        File.GetProperty("variables").EnumerateObject().ToDictionary(member => member.Name, member => ValueConversion.FromJson(member.Value));

    public static TheoryData<string, string> Texts => Cases("text");

    public static TheoryData<string, string> Errors => Cases("error");

    public static TheoryData<string, string> SyntaxErrors => Cases("syntax_error");

    [Theory, MemberData(nameof(Texts))]
    public void Renders_as_jinja(string template, string expected) => Render(template).ShouldBe(expected);

    [Theory, MemberData(nameof(Errors))]
    public void Fails_as_jinja(string template, string expected)
    {
        var error = Should.Throw<JinjaException>(() => Render(template));
        error.Line.ShouldBe(1);
        expected.TrimEnd('.').ShouldBe(error.Message.TrimEnd('.'));
    }

    [Theory, MemberData(nameof(SyntaxErrors))]
    public void Refuses_what_jinja_cannot_parse(string template, string reason) =>
        Should.Throw<JinjaException>(() => JinjaTemplate.Parse(template), reason).Line.ShouldBe(1);

    private static string Render(string template) => JinjaTemplate.Parse(template).Render(Variables, TimeProvider.System);

    private static TheoryData<string, string> Cases(string outcome)
    {
        var data = new TheoryData<string, string>();
        foreach (var item in File.GetProperty("cases").EnumerateArray())
        {
            if (item.TryGetProperty(outcome, out var expected)) data.Add(item.GetProperty("template").GetString()!, expected.GetString()!);
        }
        return data;
    }
}
