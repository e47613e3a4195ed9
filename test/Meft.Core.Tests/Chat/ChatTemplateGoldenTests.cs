using System.Text.Json;
using Meft.Core.Chat;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Chat;

/// <summary>Conversations rendered by each tokenizer's own template, as transformers renders them.</summary>
[Trait("Category", "Fixtures")]
public class ChatTemplateGoldenTests
{
    private const string File = "tokenizers/expected/chat_templates.json";

    public static TheoryData<string> Cases => Assets.Enumerate(File, _ => Read().Keys);

    [Theory, MemberData(nameof(Cases))]
    public void Renders_as_transformers(string name)
    {
        Assets.Require(File.Split('/'));
        var item = Read()[name];
        var template = ChatTemplate.Load(Assets.Require("tokenizers", item.GetProperty("tokenizer").GetString()!));
        var variables = item.GetProperty("options").EnumerateObject().ToDictionary(option => option.Name, option => option.Value);
        if (item.GetProperty("tools").ValueKind != JsonValueKind.Null) variables["tools"] = item.GetProperty("tools");
        string Render() => template.Render(item.GetProperty("messages"), item.GetProperty("add_generation_prompt").GetBoolean(), variables);

        if (item.TryGetProperty("error", out var error))
            error.GetString()!.ShouldContain(Should.Throw<ChatTemplateException>(Render).RaisedText!);
        else
            Render().ShouldBe(item.GetProperty("text").GetString());
    }

    private static Dictionary<string, JsonElement> Read()
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllText(Assets.Find(File.Split('/'))!));
        return document.RootElement.Clone().EnumerateArray().Select((item, index) => (Item: item, Index: index)).ToDictionary(
            entry => $"{entry.Index:000} {entry.Item.GetProperty("tokenizer")}, {entry.Item.GetProperty("case")}", entry => entry.Item);
    }
}
