using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Demonstration;
using Shouldly;

namespace Meft.Tests.Demonstration;

public class DemoTests
{
    private const int NewFacts = 0, OldLoss = 3;

    [Fact]
    public void The_base_learns_the_text_and_each_method_that_fits_the_same_facts()
    {
        var watched = new Watched();
        var report = Demo.Run(DemoOptions.Quick, watched, TestContext.Current.CancellationToken);

        var (model, result) = (report.Base, report.Comparison);
        model.Training.Cost.LastLoss.ShouldBeLessThan(model.Training.FirstLoss - 1);
        var before = result.Before.ShouldNotBeNull();
        before[OldLoss].Value.ShouldBeLessThan(model.Training.FirstLoss - 1);

        result.Methods.Select(m => m.Id).ShouldBe(["lora-8", "parallel-2048", "meft-1024"]);
        result.Methods.Select(m => m.State).ShouldBe([MethodState.Measured, MethodState.DoesNotFit, MethodState.Measured]);
        var (lora, dense, meft) = (result.Methods[0], result.Methods[1], result.Methods[2]);
        dense.PlannedDeviceBytes.ShouldBeGreaterThan(result.DeviceBudget!.Value);
        foreach (var method in new[] { lora, meft })
        {
            method.Figures!.Count.ShouldBe(result.Figures.Count);
            method.Figures[NewFacts].Value.ShouldBeGreaterThan(before[NewFacts].Value + 0.15);
            method.Cost!.DeviceBytesPeak.ShouldBeInRange(4 * model.Parameters, result.DeviceBudget.Value);
            // Planned was with the step of the most tokens; another may have more of them trained.
            (method.Cost.DeviceBytesPeak / (double)method.PlannedDeviceBytes).ShouldBeInRange(0.8, 1.2);
            method.Cost.LinkBytesPerStep.ShouldBeGreaterThan(0);
            // Weights with two moments each, in host memory.
            method.Cost.HostBytes.ShouldBeGreaterThanOrEqualTo(12 * method.Parameters);
        }
        meft.Parameters.ShouldBeGreaterThan(model.Parameters);
        meft.Cost!.DeviceBytesPeak.ShouldBeLessThan(meft.Cost.HostBytes);
        meft.Cost.ActiveRows.ShouldNotBeNull().ShouldBeInRange(0.01, 1);
        meft.DeadRows.Count.ShouldBe(model.Layers);
        lora.Cost!.ActiveRows.ShouldBeNull();
        // The same rows for both.
        (lora.Cost.Steps, lora.Cost.Tokens, lora.Cost.TrainedTokens).ShouldBe((meft.Cost.Steps, meft.Cost.Tokens, meft.Cost.TrainedTokens));

        result.Reference.ShouldBe(lora.Name);
        lora.Figures![NewFacts].ToReference.ShouldBeNull();
        meft.Figures![NewFacts].ToReference!.Value.ShouldBe(meft.Figures[NewFacts].Value - lora.Figures[NewFacts].Value, 1e-9);
        report.Samples.Select(sample => sample.Model).ShouldBe([lora.Name, meft.Name]);

        watched.Trainings.ShouldBe(3);
        watched.Steps.ShouldBe(model.Training.Cost.Steps + lora.Cost.Steps + meft.Cost.Steps);
    }

    [Fact]
    public void Rates_are_looked_for_on_facts_about_others()
    {
        var watched = new Watched();
        var options = DemoOptions.Quick with { Stories = 200, Epochs = 6, Methods = [new(MethodKind.Meft, 256, 1e-3)], FindsRates = true };
        var report = Demo.Run(options, watched, TestContext.Current.CancellationToken);

        var method = report.Comparison.Methods.ShouldHaveSingleItem();
        method.Grid.Count.ShouldBeGreaterThanOrEqualTo(2);
        method.Grid.Select(point => point.LearningRate).ShouldContain(method.LearningRate!.Value);
        var best = method.Grid.Max(point => point.Score);
        method.Grid.First(point => point.LearningRate == method.LearningRate).Score.ShouldBe(best);
        // The base, each rate, and the method itself.
        watched.Trainings.ShouldBe(method.Grid.Count + 2);
        // The search leaves nothing behind: with that rate said beforehand the same comes out.
        var again = Demo.Run(
            options with { Methods = [new(MethodKind.Meft, 256, method.LearningRate.Value)], FindsRates = false }, new Watched(), TestContext.Current.CancellationToken);
        again.Comparison.Methods[0].Figures!.Select(f => f.Value).ShouldBe(method.Figures!.Select(f => f.Value));
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
