using Meft.Core.Errors;
using Meft.Reporting.TensorBoard;
using Meft.TestSupport;
using Meft.Training.Samples;
using Shouldly;
using Tensorboard;

namespace Meft.Tests.Reporting.TensorBoard;

public sealed class EventFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_file_begins_with_its_version_and_holds_scalars_by_step()
    {
        using (var file = EventFile.Create(_folder.Path, 0, new FixedTime()))
        {
            file.Scalars(7, ("loss/train", 1.5), ("loss/validation", double.NaN), ("speed", 3));
            file.Scalars(8, ("loss/validation", double.NaN));
        }
        var events = EventReader.Read(EventFile.In(_folder.Path).ShouldHaveSingleItem());
        events.Count.ShouldBe(2); // of nothing there is no event
        events[0].FileVersion.ShouldBe("brain.Event:2");
        (events[1].Step, events[1].WallTime).ShouldBe((7, 1_700_000_000.25));
        events[1].Summary.Value.Select(v => (v.Tag, v.SimpleValue)).ShouldBe([("loss/train", 1.5f), ("speed", 3f)]);
    }

    /// <summary>Written out by hand after the protobuf encoding and TensorFlow's event.proto: a double is field 1, the step 2, the version 3.</summary>
    [Fact]
    public void The_first_record_has_these_bytes()
    {
        using (EventFile.Create(_folder.Path, 0, new FixedTime()))
        {
        }
        byte[] data = [0x09, .. BitConverter.GetBytes(1_700_000_000.25), 0x1A, 13, .. "brain.Event:2"u8];
        File.ReadAllBytes(EventFile.In(_folder.Path)[0]).ShouldBe(RecordFile.Frame(data));
    }

    [Fact]
    public void A_text_is_a_string_tensor_of_the_text_plugin()
    {
        var sample = new Sample(20, 4, "Once\nupon", "a time", " a time", null);
        using (var file = EventFile.Create(_folder.Path, 0)) file.Text(sample.Step, RunEvents.TagOf(sample), RunEvents.Markdown(sample));
        var (step, value) = EventReader.Series(_folder.Path, "samples/004").ShouldHaveSingleItem();
        step.ShouldBe(20);
        value.Metadata.PluginData.PluginName.ShouldBe("text");
        value.Tensor.Dtype.ShouldBe(DataType.DtString);
        value.Tensor.TensorShape.Dim.ShouldHaveSingleItem().Size.ShouldBe(1);
        var text = value.Tensor.StringVal.ShouldHaveSingleItem().ToStringUtf8();
        text.ShouldContain("    Once\n    upon\n");
        text.ShouldContain("**expected**");
        text.ShouldNotContain("base");
    }

    [Fact]
    public void A_resumed_run_has_a_later_file_that_takes_back_the_steps_after_its_beginning()
    {
        var time = new FixedTime();
        using (var file = EventFile.Create(_folder.Path, 0, time))
        {
            for (var step = 1; step <= 5; step++) file.Scalars(step, ("loss", step));
        }
        File.AppendAllText(EventFile.In(_folder.Path)[0], "half a rec");
        using (var file = EventFile.Create(_folder.Path, 3, time)) // within the same second
        {
            file.Scalars(4, ("loss", 40));
        }
        EventFile.In(_folder.Path).Count.ShouldBe(2);
        EventReader.Series(_folder.Path, "loss").Select(s => (s.Step, s.Value.SimpleValue)).ShouldBe([(1, 1f), (2, 2f), (3, 3f), (4, 40f)]);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error_that_names_the_file() =>
        Should.Throw<Exception>(() => EventFile.Create(_folder.File("absent"), 0)).ShouldBeOfType<RunFailedException>().Location!.ShouldContain("absent");

    public void Dispose() => _folder.Dispose();

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1_700_000_000.25);
    }
}
