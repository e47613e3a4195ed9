namespace Meft.Reporting.Comparisons;

/// <summary>How a comparison's pictures look: colours that colour-blind readers tell apart (after Okabe and Ito 2008), light and dark.</summary>
internal static class ComparisonStyle
{
    /// <summary>Colours of the kinds and of what is around them, for pages and for pictures on their own.</summary>
    public const string Colours = """
        :root { --m-meft: #005f9e; --m-lora: #b84e00; --m-parallel: #00785a; --m-full: #a2377c; --m-base: #4a5463; --limit: #b42318; }
        @media (prefers-color-scheme: dark) { :root { --m-meft: #64b5f6; --m-lora: #ff9d57; --m-parallel: #41cfa5; --m-full: #ee95cb; --m-base: #b4bfce; --limit: #ff8f84; } }
        """;

    /// <summary>Lines, marks and letters of a plot.</summary>
    public const string Plot = """
        .mark { fill: var(--m); stroke: var(--card); stroke-width: 1; } .mark.hollow { fill: var(--card); stroke: var(--m); stroke-width: 1.8; }
        .m-meft { --m: var(--m-meft); } .m-lora { --m: var(--m-lora); } .m-parallel { --m: var(--m-parallel); } .m-full { --m: var(--m-full); } .m-base { --m: var(--m-base); }
        .whisker { stroke: var(--m); stroke-width: 1.4; opacity: .75; } .line { fill: none; stroke: var(--m, var(--quiet)); stroke-width: 1.4; opacity: .7; stroke-linejoin: round; } .guide { stroke: var(--quiet); stroke-dasharray: 2 4; opacity: 1; }
        .axis { stroke: var(--quiet); stroke-width: 1; } .leader { stroke: var(--quiet); stroke-width: .8; opacity: .7; }
        text.label { paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round; }
        line.limit { stroke: var(--limit); stroke-width: 1.4; stroke-dasharray: 6 4; } line.level { stroke: var(--m-base); stroke-width: 1.2; stroke-dasharray: 3 3; }
        """;

    /// <summary>What a page needs beside <see cref="ReportStyle.Css"/>.</summary>
    public const string Page = """
        figure.plot svg text { font-size: 12px; } figure.plot text.label { fill: var(--m, var(--quiet)); font-weight: 500; } figure.plot text.limit { fill: var(--limit); } figure.plot text.level { fill: var(--m-base); }
        .plot svg { width: 100%; height: auto; display: block; max-width: 660px; margin: 0 auto; } .slim { display: none; } .plot figcaption { margin-top: .4rem; }
        .icon { width: 14px; height: 14px; margin-right: .45em; vertical-align: -2px; } .kinds { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .8rem 0 0; color: var(--quiet); font-size: 13px; }
        .sheet td, .sheet th { padding: .3rem 0 .3rem 1rem; } .sheet th { vertical-align: bottom; white-space: normal; } .sheet td:first-child { min-width: 9rem; } .sheet td:first-child, .sheet th:first-child { padding-left: 0; } .sheet tr + tr td { border-top: 1px solid var(--faint); } .sheet small { color: var(--quiet); font-size: 12px; }
        .sheet tr:hover td { background: var(--paper); } .sheet + .note, .scroll + .note { margin-top: .8rem; } p.note + p.note { margin-top: -.4rem; } .unadapted { fill: none; stroke: var(--faint); } .dead-strips .wide { width: 50%; } .dead-strips td { padding-right: .7rem; }
        .machine { overflow-wrap: anywhere; }
        @media (max-width: 900px) { main { grid-template-columns: minmax(0, 1fr); } }
        @media (max-width: 520px) { .broad { display: none; } .slim { display: block; } .dead-strips td:first-child { white-space: normal; min-width: 7rem; } .dead-strips td { padding-right: .4rem; } }
        """;
}
