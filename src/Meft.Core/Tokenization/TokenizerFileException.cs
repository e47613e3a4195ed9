using Meft.Core.Errors;

namespace Meft.Core.Tokenization;

/// <summary>A tokenizer file that cannot be used: truncated, not JSON, a value of the wrong type, an unsupported component.</summary>
/// <param name="file">The file.</param>
/// <param name="reason">What is wrong with it, with the value and the place inside the file.</param>
/// <param name="allowed">What is allowed instead; null if that is obvious.</param>
/// <param name="cause">The exception behind this one, if any.</param>
public sealed class TokenizerFileException(string file, string reason, string? allowed = null, Exception? cause = null)
    : InvalidInputException(reason, file, allowed, "Fetch the tokenizer files of the model again, choose another model, or give rows of input_ids, which need none", cause)
{
    /// <summary>The file that cannot be used.</summary>
    public string File { get; } = file;
}
