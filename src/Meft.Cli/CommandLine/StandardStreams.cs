using System.Text;
using Spectre.Console;

namespace Meft.Cli.CommandLine;

/// <summary>The program's input and its two outputs.</summary>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="ErrorIsTerminal">Whether standard error is a terminal, so that it can be drawn on.</param>
internal sealed record StandardStreams(TextWriter Output, TextWriter Error, bool ErrorIsTerminal)
{
    private const int BufferChars = 1 << 14;

    /// <summary>Off a terminal no line is broken: a long line is for a file or another program.</summary>
    private const int UnboundedWidth = 1 << 16;

    /// <summary>Standard input.</summary>
    public TextReader Input { get; init; } = TextReader.Null;

    /// <summary>Whether standard input is a terminal, so that someone types it.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>The process's own streams. Standard output is buffered unless someone is watching it.</summary>
    public static StandardStreams OfProcess()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var output = new StreamWriter(Console.OpenStandardOutput(), utf8, BufferChars) { AutoFlush = !Console.IsOutputRedirected };
        return new StandardStreams(output, Console.Error, !Console.IsErrorRedirected)
        {
            Input = Console.In,
            InputIsTerminal = !Console.IsInputRedirected,
        };
    }

    /// <summary>Standard error as a console to draw on.</summary>
    public IAnsiConsole CreateStatus()
    {
        var status = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Error),
            Ansi = ErrorIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = ErrorIsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = ErrorIsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!ErrorIsTerminal) status.Profile.Width = UnboundedWidth;
        return status;
    }
}
