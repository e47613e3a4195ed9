using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Decoding;
using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PostProcessing;
using Meft.Core.Tokenization.PreTokenization;

namespace Meft.Core.Tokenization.Reading;

/// <summary>Reads <c>tokenizer.json</c>.</summary>
internal static class TokenizerJsonReader
{
    /// <summary>Reads a file; where the config has <c>add_bos_token</c> or <c>add_eos_token</c>, these decide what is added to a text.</summary>
    /// <exception cref="TokenizerFileException">The file is damaged or uses what is not supported.</exception>
    public static TokenizerParts Read(string path, TokenizerConfig config)
    {
        var file = JsonField.ReadFile(path);
        var normalizer = NormalizerReader.Read(file["normalizer"]);
        var preTokenizer = PreTokenizerReader.Read(file["pre_tokenizer"]);
        var model = BytePairModelReader.Read(file["model"]);
        var addedTokens = AddedTokens.Read(file["added_tokens"], model.Vocabulary, normalizer);
        var template = PostProcessorReader.Read(file["post_processor"]);
        var parts = new TokenizerParts(normalizer, preTokenizer, model, addedTokens, template, DecoderReader.Read(file["decoder"]));
        template = template.With(config.AddsBeginToken, IdOf("bos_token"), config.AddsEndToken, IdOf("eos_token"));
        foreach (var id in template.Begin.Concat(template.End))
        {
            if (addedTokens.Find(id) is null && model.Vocabulary.TokenOf(id) is null)
                throw file["post_processor"].Error($"adds the id {id}, which is in no vocabulary");
        }
        return parts with { Template = template };

        int? IdOf(string name) => config.SpecialTokens.TryGetValue(name, out var token) ? parts.IdOf(token) : null;
    }
}
