using System.Runtime.CompilerServices;

namespace Meft.Core.Chat.Jinja;

/// <summary>A template that cannot be parsed or evaluated. The message is worded as Jinja words it.</summary>
internal class JinjaException(string message) : Exception(message)
{
    /// <summary>The line of the template, from 1; 0 as long as it is not known.</summary>
    public int Line { get; set; }
}

/// <summary>The template itself refused its input by <c>raise_exception</c>.</summary>
internal sealed class TemplateRaisedException(string message) : JinjaException(message);

/// <summary>The template takes more than it may: steps, output or depth.</summary>
internal sealed class TemplateLimitException(string message) : JinjaException(message)
{
    /// <summary>Refuses to go deeper where the stack would not suffice.</summary>
    public static void ThrowIfTooDeep()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new TemplateLimitException("the template, or a value it makes, is nested too deeply");
    }
}
