namespace Meft.Reporting;

/// <summary>How a report looks, light and dark.</summary>
internal static class ReportStyle
{
    /// <summary>The style sheet.</summary>
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1d2430; --paper: #ffffff; --faint: #d9dee6; --quiet: #667085; --c0: #1f5fbf; --c1: #c2571a; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --paper: #14181f; --faint: #323a46; --quiet: #98a2b3; --c0: #7fb0ff; --c1: #ffab70; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 720px; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
        svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--quiet); }
        .grid { stroke: var(--faint); stroke-width: 1; } .curve { fill: none; stroke-width: 1.6; }
        polyline.c0 { stroke: var(--c0); } polyline.c1 { stroke: var(--c1); } circle.c0 { fill: var(--c0); } circle.c1 { fill: var(--c1); }
        .legend { color: var(--quiet); margin: 0; font-size: 13px; } .legend .c0 { color: var(--c0); } .legend .c1 { color: var(--c1); } .legend span { margin-right: .8em; }
        table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--faint); font-weight: normal; }
        th { color: var(--quiet); } td:nth-child(2), td:nth-child(3) { font-variant-numeric: tabular-nums; white-space: nowrap; }
        .bar { width: 45%; } .bar div { height: .7rem; background: var(--c0); border-radius: 2px; min-width: 1px; }
        pre { background: color-mix(in srgb, var(--faint) 40%, transparent); padding: .8rem; overflow-x: auto; font-size: 13px; border-radius: 4px; }
        """;
}
