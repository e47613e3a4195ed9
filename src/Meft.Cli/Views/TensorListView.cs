using Meft.Inspection;

namespace Meft.Cli.Views;

/// <summary>Tensors one a line, and totals by type.</summary>
internal static class TensorListView
{
    /// <summary>Names and shapes are padded up to these widths, so that one long name does not push all others off the screen.</summary>
    private const int MostNameWidth = 52, MostShapeWidth = 16;

    /// <summary>The totals, the largest type first.</summary>
    public static IEnumerable<string> Totals(TensorList tensors)
    {
        var table = new AlignedTable("type", "tensors", "elements", "bytes");
        foreach (var type in tensors.ByType) table.Add(type.DType, $"{type.Tensors:N0}", Quantities.Count(type.Elements), Quantities.Bytes(type.Bytes));
        return Lines(table);
    }

    /// <summary>Name, type, shape and bytes.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="most">How many are shown at most; the last line tells how many are not.</param>
    public static void WriteEach(TextWriter text, TensorList tensors, int most)
    {
        var shown = tensors.All.Take(most).ToList();
        if (shown.Count == 0) return;
        text.WriteLine();
        var (name, type, shape) = (Width(t => t.Name, MostNameWidth), Width(t => t.DType, int.MaxValue), Width(Shape, MostShapeWidth));
        foreach (var tensor in shown)
            text.WriteLine($"{VisibleText.Of(tensor.Name.ReplaceLineEndings(" ")).PadRight(name)}  {tensor.DType.PadRight(type)}  {Shape(tensor).PadRight(shape)}  {Quantities.Bytes(tensor.Bytes),8}");
        if (tensors.Count > most) text.WriteLine($"… and {tensors.Count - most:N0} more: --tensors lists them all");

        int Width(Func<TensorFacts, string> part, int limit) => Math.Min(limit, shown.Max(t => part(t).Length));
    }

    /// <summary>A table's lines.</summary>
    public static IEnumerable<string> Lines(AlignedTable table)
    {
        using var lines = new StringWriter { NewLine = "\n" };
        table.Write(lines);
        return lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Shape(TensorFacts tensor) => $"[{string.Join(", ", tensor.Shape)}]";
}
