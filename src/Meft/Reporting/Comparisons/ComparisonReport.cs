using System.Text;
using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;
using Meft.Core.Configuration;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting.Comparisons;

/// <summary>A comparison's <c>report.html</c>: one file without anything outside of it. Pictures, tables, dead experts and neurons, the config.</summary>
public static class ComparisonReport
{
    private static readonly (string Style, double Width, double Height)[] Sizes = [("broad", 520, 380), ("slim", 370, 360)];

    /// <summary>The page.</summary>
    /// <param name="result">What the comparison came to so far.</param>
    /// <param name="config">The config file's text.</param>
    public static string Html(ComparisonResult result, string config)
    {
        var sheet = ComparisonSheet.Of(result);
        var title = $"{result.Methods.Count} {(result.Methods.Count == 1 ? "method" : "methods")} on {result.Model}";
        var (state, style) = result.IsComplete ? ("finished", "good") : ("not finished", "busy");
        var page = new StringBuilder();
        page.Append($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{PlotText.Xml(title)}</title>");
        page.Append($"<style>{ReportStyle.Css}{ComparisonStyle.Colours}{ComparisonStyle.Plot}{ComparisonStyle.Page}</style></head>");
        page.Append($"<body><header><h1>{PlotText.Xml(title)} <span class=\"state {style}\">{state}</span></h1><p>{PlotText.Xml(Subject(result))}</p>{Tiles(result)}{Kinds(result)}</header><main>");

        var score = result.Figures[0].Label;
        foreach (var i in result.Learnt)
        {
            Picture(page, $"{result.Figures[i].Label} against device memory", ComparisonPlots.ByDeviceBytes(result, i));
            Picture(page, $"{result.Figures[i].Label} against trained parameters", ComparisonPlots.ByParameters(result, i));
        }
        Card(page, "Figures", SheetSection.Html(result, sheet, sheet.Scores) + SheetSection.Notes(sheet), wide: true);
        if (sheet.Spread.Count > 0) Card(page, "Least and largest of the seeds", SheetSection.Html(result, sheet, sheet.Spread), wide: true);
        Card(page, "Costs", SheetSection.Html(result, sheet, sheet.Costs), wide: true);
        Picture(page, "Seconds a step against R", ComparisonPlots.SecondsByRank(result));
        for (var i = 1; i < result.Figures.Count; i++)
        {
            if (result.Figures[i].IsOldKnowledge) Picture(page, $"Old knowledge: {result.Figures[i].Label} against {score}", ComparisonPlots.OldKnowledge(result, i));
        }
        Picture(page, "Learning rates on the held-out split", ComparisonPlots.RateCurves(result), RateNotes(result));
        Card(page, "Dead experts and neurons by layer", DeadSection.Html(result), wide: true);
        Card(page, $"Config: {result.Config}", config.Length > 0 ? $"<pre>{PlotText.Xml(config)}</pre>" : "", wide: true);
        return page.Append("</main></body></html>\n").ToString();
    }

    private static string Subject(ComparisonResult result) =>
        Invariant($"Trained on {result.TrainingRows:N0} rows with {(result.Seeds.Count == 1 ? "seed" : "seeds")} {string.Join(", ", result.Seeds)}. {result.Machine}. Meft {result.Version}.");

    private static string Tiles(ComparisonResult result)
    {
        var page = new StringBuilder("<div class=\"tiles\">");
        void Tile(string name, string value, string more = "") =>
            page.Append($"<div><small>{PlotText.Xml(name)}</small><b>{PlotText.Xml(value)}</b><small>{PlotText.Xml(more)}</small></div>");
        var (score, measured) = (result.Figures[0], result.Methods.Where(m => m.Figures is not null && double.IsFinite(m.Figures[0].Value)).ToList());
        var tooLarge = result.Methods.Count(m => m.State == MethodState.DoesNotFit);
        Tile("methods measured", Invariant($"{measured.Count} of {result.Methods.Count}"), tooLarge == 0 ? "" : Invariant($"{tooLarge} {(tooLarge == 1 ? "does" : "do")} not fit"));
        if (measured.Count > 0)
        {
            var best = score.HigherIsBetter ? measured.MaxBy(m => m.Figures![0].Value)! : measured.MinBy(m => m.Figures![0].Value)!;
            Tile($"best {score.Label}", Value(best.Figures![0]), best.Name);
        }
        if (result.Before is { } before) Tile($"{score.Label} before", Value(before[0]), ComparisonSheet.Base);
        if (result.DeviceBudget is { } budget) Tile("device budget", Bytes(budget));
        Tile("base", ComparisonText.Count(result.BaseParameters), "parameters");
        return page.Append("</div>").ToString();

        string Value(FigureValue value) => ComparisonText.FigureWithUnit(value.Value, score.Unit);
    }

    /// <summary>What the marks mean.</summary>
    private static string Kinds(ComparisonResult result)
    {
        var page = new StringBuilder("<p class=\"kinds\">");
        foreach (var kind in result.Methods.Select(m => m.Kind).Distinct().Order()) page.Append($"<span>{Mark.Icon(kind)}{Name(kind)}</span>");
        return page.Append("</p>").ToString();
    }

    private static string Name(MethodKind kind) => kind switch
    {
        MethodKind.Meft => "sparse adapter (meft)",
        MethodKind.Parallel => "dense parallel adapter",
        MethodKind.Lora => "LoRA",
        _ => "all weights (full)",
    };

    private static string RateNotes(ComparisonResult result)
    {
        var failed = result.Methods.SelectMany(m => m.Grid.Where(g => g.Failure is not null).Select(g => $"{m.Name} at {ComparisonText.Rate(g.LearningRate)}: {g.Failure}.")).ToList();
        return failed.Count == 0 ? "" : $"<details><summary>{failed.Count} {(failed.Count == 1 ? "rate" : "rates")} without a score</summary>{string.Concat(failed.Select(f => $"<p class=\"note\">{PlotText.Xml(f)}</p>"))}</details>";
    }

    private static void Picture(StringBuilder page, string title, Plot? plot, string below = "")
    {
        if (plot is null) return;
        var figures = new StringBuilder();
        foreach (var (style, width, height) in Sizes)
        {
            var (content, total) = PlotDrawing.Draw(plot, width, height);
            figures.Append(Invariant($"<figure class=\"plot {style}\"><svg viewBox=\"0 0 {width} {total}\" role=\"img\" aria-label=\"{PlotText.Xml(plot.Title)}\">{content}</svg></figure>"));
        }
        Card(page, title, figures.Append(below).ToString());
    }

    private static void Card(StringBuilder page, string title, string content, bool wide = false)
    {
        if (content.Length > 0) page.Append($"<section{(wide ? " class=\"wide\"" : "")}><h2>{PlotText.Xml(title)}</h2>{content}</section>");
    }
}
