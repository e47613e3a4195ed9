using System.CommandLine;
using Meft.Core.Errors;
using Meft.Native;

namespace Meft.Cli.CommandLine;

/// <summary><c>--threads</c> of the verbs whose bits depend on it.</summary>
internal static class ThreadsOption
{
    private const int Most = 1024;

    /// <summary>The option.</summary>
    public static Option<int?> Create(string description) => new("--threads") { HelpName = "N", Description = description };

    /// <summary>Has that many threads compute; null leaves it at the default.</summary>
    /// <exception cref="InvalidInputException">The number is none that can be used.</exception>
    public static void Use(int? threads)
    {
        if (threads is < 1 or > Most) throw new InvalidInputException($"--threads is {threads}", null, $"1 to {Most}");
        if (threads is not null) ComputeThreads.Use(threads);
    }
}
