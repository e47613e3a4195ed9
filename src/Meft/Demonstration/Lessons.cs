using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Tokenization;
using Meft.Generation;

namespace Meft.Demonstration;

/// <summary>Makes the steps that teach facts: the same rows in the same order for every method.</summary>
/// <param name="options">Sizes and seed.</param>
/// <param name="tokenizer">Encodes the facts.</param>
/// <param name="stories">Old stories; some are read again.</param>
internal sealed class Lessons(DemoOptions options, ITokenizer tokenizer, IReadOnlyList<TokenRow> stories)
{
    private const ulong ReplayStream = 0x5265706C6179;

    /// <summary>Every step: some facts, trained on their answers alone, and some old stories.</summary>
    public IReadOnlyList<IReadOnlyList<TokenRow>> Of(IReadOnlyList<Fact> facts)
    {
        var encoder = new RowTokenizer(tokenizer, endToken: null, trainOnPrompt: false);
        var rows = facts.Select((fact, i) => encoder.Tokenize(new PromptCompletionRow(new RowOrigin("facts", i + 1), fact.Prompt, fact.Answer)));
        var schedule = new BatchSchedule(
            [.. rows], new BatchConfig { Size = options.FactBatch }, (long)options.Seed, options.Epochs, maxSteps: null, shuffle: true);
        var random = new RandomStream(options.Seed, ReplayStream);
        return
        [
            .. schedule.Steps().Select(IReadOnlyList<TokenRow> (step) =>
                [.. step.MicroBatches[0], .. Enumerable.Range(0, options.ReplayStories).Select(_ => random.Pick(stories))]),
        ];
    }
}
