using System.Collections;
using System.Text;
using System.Text.Json;
using CsCheck;
using Meft.Core.Comparisons.Results;
using Meft.Core.Errors;
using Meft.TestSupport;
using Meft.TestSupport.Comparisons;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Results;

public sealed class ComparisonJsonTests : IDisposable
{
    private static readonly double[] Odd = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, -0.0];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<ComparisonResult> Samples() => new(
        SampleComparisons.Facts(), SampleComparisons.One(), SampleComparisons.NothingYet(), SampleComparisons.HalfWay(), SampleComparisons.Many());

    [Theory]
    [MemberData(nameof(Samples), DisableDiscoveryEnumeration = true)]
    public void What_is_written_is_read(ComparisonResult result)
    {
        var read = ComparisonResult.Parse(result.ToJson(), "compare.json");
        Leaves(read).ShouldBe(Leaves(result));
        read.ToJson().ShouldBe(result.ToJson());
    }

    [Fact]
    public void Numbers_of_every_kind_come_back_as_they_were() =>
        Gen.Select(Gen.Double, Gen.Double, Gen.Int[0, 3].Select(i => Odd[i])).Sample((a, b, odd) =>
        {
            var facts = SampleComparisons.Facts();
            var value = new FigureValue(odd, new(a, odd), [a, b, odd], new FigureDifference(b, null));
            var method = facts.Methods[4] with { Figures = [value, value, value, value], LearningRate = a, Cost = facts.Methods[4].Cost! with { StepSeconds = odd, LastLoss = b, ActiveRows = odd } };
            var json = (facts with { Methods = [method, facts.Methods[0]] }).ToJson();
            JsonDocument.Parse(json).Dispose(); // one document, whatever the numbers
            var read = ComparisonResult.Parse(json, "compare.json").Methods[0];
            read.Figures![0].PerSeed.ShouldBe([a, b, odd]);
            read.Figures[0].Interval.ShouldBe(new(a, odd));
            read.Figures[0].ToReference.ShouldBe(new FigureDifference(b, null));
            read.Cost.ShouldBe(method.Cost);
            read.LearningRate.ShouldBe(a);
        });

    [Fact]
    public void Names_are_in_snake_case_and_letters_as_they_are()
    {
        using var document = JsonDocument.Parse((SampleComparisons.Facts() with { Model = "Größe" }).ToJson());
        document.RootElement.GetProperty("model").GetString().ShouldBe("Größe");
        var method = document.RootElement.GetProperty("methods")[6];
        method.GetProperty("kind").GetString().ShouldBe("meft");
        method.GetProperty("is_rate_at_edge").GetBoolean().ShouldBeFalse();
        method.GetProperty("does_not_fit").ValueKind.ShouldBe(JsonValueKind.Null);
        method.GetProperty("cost").GetProperty("link_bytes_per_step").GetDouble().ShouldBeGreaterThan(0);
        method.TryGetProperty("state", out _).ShouldBeFalse(); // it follows from the rest
        document.RootElement.GetProperty("figures")[3].GetProperty("unit").GetString().ShouldBe("number");
    }

    [Theory]
    [InlineData("null", "it is null")]
    [InlineData("{", "no result of a comparison")]
    [InlineData("{}", "no result of a comparison")]
    public void What_is_no_result_is_refused(string json, string problem)
    {
        var error = Should.Throw<InvalidInputException>(() => ComparisonResult.Parse(json, "runs/compare.json"));
        error.Message.ShouldContain(problem);
        error.Message.ShouldContain("runs/compare.json");
    }

    [Fact]
    public void Parts_that_do_not_belong_together_are_refused()
    {
        var facts = SampleComparisons.Facts();
        Refused(facts with { Reference = "other" }).ShouldContain("the reference other is none of its methods");
        Refused(facts with { Figures = [facts.Figures[0]] }).ShouldContain("before has 4 values for 1 figures");
        Refused(facts with { Methods = [facts.Methods[0] with { Figures = [] }] }).ShouldContain("method LoRA r = 8 has 0 values for 4 figures");
        Refused(facts with { Methods = [null!] }).ShouldContain("holds null");

        static string Refused(ComparisonResult result) => Should.Throw<InvalidInputException>(() => ComparisonResult.Parse(result.ToJson(), "compare.json")).Message;
    }

    [Fact]
    public void A_changed_file_is_read_or_refused()
    {
        var path = _folder.File("compare.json");
        byte[][] valid = [Encoding.UTF8.GetBytes(SampleComparisons.HalfWay().ToJson()), Encoding.UTF8.GetBytes(SampleComparisons.One().ToJson())];
        ReaderFuzz.Run(path, valid, () => ComparisonResult.Parse(File.ReadAllText(path), path), e => e is InvalidInputException, path, cases: 200, bytesPerByte: 1000);
    }

    /// <summary>Every value with its path, whatever the types of the lists that hold it.</summary>
    private static IEnumerable<string> Leaves(object? value, string path = "") => value switch
    {
        null or string or Enum => [$"{path}: {value ?? "null"}"],
        IEnumerable list => list.Cast<object?>().SelectMany((item, i) => Leaves(item, $"{path}[{i}]")).Append($"{path}: a list"),
        _ when value.GetType().IsPrimitive => [$"{path}: {value}"],
        _ => value.GetType().GetProperties().SelectMany(property => Leaves(property.GetValue(value), $"{path}.{property.Name}")),
    };
}
