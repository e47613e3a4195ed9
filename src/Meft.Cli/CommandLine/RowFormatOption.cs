using System.CommandLine;
using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Cli.CommandLine;

/// <summary>The option <c>--format</c> of verbs that read rows.</summary>
internal static class RowFormatOption
{
    /// <summary>A new one.</summary>
    public static Option<string> Create() => new("--format")
    { HelpName = "FORM", DefaultValueFactory = _ => "auto", Description = "The rows' form, as data.format in a config; auto tells it from the rows." };

    /// <summary>The form that was asked for.</summary>
    /// <exception cref="InvalidInputException">There is no form of that name.</exception>
    public static RowFormat ReadFrom(ParseResult arguments, Option<string> option)
    {
        var name = arguments.GetRequiredValue(option);
        return ChoiceName.Find<RowFormat>(name) ?? throw new InvalidInputException(
            $"{option.Name} is '{name}', which is no form of rows", null, string.Join(" | ", ChoiceName.All<RowFormat>()));
    }
}
