namespace Meft.Reporting;

/// <summary>How a report looks, light and dark, wide and narrow.</summary>
internal static class ReportStyle
{
    /// <summary>The style sheet.</summary>
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1b2330; --paper: #f4f6f9; --card: #ffffff; --faint: #e2e7ee; --quiet: #5c6879; --c0: #1d5fc4; --c1: #b8500f;
          --good: #14713d; --warn: #8a5a00; --bad: #b42318; --dead: #b42318;
          --l1: #c9d7ea; --l2: #9dbbe3; --l3: #6a99d8; --l4: #3672c2; --l5: #1d4d96; --l6: #122f60; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e5e9f0; --paper: #10141a; --card: #181e27; --faint: #2c3543; --quiet: #9aa7b9; --c0: #7db0ff; --c1: #ffab70;
          --good: #63d297; --warn: #f0bd5c; --bad: #ff8f84; --dead: #e0574a;
          --l1: #24324a; --l2: #2c4a78; --l3: #3a69ad; --l4: #5a93e0; --l5: #93bdf7; --l6: #d3e4ff; } }
        * { box-sizing: border-box; }
        body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 1120px; }
        h1 { font-size: 1.55rem; margin: 0; line-height: 1.25; overflow-wrap: anywhere; } h2 { font-size: 1rem; margin: 0 0 .6rem; } h3 { font-size: .85rem; margin: 1.1rem 0 .3rem; color: var(--quiet); font-weight: 600; }
        header p { color: var(--quiet); margin: .3rem 0 1rem; }
        .state { font-size: .8rem; font-weight: 600; padding: .15rem .6rem; border-radius: 1rem; vertical-align: middle; white-space: nowrap; border: 1px solid currentColor; }
        .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); } .busy { color: var(--c0); }
        header .failure { color: var(--bad); white-space: pre-wrap; overflow-wrap: anywhere; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(135px, 1fr)); gap: .75rem; }
        .tiles div, section { background: var(--card); border: 1px solid var(--faint); border-radius: 8px; }
        .tiles div { padding: .55rem .8rem; } .tiles b { display: block; font-size: 1.25rem; line-height: 1.3; font-variant-numeric: tabular-nums; } .tiles small { color: var(--quiet); font-size: 12px; }
        main { display: grid; grid-auto-flow: dense; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .9rem; margin-top: .9rem; } section { padding: .9rem 1rem; min-width: 0; } section.wide { grid-column: 1 / -1; }
        figure { margin: 0; position: relative; } .chart svg { width: 100%; height: auto; display: block; } section.wide .chart svg { max-height: 420px; }
        svg text { font-size: 13.5px; fill: var(--quiet); font-variant-numeric: tabular-nums; } section.wide svg text { font-size: 8.5px; }
        .grid { stroke: var(--faint); stroke-width: 1; } .cross { stroke: var(--quiet); stroke-width: 1; visibility: hidden; }
        .curve { fill: none; stroke-width: 1.7; stroke-linejoin: round; } section.wide .curve { stroke-width: 1.2; } .band { opacity: .16; }
        polyline.c0 { stroke: var(--c0); } polyline.c1 { stroke: var(--c1); } circle.c0, polygon.c0 { fill: var(--c0); } circle.c1, polygon.c1 { fill: var(--c1); }
        section.wide circle { r: 2px; }
        figcaption { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; font-size: 13px; color: var(--quiet); margin-top: .2rem; }
        .key::before { content: ""; display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: .45em; vertical-align: middle; } .key.c0::before { background: var(--c0); } .key.c1::before { background: var(--c1); }
        .tip { position: absolute; pointer-events: none; background: var(--card); border: 1px solid var(--faint); border-radius: 6px; padding: .25rem .55rem; font-size: 12.5px; line-height: 1.4; box-shadow: 0 2px 10px rgb(0 0 0 / .18); white-space: nowrap; visibility: hidden; z-index: 1; }
        table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .22rem .7rem .22rem 0; font-weight: normal; vertical-align: middle; } th { color: var(--quiet); font-size: 13px; }
        tr + tr:has(td[rowspan]) td, .sum td { border-top: 1px solid var(--faint); } .sum td { color: var(--quiet); } .in { padding-left: 1rem; }
        .n { font-variant-numeric: tabular-nums; white-space: nowrap; text-align: right; } .bars td:last-child { width: 50%; padding-right: 0; } .bars td:first-child { overflow-wrap: anywhere; }
        .bar { display: inline-block; height: .65rem; background: var(--c0); border-radius: 2px; min-width: 2px; vertical-align: middle; } .bar.plan { background: transparent; border: 1.5px solid var(--c0); } .bars small { color: var(--quiet); margin-left: .5rem; font-size: 12px; }
        .scroll { overflow-x: auto; } .strips td, .strips th { white-space: nowrap; } .strips .n { padding-left: .5rem; } .strips .n:last-child { padding-right: 0; } .strips .wide { width: 100%; min-width: 130px; } .strip { width: 100%; height: 16px; display: block; border-radius: 3px; }
        .dead { fill: var(--dead); background: var(--dead); } .l1, .s1 { fill: var(--l1); background: var(--l1); } .l2, .s2 { fill: var(--l2); background: var(--l2); } .l3, .s3 { fill: var(--l3); background: var(--l3); }
        .l4, .s4 { fill: var(--l4); background: var(--l4); } .l5, .s5 { fill: var(--l5); background: var(--l5); } .l6, .s6 { fill: var(--l6); background: var(--l6); }
        .scale { display: flex; flex-wrap: wrap; align-items: center; gap: .1rem 1rem; font-size: 12.5px; color: var(--quiet); margin: .5rem 0 0; } .scale i { display: inline-block; width: 16px; height: 11px; border-radius: 2px; margin-right: .4em; } p.scale > i { margin: 0 -.8rem 0 0; border-radius: 0; width: 22px; }
        .legend { display: none; } .note { color: var(--quiet); font-size: 13px; margin: 0 0 .6rem; }
        .sample { border-top: 1px solid var(--faint); padding: .6rem 0; } .sample:first-of-type { border-top: 0; padding-top: 0; } .sample p, .sample dd { white-space: pre-wrap; overflow-wrap: anywhere; } .prompt { margin: 0 0 .3rem; font-weight: 600; }
        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: 0; } dt { color: var(--quiet); font-size: 13px; } dd { margin: 0; overflow-wrap: anywhere; } dd.same { color: var(--good); } .sample dl { grid-template-columns: 4.6rem minmax(0, 1fr); } .facts ul { margin: 0; padding-left: 1.1rem; } .facts { grid-template-columns: 12.5rem minmax(0, 1fr); } .row { margin: .2rem 0 .6rem; padding-left: .7rem; border-left: 2px solid var(--faint); color: var(--quiet); white-space: pre-wrap; } mark { background: none; color: var(--ink); }
        pre { background: var(--paper); padding: .8rem; overflow-x: auto; font-size: 13px; border-radius: 6px; margin: 0; }
        @media (max-width: 720px) { main { grid-template-columns: minmax(0, 1fr); } body { padding: 1rem .6rem 2rem; } section { padding: .75rem; }
          svg text, section.wide svg text { font-size: 16px; } .curve, section.wide .curve { stroke-width: 2.4; } section.wide circle { r: 3.5px; } dl, .sample dl { grid-template-columns: minmax(0, 1fr); } dd + dt { margin-top: .3rem; } .bars td:last-child { width: 38%; } .bars small { display: none; } .facts { grid-template-columns: 9rem minmax(0, 1fr); gap: .15rem .6rem; } .facts dd + dt { margin-top: 0; } .facts dd:has(> ul) { grid-column: 1 / -1; } .legend { display: flex; } }
        @media print { section { break-inside: avoid; } }
        """;
}
