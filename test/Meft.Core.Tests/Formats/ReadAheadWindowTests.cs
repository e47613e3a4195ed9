using CsCheck;
using Meft.Core.Formats;
using Shouldly;

namespace Meft.Core.Tests.Formats;

public class ReadAheadWindowTests
{
    private const long Window = ReadAheadWindow.Bytes;

    [Fact]
    public void A_file_that_is_read_in_order_is_asked_for_once_ahead_of_its_reader_and_in_large_pieces() =>
        Gen.Select(Gen.Long[0, 20 * Window], Gen.Long[1, 3 * Window]).Sample((length, most) =>
        {
            var window = new ReadAheadWindow(length);
            long asked = 0;
            for (long at = 0; at < length; at += most)
            {
                var read = Math.Min(most, length - at);
                var (from, end) = window.Next(at, read);
                from.ShouldBe(asked);
                end.ShouldBeInRange(from, length);
                // Half a window at least, but for the end of the file.
                if (end > from && end < length) (end - from).ShouldBeGreaterThanOrEqualTo(Window / 2);
                asked = end;
                asked.ShouldBeGreaterThanOrEqualTo(Math.Min(length, at + read + Window / 2));
                asked.ShouldBeLessThanOrEqualTo(at + read + Window);
            }
            asked.ShouldBe(length);
        }, iter: 300);

    [Fact]
    public void Who_reads_elsewhere_is_followed_there()
    {
        var window = new ReadAheadWindow(100 * Window);
        window.Next(0, 10).ShouldBe((0, Window + 10));
        window.Next(50 * Window, 10).ShouldBe((50 * Window, 51 * Window + 10));
        window.Next(Window, 10).ShouldBe((Window, 2 * Window + 10));
        // A little back, as of another thread, is no reason to ask again.
        window.Next(0, 10).ShouldBe((2 * Window + 10, 2 * Window + 10));
    }

    [Fact]
    public void Nothing_lies_behind_the_end()
    {
        var window = new ReadAheadWindow(1000);
        window.Next(0, 1000).ShouldBe((0, 1000));
        var (from, end) = window.Next(990, 10);
        end.ShouldBeLessThanOrEqualTo(from);
    }
}
