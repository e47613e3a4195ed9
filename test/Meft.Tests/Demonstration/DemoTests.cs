using Meft.Demonstration;
using Shouldly;

namespace Meft.Tests.Demonstration;

public class DemoTests
{
    [Fact]
    public void The_base_learns_the_text_and_the_adapter_the_facts()
    {
        var watched = new Watched();
        var report = Demo.Run(DemoOptions.Quick, watched, TestContext.Current.CancellationToken);

        var model = report.Base;
        model.Training.LastLoss.ShouldBeLessThan(model.Training.FirstLoss - 1);
        model.Knowledge.OldTextLoss.ShouldBeLessThan(model.Training.FirstLoss - 1);

        var meft = report.Methods.ShouldHaveSingleItem();
        meft.Training.LastLoss.ShouldBeLessThan(meft.Training.FirstLoss);
        meft.Knowledge.NewFacts.ShouldBeGreaterThan(model.Knowledge.NewFacts + 0.3);
        meft.Parameters.ShouldBeGreaterThan(model.Parameters);
        // K, V and gate with two moments each, in host memory; on the device the base, its activations and logits, less than what waits on the host.
        meft.Training.HostBytes.ShouldBeGreaterThanOrEqualTo(12 * meft.Parameters);
        meft.Training.DeviceBytesPeak.ShouldBeGreaterThan(4 * model.Parameters);
        meft.Training.DeviceBytesPeak.ShouldBeLessThan(meft.Training.HostBytes);
        meft.Training.ActiveRows.ShouldNotBeNull().ShouldBeInRange(0.01, 1);

        watched.Trainings.ShouldBe(2);
        watched.Steps.ShouldBe(model.Training.Steps + meft.Training.Steps);
    }

    [Fact]
    public void Cancelled_it_ends_between_two_steps()
    {
        using var source = new CancellationTokenSource();
        var watched = new Watched { OnStep = done => { if (done == 2) source.Cancel(); } };
        Should.Throw<OperationCanceledException>(() => Demo.Run(DemoOptions.Quick, watched, source.Token));
        watched.Steps.ShouldBe(2);
    }

    private sealed class Watched : IDemoProgress
    {
        public int Trainings { get; private set; }

        public int Steps { get; private set; }

        public Action<int>? OnStep { get; init; }

        public void Remark(string text) => text.ShouldNotContain("\n");

        public void BeginTraining(string name, int steps) => Trainings++;

        public void StepTaken(int done, double loss)
        {
            Steps++;
            OnStep?.Invoke(done);
        }
    }
}
