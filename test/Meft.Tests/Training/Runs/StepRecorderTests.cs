using Meft.Core.Metrics;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training.Runs;

public class StepRecorderTests
{
    [Fact]
    public void A_run_that_learns_nothing_any_more_is_warned_of_once()
    {
        var remarks = new SampleRun.Remarks();
        var recorder = new StepRecorder(remarks);
        double[] norms = [1, 0, 0, 1, 0, 0, 0, 0, 0];
        foreach (var (index, norm) in norms.Index()) recorder.StepTaken(Step(index + 1, norm));
        remarks.Texts.ShouldHaveSingleItem().ShouldStartWith("warning: no gradient has reached anything that is trained for 3 steps, up to step 7");
    }

    private static StepMetrics Step(int number, double norm) => new()
    {
        Step = number,
        Epoch = 0,
        Loss = 2,
        LearningRate = 1,
        GradNorm = norm,
        Tokens = 4,
        TrainedTokens = 3,
        Seconds = 0.5,
    };
}
