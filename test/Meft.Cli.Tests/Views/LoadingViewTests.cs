using Meft.Cli.Views;
using Meft.Loading;
using Shouldly;
using Spectre.Console;
using Spectre.Console.Testing;

namespace Meft.Cli.Tests.Views;

public class LoadingViewTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Off_a_terminal_there_is_a_line_every_few_seconds()
    {
        var time = new ManualTime();
        var console = new TestConsole { Profile = { Width = 1000 } };
        console.Profile.Capabilities.Interactive = false;
        var result = LoadingView.Run(console, Telling(time, 2), time);
        result.ShouldBe(7);
        console.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
            ["loading the model: 4.00 MiB of 10.0 MiB", "loading the model: 7.00 MiB of 10.0 MiB", "loading the model: 10.0 MiB of 10.0 MiB"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_takes_a_moment_shows_nothing(bool interactive)
    {
        var time = new ManualTime();
        var console = new TestConsole { Profile = { Width = 200 } };
        console.Profile.Capabilities.Interactive = interactive;
        LoadingView.Run(console, Telling(time, 0.01), time);
        console.Output.ShouldBeEmpty();
    }

    [Fact]
    public void On_a_terminal_a_bar_says_how_many_bytes_and_an_error_passes_through()
    {
        var time = new ManualTime();
        var console = new TestConsole { Profile = { Width = 200 } }.Interactive().EmitAnsiSequences();
        Should.Throw<InvalidOperationException>(() => LoadingView.Run<int>(console, tell =>
        {
            Telling(time, 1, last: 5)(tell); // what is done is hidden
            throw new InvalidOperationException();
        }, time));
        console.Output.ShouldContain("loading the model: 5.00 MiB of 10.0 MiB");
        console.Write("afterwards"); // the bar is gone: nothing else holds the console
        console.Output.ShouldEndWith("afterwards");
    }

    private static Func<Action<LoadProgress>, int> Telling(ManualTime time, double seconds, int last = 10) => tell =>
    {
        for (var i = 1; i <= last; i++)
        {
            tell(new LoadProgress(i * MiB, 10 * MiB));
            time.Pass(seconds);
        }
        return 7;
    };
}
