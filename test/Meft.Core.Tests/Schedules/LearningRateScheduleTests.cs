using System.Text.Json;
using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Schedules;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Schedules;

public class LearningRateScheduleTests
{
    private const string Fixture = "fixtures/lr_schedules.json";

    public static TheoryData<string> Cases => Assets.Enumerate(
        Fixture, path => JsonDocument.Parse(File.ReadAllText(path)).RootElement.EnumerateArray().Select((c, i) => $"{i} {c.GetProperty("name").GetString()}"));

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Category", "Fixtures")]
    public void Gives_the_rates_of_get_scheduler(string name)
    {
        var path = Assets.Require(Fixture.Split('/'));
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        var expected = json.RootElement[int.Parse(name.Split(' ')[0])];
        var kind = ChoiceName.Find<ScheduleKind>(expected.GetProperty("name").GetString()!).ShouldNotBeNull();
        var schedule = new LearningRateSchedule(
            kind, expected.GetProperty("base_lr").GetDouble(), expected.GetProperty("warmup").GetInt32(), expected.GetProperty("total").GetInt32());

        var rates = expected.GetProperty("lr").EnumerateArray().Select(r => r.GetDouble()).ToArray();
        rates.ShouldNotBeEmpty();
        for (var step = 0; step < rates.Length; step++)
            schedule.RateAt(step).ShouldBe(rates[step], 1e-12 * rates[step], $"step {step}");
    }

    [Theory]
    [InlineData(0.0, 100, 0)]
    [InlineData(0.05, 100, 5)]
    [InlineData(0.051, 100, 6)]
    [InlineData(0.999, 10, 10)]
    [InlineData(1.0, 100, 1)]
    [InlineData(30.0, 100, 30)]
    public void Warmup_below_one_is_a_share_rounded_up_else_steps(double warmup, int total, int steps) =>
        LearningRateSchedule.WarmupStepsOf(warmup, total).ShouldBe(steps);

    [Fact]
    public void Every_rate_lies_between_zero_and_the_base_rate() =>
        Gen.Select(Gen.Enum<ScheduleKind>(), Gen.Double[1e-6, 1], Gen.Int[0, 60], Gen.Int[0, 50], Gen.Int[0, 120]).Sample((kind, rate, warmup, total, step) =>
            new LearningRateSchedule(kind, rate, warmup, total).RateAt(step) is var given && given >= 0 && given <= rate * (1 + 1e-12));

    [Fact]
    public void Warmup_starts_at_zero_and_reaches_the_base_rate() =>
        Gen.Select(Gen.Enum<ScheduleKind>(), Gen.Int[1, 60]).Where((kind, _) => kind != ScheduleKind.Constant).Sample((kind, warmup) =>
        {
            var schedule = new LearningRateSchedule(kind, 0.5, warmup, 100);
            schedule.RateAt(0).ShouldBe(0);
            schedule.RateAt(warmup).ShouldBe(0.5, 1e-12);
        });

    [Fact]
    public void A_base_rate_that_a_polynomial_cannot_have_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => new LearningRateSchedule(ScheduleKind.Polynomial, 1e-7, 0, 10));
}
