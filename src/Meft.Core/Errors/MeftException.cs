using System.Text;

namespace Meft.Core.Errors;

/// <summary>
/// An error that a user can act on: what was wrong (with the value), where it stands, what is allowed, what to do next.
/// Its message is one paragraph; the command line prints it without a stack trace.
/// </summary>
public abstract class MeftException : Exception
{
    /// <param name="problem">What was wrong, with the offending value, as a sentence without its full stop.</param>
    /// <param name="location">Where it stands: a file, a file and line, a config key, a tensor name; null if nowhere in particular.</param>
    /// <param name="allowed">What is allowed instead; null if that is obvious.</param>
    /// <param name="nextStep">What the user can do next; null if that is obvious.</param>
    /// <param name="cause">The exception behind this one, if any.</param>
    protected MeftException(string problem, string? location, string? allowed, string? nextStep, Exception? cause)
        : base(Compose(problem, location, allowed, nextStep), cause)
    {
        Problem = problem;
        Location = location;
        Allowed = allowed;
        NextStep = nextStep;
    }

    /// <summary>What was wrong, with the offending value.</summary>
    public string Problem { get; }

    /// <summary>Where it stands: a file, a file and line, a config key, a tensor name.</summary>
    public string? Location { get; }

    /// <summary>What is allowed.</summary>
    public string? Allowed { get; }

    /// <summary>What the user can do next.</summary>
    public string? NextStep { get; }

    /// <summary>The message where the place it speaks of is plain already.</summary>
    public string MessageWithoutLocation => Compose(Problem, null, Allowed, NextStep);

    /// <summary>The exit code of the command line: 1 failed while running, 2 wrong arguments, config or input.</summary>
    public abstract int ExitCode { get; }

    private static string Compose(string problem, string? location, string? allowed, string? nextStep)
    {
        var text = new StringBuilder();
        if (location is not null) text.Append(location).Append(": ");
        text.Append(problem.TrimEnd('.')).Append('.');
        if (allowed is not null) text.Append(" Allowed: ").Append(allowed.TrimEnd('.')).Append('.');
        if (nextStep is { Length: > 0 })
        {
            text.Append(' ').Append(char.ToUpperInvariant(nextStep[0])).Append(nextStep.AsSpan(1).TrimEnd('.'));
            if (!nextStep.EndsWith('?')) text.Append('.');
        }
        return text.ToString();
    }
}

/// <summary>Wrong arguments, config or input: exit code 2.</summary>
public class InvalidInputException(
    string problem, string? location = null, string? allowed = null, string? nextStep = null, Exception? cause = null)
    : MeftException(problem, location, allowed, nextStep, cause)
{
    /// <inheritdoc/>
    public override int ExitCode => 2;
}

/// <summary>Something failed while running on input that was right: exit code 1.</summary>
public class RunFailedException(
    string problem, string? location = null, string? allowed = null, string? nextStep = null, Exception? cause = null)
    : MeftException(problem, location, allowed, nextStep, cause)
{
    /// <inheritdoc/>
    public override int ExitCode => 1;
}

/// <summary>Its user stopped the work, and what is done is saved: exit code 1, for what was asked for is not there, but no error.</summary>
public sealed class WorkStoppedException(string problem, string location, string nextStep) : RunFailedException(problem, location, null, nextStep);
