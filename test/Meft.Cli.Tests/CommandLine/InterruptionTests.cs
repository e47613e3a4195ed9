using System.Runtime.InteropServices;
using Meft.Cli.CommandLine;
using Shouldly;

namespace Meft.Cli.Tests.CommandLine;

public class InterruptionTests
{
    [Fact]
    public void The_first_one_asks_to_stop_and_the_second_one_ends_the_process()
    {
        using var error = new StringWriter();
        using var interruption = new Interruption(error);
        var first = new PosixSignalContext(PosixSignal.SIGINT);
        interruption.Take(first);
        first.Cancel.ShouldBeTrue();
        interruption.Token.IsCancellationRequested.ShouldBeTrue();
        error.ToString().ShouldContain("second Ctrl-C");

        var second = new PosixSignalContext(PosixSignal.SIGINT);
        interruption.Take(second);
        second.Cancel.ShouldBeFalse();
    }

    [Fact]
    public void A_diverted_one_is_the_verbs_until_the_diversion_ends()
    {
        var taken = 0;
        using var error = new StringWriter();
        using var interruption = new Interruption(error);
        using (interruption.Divert(() => taken++))
        {
            for (var i = 0; i < 2; i++)
            {
                var signal = new PosixSignalContext(PosixSignal.SIGINT);
                interruption.Take(signal);
                signal.Cancel.ShouldBeTrue();
            }
            taken.ShouldBe(2);
            (interruption.Requested, error.ToString()).ShouldBe((false, ""));
        }
        interruption.Take(new PosixSignalContext(PosixSignal.SIGINT));
        interruption.Requested.ShouldBeTrue();
    }
}
