using System.CommandLine;

namespace Meft.Cli.CommandLine;

/// <summary>What a verb is for; the help lists verbs under these.</summary>
internal enum Job
{
    /// <summary>See it work.</summary>
    TryOut,

    /// <summary>Fine-tune a model.</summary>
    Train,

    /// <summary>Use and judge a model or an adapter.</summary>
    Use,

    /// <summary>See what files hold and what the model sees.</summary>
    Look,

    /// <summary>The machine and the program.</summary>
    Machine,
}

/// <summary>One verb of the program.</summary>
internal interface IVerb
{
    /// <summary>The job it is listed under.</summary>
    Job Job { get; }

    /// <summary>Its name, description, arguments and options.</summary>
    Command Command { get; }

    /// <summary>One real example, the last line of its help.</summary>
    string Example { get; }

    /// <summary>Does the work.</summary>
    /// <returns>0, or 1 where the work was done and its result is a failure.</returns>
    /// <exception cref="Core.Errors.MeftException">What a user can act on; its exit code becomes the program's.</exception>
    int Run(ParseResult arguments, VerbContext context);
}
