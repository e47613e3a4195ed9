using Spectre.Console;
using Spectre.Console.Rendering;

namespace Meft.Cli.Views;

/// <summary>A line that is written where a panel stands, which is drawn anew below it: the old one is erased first, for the line may be shorter.</summary>
internal sealed class LineAbove(string text) : Renderable
{
    private const string EraseBelow = "\u001b[J";

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
        [Segment.Control(EraseBelow), .. ((IRenderable)new Text(text)).Render(options, maxWidth), Segment.LineBreak];
}
