using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Generation;
using Meft.Loading;

namespace Meft.Training.Samples;

/// <summary>Which prompts a run continues, and how.</summary>
/// <param name="Prompts">The prompts.</param>
/// <param name="Tokenizer">The model's.</param>
/// <param name="Options">Greedy, so that a run has the same samples every time.</param>
public sealed record SampleSet(IReadOnlyList<SamplePrompt> Prompts, Core.Tokenization.ITokenizer Tokenizer, GenerationOptions Options)
{
    /// <summary>What a config asks for; null where it asks for no samples.</summary>
    /// <param name="evaluate">The config's <c>evaluate</c>.</param>
    /// <param name="model">The model.</param>
    /// <param name="validation">The validation rows.</param>
    /// <exception cref="Core.Errors.InvalidInputException">A prompt cannot be continued, or the model has no tokenizer.</exception>
    public static SampleSet? Of(EvaluateConfig evaluate, LoadedModel model, IReadOnlyList<TokenRow> validation)
    {
        if (!evaluate.HasSamples) return null;
        var rows = validation.Take(evaluate.Samples).Select(row => SamplePrompt.Of(row, model.Tokenizer));
        var texts = evaluate.Prompts.Select(text => SamplePrompt.Of(text, model.Tokenizer, model.Limits));
        return new SampleSet([.. rows, .. texts], model.Tokenizer, new GenerationOptions
        {
            EndTokens = model.Defaults.EndTokens,
            MaxNewTokens = evaluate.MaxNewTokens,
        });
    }
}
