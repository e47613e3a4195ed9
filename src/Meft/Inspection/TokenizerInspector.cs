using Meft.Core.Chat;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Tokenization;

namespace Meft.Inspection;

/// <summary>Looks at tokenizers, those of models and those alone.</summary>
internal static class TokenizerInspector
{
    /// <summary>A folder that holds a tokenizer and no model.</summary>
    public static PathReport Inspect(string folder) =>
        Add(new PathReport { Kind = PathKind.Tokenizer, Path = folder }, () => (folder, folder), null).With("no model: the folder holds a tokenizer alone");

    /// <summary>Adds a model's tokenizer to its report; where it cannot be used, the reason.</summary>
    public static PathReport Add(PathReport report, ModelLocation location, ModelConfig config)
    {
        var ends = GenerationConfig.Read(location.Folder, config).EndTokens;
        report = Add(report, () => location.HasTokenizer ? (location.TokenizerPath, location.ChatTemplatePath) : null, ends);
        if (ends.Where(id => id >= config.VocabularySize).ToList() is { Count: > 0 } beyond)
            report = report.With($"eos_token_id is {string.Join(", ", beyond)}, beyond the vocabulary of {config.VocabularySize:N0}");
        return report.Tokenizer is { } tokenizer && tokenizer.VocabularySize > config.VocabularySize
            ? report.With($"the tokenizer has {tokenizer.VocabularySize:N0} ids and the model's vocabulary is {config.VocabularySize:N0}: rows with the ids beyond it are refused")
            : report;
    }

    private static PathReport Add(PathReport report, Func<(string Tokenizer, string Template)?> find, IReadOnlyList<int>? ends)
    {
        try
        {
            if (find() is not var (path, templatePath)) return report.With("no tokenizer: only rows of token ids can be used");
            var tokenizer = HuggingFaceTokenizer.Load(path);
            var (template, remark) = Template(templatePath);
            var special = TokenizerConfig.Load(path).SpecialTokens.Select(t => new SpecialToken(t.Key, t.Value, tokenizer.IdOf(t.Value))).ToList();
            ends ??= special.Find(t => t.Name == "eos_token")?.Id is { } end ? [end] : [];
            var facts = new TokenizerFacts(
                TokenizerFolder.FormOf(path), tokenizer.Algorithm, tokenizer.VocabularySize, tokenizer.AddedTokenCount, Texts(tokenizer, tokenizer.BeginTokens),
                Texts(tokenizer, ends), special, template is not null, TokenizerFolder.FileOf(path), template?.Source);
            return (report with { Tokenizer = facts }).With(remark);
        }
        catch (InvalidInputException e)
        {
            return report.With($"the tokenizer cannot be used: {e.Message}");
        }
    }

    private static (ChatTemplate? Template, string? Remark) Template(string path)
    {
        try
        {
            return (ChatTemplate.TryLoad(path), null);
        }
        catch (ChatTemplateException e)
        {
            return (null, $"the chat template cannot be used: {e.Message}");
        }
    }

    private static List<string> Texts(HuggingFaceTokenizer tokenizer, IEnumerable<int> ids) => [.. ids.Select(tokenizer.Find).OfType<string>()];
}
