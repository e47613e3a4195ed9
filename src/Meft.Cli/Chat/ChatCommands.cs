using System.Text.Json;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Spectre.Console;

namespace Meft.Cli.Chat;

/// <summary>The lines of a conversation that begin with a slash.</summary>
/// <param name="conversation">What they change.</param>
/// <param name="context">Where they write.</param>
internal sealed class ChatCommands(Conversation conversation, VerbContext context)
{
    private static readonly (string Name, string Help)[] All =
    [
        ("/help", "list the commands"),
        ("/reset", "forget the conversation; the system message stays"),
        ("/history", "show the conversation"),
        ("/undo", "take back the last question and its answer"),
        ("/system", "TEXT: what the system says before everything; without a text, nothing"),
        ("/save", "FILE: write the conversation as a row of {\"messages\"}"),
        ("/quit", "leave; so does the end of the input"),
    ];

    /// <summary>Carries out a command.</summary>
    /// <param name="line">The line, from its slash.</param>
    /// <returns>Whether the conversation goes on.</returns>
    /// <exception cref="InvalidInputException">There is no such command, or it cannot be carried out.</exception>
    public bool Run(string line)
    {
        var words = line.Split(' ', 2, StringSplitOptions.TrimEntries);
        var (name, text) = (words[0], words.Length > 1 ? words[1] : "");
        switch (name)
        {
            case "/help":
                foreach (var (command, help) in All) context.Status.WriteLine($"{command,-9} {help}");
                break;
            case "/reset":
                conversation.Reset();
                context.Status.WriteLine("(forgotten)");
                break;
            case "/history":
                foreach (var message in conversation.Messages) context.Results.WriteLine($"{message.Role}: {message.Content}");
                context.Results.Flush();
                break;
            case "/undo":
                context.Status.WriteLine(conversation.Undo() ? "(taken back)" : "(there is nothing to take back)");
                break;
            case "/system":
                conversation.System = text.Length > 0 ? text : null;
                context.Status.WriteLine(text.Length > 0 ? "(the system message is set)" : "(no system message)");
                break;
            case "/save":
                Save(text);
                break;
            case "/quit":
                return false;
            default:
                throw Unknown(name);
        }
        return true;
    }

    private void Save(string path)
    {
        if (path.Length == 0) throw new InvalidInputException("/save names no file", null, "/save FILE");
        ResultLines.Write(path, [JsonText.Line(WriteMessages)], context);
        context.Status.WriteLine($"({conversation.Messages.Count} messages in {path})");
    }

    private void WriteMessages(Utf8JsonWriter json)
    {
        json.WriteStartArray("messages");
        foreach (var message in conversation.Messages)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role);
            json.WriteString("content", message.Content);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static InvalidInputException Unknown(string name)
    {
        var nearest = NearestName.IfClose(name, All.Select(command => command.Name));
        return new InvalidInputException(
            $"'{name}' is no command", null, string.Join(" ", All.Select(command => command.Name)), nearest is null ? null : $"Did you mean {nearest}?");
    }
}
