using Meft.Cli.CommandLine;
using Meft.Core.Chat;
using Meft.Core.Errors;
using Meft.Generation;
using Spectre.Console;

namespace Meft.Cli.Chat;

/// <summary>
/// A conversation on the terminal, or with lines that are piped in: then there is no prompt, and an error ends it, for nobody is there to
/// say it in other words.
/// </summary>
/// <param name="answerer">Gives the answers.</param>
/// <param name="context">Where lines come from and answers go to.</param>
internal sealed class ChatSession(Answerer answerer, VerbContext context)
{
    private readonly Conversation _conversation = new();

    /// <summary>Talks until the input ends or the user leaves.</summary>
    public void Run()
    {
        var commands = new ChatCommands(_conversation, context);
        // Sources are not disposed of: a signal may still be on its way to them, and they hold nothing.
        var leaving = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        CancellationTokenSource? answering = null;
        using var diversion = context.Interruption?.Divert(() => (Volatile.Read(ref answering) ?? leaving).Cancel());
        if (context.InputIsTerminal) context.Status.WriteLine("/help lists the commands; Ctrl-C ends an answer, and at the prompt the conversation.");
        while (ReadLine(leaving.Token) is { } line)
        {
            try
            {
                if (line.Length == 0) continue;
                if (line[0] == '/')
                {
                    if (!commands.Run(line)) return;
                    continue;
                }
                var source = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
                Volatile.Write(ref answering, source);
                Answer(line, source.Token);
            }
            catch (MeftException e) when (context.InputIsTerminal && e is not OutputFailedException)
            {
                context.Status.WriteLine($"error: {e.Message}");
            }
            finally
            {
                Volatile.Write(ref answering, null);
            }
        }
    }

    /// <summary>The next line; null where the input ends or the user leaves while it is waited for.</summary>
    private string? ReadLine(CancellationToken leaving)
    {
        if (context.InputIsTerminal) context.Status.Write("> ");
        // Nothing can be done about a read that waits; it ends with the process.
        var line = Task.Run(context.Input.ReadLine, CancellationToken.None);
        try
        {
            line.Wait(leaving);
        }
        catch (OperationCanceledException)
        {
            if (context.InputIsTerminal) context.Status.WriteLine();
            return null;
        }
        return line.Result?.Trim();
    }

    private void Answer(string question, CancellationToken cancellation)
    {
        _conversation.Ask(question);
        GeneratedText answer;
        try
        {
            answer = answerer.Answer(_conversation, Write, cancellation);
        }
        catch
        {
            _conversation.Undo();
            throw;
        }
        _conversation.Answer(answer.Text!);
        context.Results.WriteLine();
        context.Results.Flush();
        if (answer.Finish == FinishReason.Length) context.Status.WriteLine("(the most new tokens, or the model's longest text, ended the answer)");
        if (answer.Finish == FinishReason.Cancelled) context.Status.WriteLine("(interrupted)");
    }

    private void Write(string text)
    {
        context.Results.Write(text);
        context.Results.Flush();
    }
}
