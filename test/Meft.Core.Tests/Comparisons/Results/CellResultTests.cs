using Meft.Core.Comparisons.Results;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Results;

public sealed class CellResultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Is_read_as_it_was_written()
    {
        var cell = Example();
        cell.Write(_folder.Path);
        var read = CellResult.TryRead(_folder.Path)!;
        read.Facts.ShouldBe(cell.Facts);
        read.Cost.ShouldBe(cell.Cost);
        read.Figures.Select(f => f.Observations().ToArray()).ShouldBe(cell.Figures.Select(f => f.Observations().ToArray()));
        read.DeadExperts.ShouldBe(cell.DeadExperts);
        read.Has(cell.Facts).ShouldBeTrue();
    }

    [Fact]
    public void Other_facts_are_not_its_own()
    {
        Example().Has(new Dictionary<string, string> { ["model"] = "a", ["rows"] = "c" }).ShouldBeFalse();
        Example().Has(new Dictionary<string, string> { ["model"] = "a" }).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"facts":{},"cost":null,"figures":[{"clusters":[0,1],"above":[1],"below":null}],"dead_experts":[],"dead_rows":[],"failure":null}""")]
    [InlineData("""{"facts":null,"cost":null,"figures":null,"dead_experts":[],"dead_rows":[],"failure":null}""")]
    public void What_is_damaged_counts_as_missing(string text)
    {
        File.WriteAllText(_folder.File(CellResult.FileName), text);
        CellResult.TryRead(_folder.Path).ShouldBeNull();
    }

    [Fact]
    public void Without_a_file_there_is_none() => CellResult.TryRead(_folder.File("missing")).ShouldBeNull();

    private static CellResult Example() => new(
        new Dictionary<string, string> { ["model"] = "a", ["rows"] = "b" },
        new MethodCost(1, 2, 3.5, 0.25, 10, 100, 20, 2.5, double.NaN, null),
        [new FigureNumbers([0, 1], [1, 0], null), new FigureNumbers([0, 0], [1.5, 2], [3, 4])],
        [new LayerShare(3, 0.25)], [], null);
}
