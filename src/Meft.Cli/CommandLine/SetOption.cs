using System.CommandLine;

namespace Meft.Cli.CommandLine;

/// <summary><c>--set</c> of the verbs that read a config.</summary>
internal static class SetOption
{
    /// <summary>The option.</summary>
    /// <param name="example">An example of what is set, or two with "or" between.</param>
    public static Option<string[]> Create(string example) => new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = $"Override a key of the config, for example {example}; may be given several times. Relative paths are of the config's folder.",
        DefaultValueFactory = _ => [],
    };
}
