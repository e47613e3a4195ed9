using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.PostProcessing;

/// <summary>Reads the <c>post_processor</c> of tokenizer.json, as far as single texts (not pairs) are concerned.</summary>
internal static class PostProcessorReader
{
    private static readonly ComponentTable<SpecialTokensTemplate> Known = new("post-processor", new()
    {
        ["TemplateProcessing"] = ReadTemplate,
        ["ByteLevel"] = _ => SpecialTokensTemplate.Empty,
        ["BertProcessing"] = field => new SpecialTokensTemplate([ReadTokenId(field["cls"])], [ReadTokenId(field["sep"])]),
        ["RobertaProcessing"] = field => new SpecialTokensTemplate([ReadTokenId(field["cls"])], [ReadTokenId(field["sep"])]),
        ["Sequence"] = field => field["processors"].Items()
            .Aggregate(SpecialTokensTemplate.Empty, (template, item) => template.Then(Known!.Read(item))),
    });

    public static SpecialTokensTemplate Read(JsonField field) => field.IsMissing ? SpecialTokensTemplate.Empty : Known.Read(field);

    private static SpecialTokensTemplate ReadTemplate(JsonField field)
    {
        List<int> begin = [], end = [];
        var textIsPlaced = false;
        foreach (var item in field["single"].Items())
        {
            if (item["SpecialToken"] is { IsMissing: false } special)
            {
                (textIsPlaced ? end : begin).AddRange(ReadIds(special["id"], field["special_tokens"]));
            }
            else
            {
                var name = item["Sequence"]["id"].AsText();
                if (name != "A" || textIsPlaced) throw item.Error("should be the only place of the text", "one Sequence with id A");
                textIsPlaced = true;
            }
        }
        return textIsPlaced ? new SpecialTokensTemplate(begin, end) : throw field["single"].Error("has no place for the text");
    }

    private static List<int> ReadIds(JsonField name, JsonField specialTokens)
    {
        var token = specialTokens[name.AsText()];
        if (token.IsMissing) throw name.Error($"is '{name.AsText()}', which special_tokens does not list");
        return token["ids"].Items().Select(id => id.AsInteger()).ToList();
    }

    private static int ReadTokenId(JsonField pair)
    {
        var items = pair.Items().ToList();
        return items.Count == 2 ? items[1].AsInteger() : throw pair.Error("should be a token and its id");
    }
}
