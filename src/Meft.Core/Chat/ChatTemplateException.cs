using Meft.Core.Errors;

namespace Meft.Core.Chat;

/// <summary>A chat template that cannot be read, or that fails on a conversation.</summary>
/// <param name="file">The file the template stands in.</param>
/// <param name="line">The template's line, from 1; 0 where it is not known.</param>
/// <param name="problem">What is wrong.</param>
/// <param name="raisedText">The text the template itself gave for refusing the conversation; null for any other error.</param>
/// <param name="cause">The exception behind this one, if any.</param>
public sealed class ChatTemplateException(string file, int line, string problem, string? raisedText = null, Exception? cause = null)
    : InvalidInputException(
        problem,
        line > 0 ? $"{file} (chat template, line {line})" : file,
        nextStep: raisedText is null ? null : "Change the messages to what the model's template allows",
        cause: cause)
{
    /// <summary>The file the template stands in.</summary>
    public string File { get; } = file;

    /// <summary>The template's line, from 1; 0 where it is not known.</summary>
    public int Line { get; } = line;

    /// <summary>The text the template itself gave for refusing the conversation (by <c>raise_exception</c>), else null.</summary>
    public string? RaisedText { get; } = raisedText;
}
