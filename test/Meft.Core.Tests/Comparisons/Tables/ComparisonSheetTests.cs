using Meft.Core.Comparisons.Tables;
using Meft.TestSupport.Comparisons;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Tables;

public class ComparisonSheetTests
{
    [Fact]
    public void Columns_are_costs_then_scores_with_old_knowledge_last()
    {
        var sheet = ComparisonSheet.Of(SampleComparisons.Facts());
        sheet.Costs.Select(c => c.Head).ShouldBe(["parameters", "device bytes", "host bytes", "link/step", "s/step", "tokens", "rate"]);
        sheet.Scores.Select(c => c.Head).ShouldBe(
            ["efficacy, %", "to LoRA r = 8", "generalisation, %", "neighbours, % (old)", "wikitext2 perplexity ↓ (old)"]);
        sheet.Names[0].ShouldBe(ComparisonSheet.Base);
        Row(sheet, 0)[^5..].ShouldBe(["0.6 [0.2, 1.0]", "", "0.8 [0.4, 1.2]", "14.0 [12.8, 15.1]", "22.10 [20.00, 23.99]"]);
        Row(sheet, 5).ShouldBe(
        [
            "73.0 M", "313 MiB", "1.09 GiB", "31.4 MiB", "0.531", "117 k", "0.001",
            "91.4 [89.4, 93.2]", "+66.3 [+64.3, +68.3]", "18.7 [17.2, 20.1]", "9.4 [8.2, 10.5]", "25.20 [23.00, 27.18]",
        ]);
        Row(sheet, 1)[8].ShouldBe("reference");
    }

    [Fact]
    public void An_old_figure_between_others_goes_last_and_the_score_stays_first()
    {
        var facts = SampleComparisons.Facts();
        var heads = ComparisonSheet.Of(facts with { Figures = [facts.Figures[3], facts.Figures[2], facts.Figures[0], facts.Figures[1]] }).Scores.Select(c => c.Head);
        heads.ShouldBe(["wikitext2 perplexity ↓ (old)", "to LoRA r = 8", "efficacy, %", "generalisation, %", "neighbours, % (old)"]);
    }

    [Fact]
    public void The_spread_over_seeds_has_a_column_for_each_figure_and_only_with_several_seeds()
    {
        var facts = SampleComparisons.Facts();
        var methods = facts.Methods.ToArray();
        methods[1] = methods[1] with { Figures = [.. methods[1].Figures!.Select((f, i) => f with { PerSeed = i == 0 ? [0.9, 0.85, 0.875] : f.PerSeed })] };
        methods[2] = methods[2] with { Figures = [.. methods[2].Figures!.Select(f => f with { PerSeed = [0.5] })] };
        var sheet = ComparisonSheet.Of(facts with { Methods = methods });
        sheet.Spread.Select(c => c.Head).ShouldBe(sheet.Scores.Where(c => !c.Head.StartsWith("to ", StringComparison.Ordinal)).Select(c => c.Head));
        sheet.Spread[0].Cells[0].ShouldBe("");
        sheet.Spread[0].Cells[2].ShouldBe("85.0 – 90.0");
        sheet.Spread[0].Cells[3].ShouldBe("–");
        sheet.Spread[0].Cells[8].ShouldBe("–"); // does not fit
        ComparisonSheet.Of(SampleComparisons.One()).Spread.ShouldBeEmpty();
        ComparisonMarkdown.Text(facts).ShouldContain($"| {ComparisonSheet.SpreadTitle} | efficacy, % |");
        ComparisonMarkdown.Text(SampleComparisons.One()).ShouldNotContain(ComparisonSheet.SpreadTitle);
    }

    [Fact]
    public void Costs_of_several_machines_are_told_apart()
    {
        var facts = SampleComparisons.Facts();
        ComparisonMarkdown.Text(facts).ShouldEndWith($"{facts.Machine}; meft {facts.Version}.\n");
        var sheet = ComparisonSheet.Of(facts with { Methods = [.. facts.Methods.Select((method, i) => method with { CostMachine = i == 2 ? null : $"box {i % 2}" })] });
        var machines = sheet.Costs.Single(column => column.Head == "machine");
        machines.Cells.Take(5).ShouldBe(["", "A", "B", "C", "B"]);
        machines.Cells[8].ShouldBe("–"); // does not fit
        sheet.Notes.ShouldContain("Bytes and seconds of a row are of one machine: A: box 0; B: box 1; C: one that was not taken down.");
    }

    [Fact]
    public void Few_records_and_different_first_moments_are_told()
    {
        var facts = SampleComparisons.One();
        ComparisonSheet.Of(facts).Notes.ShouldNotContain(note => note.Contains("so few", StringComparison.Ordinal) || note.Contains("beta1", StringComparison.Ordinal));
        var (method, other) = (facts.Methods[0] with { Beta1 = 0.5 }, facts.Methods[0] with { Name = "another", Beta1 = 0.9 });
        var notes = ComparisonSheet.Of(facts with { Methods = [method, other], Records = [.. facts.Figures.Select((_, i) => i == 0 ? 4 : 400)] }).Notes;
        notes.ShouldContain($"{facts.Figures[0].Label} is of 4 records: intervals over so few say little.");
        notes.ShouldContain($"AdamW's beta1 differs: 0.5 of {method.Name}; 0.9 of another.");
    }

    [Fact]
    public void A_plan_alone_shows_what_is_planned_and_says_that_nothing_was_trained()
    {
        var sheet = ComparisonSheet.Of(SampleComparisons.NothingYet());
        sheet.Costs.Select(c => c.Head).ShouldBe(["parameters", "device bytes", "host bytes"]);
        sheet.Scores.ShouldBeEmpty();
        sheet.Notes.ShouldContain("Planned alone: nothing has been trained.");
        sheet.Notes.ShouldNotContain(n => n.StartsWith("Not complete", StringComparison.Ordinal) || n.Contains('↓') || n.Contains("(old)", StringComparison.Ordinal));
    }

    [Fact]
    public void A_method_that_does_not_fit_shows_what_it_needs_and_what_there_is()
    {
        var sheet = ComparisonSheet.Of(SampleComparisons.Facts());
        Row(sheet, 8).ShouldBe(["135 M", "~2.26 GiB > 1.00 GiB", "~2.00 GiB", "–", "–", "–", "–", "does not fit", "–", "–", "–", "–"]);
        sheet.Notes.ShouldContain(n => n.StartsWith("all weights does not fit: it needs 2.26 GiB", StringComparison.Ordinal));
        sheet.Notes.ShouldContain("~ is planned, not measured.");

        // It may be the host that is short: no budget is exceeded then.
        var facts = SampleComparisons.Facts();
        Row(ComparisonSheet.Of(facts with { DeviceBudget = 4L << 30 }), 8)[1].ShouldBe("~2.26 GiB");
    }

    [Fact]
    public void What_failed_and_what_waits_is_said()
    {
        var sheet = ComparisonSheet.Of(SampleComparisons.HalfWay());
        Row(sheet, 4)[7..9].ShouldBe(["failed", "–"]);
        Row(sheet, 6)[7..9].ShouldBe(["–", "–"]);
        Row(sheet, 6)[1].ShouldStartWith("~");
        sheet.Notes.ShouldContain("parallel R = 4,096 failed: the loss of step 31 is not finite in seed 0.");
        sheet.Notes.ShouldContain("LoRA r = 64: 2 of 3 seeds.");
        sheet.Notes.ShouldContain(n => n.StartsWith("Not complete", StringComparison.Ordinal));
    }

    [Fact]
    public void A_rate_at_the_end_of_its_grid_is_marked()
    {
        var sheet = ComparisonSheet.Of(SampleComparisons.Facts());
        sheet.Costs[^1].Cells.ShouldBe(["", "0.001", "0.001*", "0.002", "0.002", "0.001", "0.001", "0.001", "–"]);
        sheet.Notes.Count(n => n.StartsWith('*')).ShouldBe(1);
        ComparisonSheet.Of(SampleComparisons.One()).Notes.ShouldNotContain(n => n.StartsWith('*') || n.StartsWith('~'));
    }

    [Fact]
    public void Without_a_reference_there_is_no_difference() =>
        ComparisonSheet.Of(SampleComparisons.One()).Scores.Count.ShouldBe(4);

    [Fact]
    public void Markdown_has_a_line_for_each_row_with_as_many_cells()
    {
        var many = SampleComparisons.Many();
        var named = many with { Methods = [many.Methods[0] with { Name = "a|b*c_d <i>" }, .. many.Methods.Skip(1)], Reference = null };
        var lines = ComparisonMarkdown.Text(named).Split('\n');
        lines[0].ShouldStartWith("| method | parameters | device bytes |");
        lines[1].ShouldBe("|---" + string.Concat(Enumerable.Repeat("|---:", 11)) + "|");
        lines[3].ShouldStartWith(@"| a\|b\*c\_d \<i> | 1.22 M |");
        foreach (var line in lines.Take(2 + 15)) line.Replace(@"\|", "", StringComparison.Ordinal).Count(c => c == '|').ShouldBe(13);
        lines[17].ShouldBeEmpty();
        lines[18].ShouldStartWith($"| {ComparisonSheet.SpreadTitle} | efficacy, % |");
        foreach (var line in lines.Skip(18).Take(2 + 14)) line.Replace(@"\|", "", StringComparison.Ordinal).Count(c => c == '|').ShouldBe(6);
        lines[34].ShouldBeEmpty();
        lines[35].ShouldContain("does not fit");
        ComparisonMarkdown.Text(SampleComparisons.NothingYet()).ShouldContain("\n| LoRA r = 8 | 2.44 M | \\~337 MiB | \\~37.3 MiB |\n");
    }

    private static string[] Row(ComparisonSheet sheet, int row) => [.. sheet.Costs.Concat(sheet.Scores).Select(c => c.Cells[row])];
}
