namespace Meft.Generation;

/// <summary>The processors that options ask for, in transformers' order.</summary>
internal static class LogitsProcessors
{
    /// <param name="options">The options.</param>
    /// <param name="promptLength">The row's prompt length, from which new tokens are counted.</param>
    public static IReadOnlyList<ILogitsProcessor> Of(GenerationOptions options, int promptLength)
    {
        var processors = new List<ILogitsProcessor>();
        if (options.RepetitionPenalty != 1) processors.Add(new RepetitionPenalty(options.RepetitionPenalty));
        if (options.NoRepeatNgramSize > 0) processors.Add(new NoRepeatNgram(options.NoRepeatNgramSize));
        var minimum = Math.Max(options.MinLength, options.MinNewTokens > 0 ? promptLength + options.MinNewTokens : 0);
        if (minimum > promptLength && options.EndTokens.Count > 0) processors.Add(new MinimumLength(minimum, options.EndTokens));
        if (!options.Sample) return processors;

        if (options.Temperature != 1) processors.Add(new Temperature(options.Temperature));
        if (options.TopK > 0) processors.Add(new TopK(options.TopK));
        if (options.TopP < 1) processors.Add(new TopP(options.TopP));
        if (options.MinP > 0) processors.Add(new MinP(options.MinP));
        if (options.TypicalP < 1) processors.Add(new TypicalP(options.TypicalP));
        return processors;
    }
}
