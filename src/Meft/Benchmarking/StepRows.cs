using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Loading;

namespace Meft.Benchmarking;

/// <summary>Rows for <see cref="StepBenchmark"/>.</summary>
public static class StepRows
{
    /// <summary>Reads a file of rows as <c>train</c> would, in order.</summary>
    /// <param name="path">Rows that are tokenised already (<c>{"input_ids","labels"}</c>), or any other form that the model's tokenizer can read.</param>
    /// <param name="model">Whose tokenizer and limits count.</param>
    /// <exception cref="InvalidInputException">The file is missing or a row cannot be used; the error names its place.</exception>
    public static IReadOnlyList<TokenRow> Read(string path, LoadedModel model) =>
        TokenDataset.Load([path], new DataConfig { Train = [path], MaxLength = model.Config.MaxPositions }, model.Tokenizer, model.Limits, () => model.ChatTemplate).Rows;
}
