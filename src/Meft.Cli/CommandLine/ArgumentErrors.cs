using System.CommandLine;
using System.CommandLine.Parsing;
using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Cli.CommandLine;

/// <summary>Turns what the parser could not understand into an error with the nearest thing that it would have understood.</summary>
internal static class ArgumentErrors
{
    /// <summary>The error of arguments that cannot be carried out; null if they can.</summary>
    public static InvalidInputException? Find(ParseResult arguments, IReadOnlyList<IVerb> verbs)
    {
        var verb = verbs.FirstOrDefault(v => v.Command == arguments.CommandResult.Command);
        if (verb is null) return arguments.Errors.Count == 0 ? null : OfProgram(arguments, verbs);

        var unmatched = Unmatched(arguments, verb.Command);
        if (arguments.Errors.Count == 0 && unmatched.Count == 0) return null;
        var problems = OfUnmatched(unmatched, verb);
        foreach (var error in arguments.Errors)
        {
            if (unmatched.Any(t => error.Message.Contains($"'{t}'", StringComparison.Ordinal))) continue;
            // A misspelt option is missing under its right name: once is enough.
            if (error.SymbolResult is OptionResult missing && problems.Any(p => p.EndsWith($"did you mean {missing.Option.Name}?)", StringComparison.Ordinal)))
                continue;
            problems.Add(Rephrase(error));
        }
        return new InvalidInputException(
            string.Join("; ", problems.Distinct()), $"meft {verb.Command.Name}", null, $"`meft {verb.Command.Name} --help` lists what is allowed");
    }

    /// <summary>
    /// What the parser could not place, in order, with the unknown options that it took for arguments: after the word <c>--</c>
    /// anything may be one, but before it nothing that looks like an option is.
    /// </summary>
    private static List<string> Unmatched(ParseResult arguments, Command command)
    {
        var strangers = arguments.UnmatchedTokens.ToList();
        if (arguments.Tokens.All(t => t.Type != TokenType.DoubleDash))
        {
            strangers.AddRange(command.Arguments.SelectMany(a => arguments.GetResult(a)?.Tokens ?? []).Select(t => t.Value)
                .Where(t => t.StartsWith("--", StringComparison.Ordinal)));
        }
        return [.. arguments.Tokens.Select(t => t.Value).Where(strangers.Remove)];
    }

    private static List<string> OfUnmatched(List<string> tokens, IVerb verb)
    {
        var problems = new List<string>();
        for (var i = 0; i < tokens.Count; i++)
        {
            problems.Add(Unknown(tokens[i], verb));
            // What follows an unknown option is most likely its value.
            if (tokens[i].StartsWith('-') && i + 1 < tokens.Count && !tokens[i + 1].StartsWith('-')) i++;
        }
        return problems;
    }

    private static InvalidInputException OfProgram(ParseResult arguments, IReadOnlyList<IVerb> verbs)
    {
        var names = verbs.Select(v => v.Command.Name).ToList();
        var token = arguments.UnmatchedTokens is [var first, ..] ? first : null;
        if (token is null) return new InvalidInputException("no verb is given", null, string.Join(", ", names), "`meft --help` describes the verbs");
        var isOption = token.StartsWith('-');
        var known = isOption ? arguments.RootCommandResult.Command.Options.Select(o => o.Name).ToList() : names;
        return new InvalidInputException(
            $"'{token}' is no {(isOption ? "option" : "verb")}{DidYouMean(token, known)}", null, string.Join(", ", known),
            "`meft --help` describes the verbs");
    }

    private static string Unknown(string token, IVerb verb)
    {
        if (!token.StartsWith('-')) return $"'{token}' is one argument too many";
        // An option may have its value attached.
        var name = token.Split('=', ':')[0];
        return $"'{name}' is no option of {verb.Command.Name}{DidYouMean(name, verb.Command.Options.Select(o => o.Name))}"
            + (verb.Command.Options.Any(o => o.Name == "--set") ? "; what a config says is changed by --set KEY=VALUE" : "");
    }

    private static string DidYouMean(string token, IEnumerable<string> known) =>
        NearestName.IfClose(token, known) is { } nearest ? $" (did you mean {nearest}?)" : "";

    /// <summary>The parser's own texts name .NET types; where that happens, the kind of value that is allowed is said instead.</summary>
    private static string Rephrase(ParseError error)
    {
        var option = error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult;
        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0, Parent: CommandResult } missing) return $"{missing.Argument.Name} is required";
        if (option is null) return error.Message.TrimEnd('.');
        if (option.Tokens is [var token, ..] && Kind(option.Option.ValueType) is { } kind) return $"{option.Option.Name} is '{token.Value}', which is no {kind}";
        return option.Tokens.Count == 0 && option.Option.Required && option.Implicit ? $"{option.Option.Name} is required" : error.Message.TrimEnd('.');
    }

    private static string? Kind(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain == typeof(int) || plain == typeof(long)) return "whole number";
        if (plain == typeof(double) || plain == typeof(float)) return "number";
        if (plain == typeof(bool)) return "true or false";
        return plain.IsEnum ? $"value of {string.Join(" | ", Enum.GetNames(plain).Select(n => n.ToLowerInvariant()))}" : null;
    }
}
