namespace Meft.Core.Data;

/// <summary>
/// The prompt of Stanford Alpaca (Taori et al. 2023) as published in its <c>train.py</c>: one text for instructions with an input, another
/// for those without. The answer follows the colon at once.
/// </summary>
public static class AlpacaPrompt
{
    /// <summary>The prompt of an instruction.</summary>
    /// <param name="instruction">What is to be done.</param>
    /// <param name="input">What it is to be done with; null or empty for nothing.</param>
    public static string Of(string instruction, string? input) => string.IsNullOrEmpty(input)
        ? "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
            + $"### Instruction:\n{instruction}\n\n### Response:"
        : "Below is an instruction that describes a task, paired with an input that provides further context. "
            + "Write a response that appropriately completes the request.\n\n"
            + $"### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:";
}
