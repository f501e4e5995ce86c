/// How a document looks: on a screen, light or dark, and on paper.
enum DocumentStyle {
    static let css = """

        :root {
          color-scheme: light dark;
          --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --faint: #f6f8fa; --page: #ffffff;
          --good: #1a7f37; --good-faint: #dafbe1; --bad: #cf222e; --bad-faint: #ffebe9;
          --warning: #9a6700; --warning-faint: #fff8c5; --one: #0969da; --two: #8250df;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --text: #f0f6fc; --quiet: #9198a1; --line: #3d444d; --faint: #151b23; --page: #0d1117;
            --good: #3fb950; --good-faint: #12261e; --bad: #f85149; --bad-faint: #25171c;
            --warning: #d29922; --warning-faint: #272115; --one: #4493f8; --two: #ab7df8;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        main { max-width: 66rem; margin: 0 auto; padding: 2.5rem 2rem 5rem; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
        h2 { font-size: 1.3rem; margin: 3rem 0 .75rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
        h3 { font-size: 1.02rem; margin: 1.75rem 0 .5rem; overflow-wrap: anywhere; }
        p { margin: .5rem 0; max-width: 48rem; }
        .subtitle { color: var(--quiet); margin-bottom: 1.5rem; }
        .verdict { max-width: none; font-size: 1.15rem; font-weight: 600; padding: 1rem 1.25rem; border-left: 6px solid; border-radius: 4px; }
        .verdict.good { background: var(--good-faint); } .verdict.bad { background: var(--bad-faint); }
        .verdict.warning { background: var(--warning-faint); } .verdict.quiet { background: var(--faint); }
        .good { color: var(--good); } .bad { color: var(--bad); } .warning { color: var(--warning); } .quiet { color: var(--quiet); }
        dl { margin: 1rem 0; } dd { margin: 0; overflow-wrap: anywhere; }
        .numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
        .numbers div { display: flex; flex-direction: column-reverse; justify-content: flex-end; border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; }
        .numbers dt { color: var(--quiet); font-size: .85rem; line-height: 1.3; }
        .numbers dd { font-size: 1.45rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        .facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.5rem; }
        .facts dt { color: var(--quiet); }
        ul { padding-left: 1.25rem; margin: .5rem 0; } li { margin: .2rem 0; overflow-wrap: anywhere; }
        .wide { overflow-x: auto; margin: 1rem 0; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
        h3 + .wide caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .wide { position: relative; }
        th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
        td.code, td:last-child { overflow-wrap: anywhere; } td.code { font-size: .74rem; padding-top: .5rem; } .n + :not(.n) { padding-left: 1rem; }
        th { font-weight: 600; border-bottom-width: 2px; overflow-wrap: normal; }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .82rem; }
        pre { background: var(--faint); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
        nav ol { columns: 2; column-gap: 3rem; padding-left: 1.4rem; margin: .75rem 0; } nav li { break-inside: avoid; }
        a { color: var(--one); text-decoration: none; } a:hover { text-decoration: underline; }
        figure { margin: 1.5rem 0; } figcaption { color: var(--quiet); font-size: .9rem; }
        svg { display: block; width: 100%; height: auto; font: 11px system-ui, "DejaVu Sans", sans-serif; }
        svg text { fill: var(--quiet); } svg .label { fill: var(--text); }
        svg .axis { stroke: var(--line); fill: none; }
        svg .one { stroke: var(--one); } svg .two { stroke: var(--two); } svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
        svg .area { stroke: none; opacity: .12; } svg .area.one, svg .bar { fill: var(--one); } svg .area.two { fill: var(--two); }
        @media (max-width: 40rem) { main { padding: 1.25rem 1rem 3rem; } nav ol { columns: 1; } .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: .4rem; } }
        @media print {
          :root { --text: #000; --quiet: #444; --line: #bbb; --page: #fff; --faint: #f4f4f4; --good: #1a7f37; --bad: #b3141f; --warning: #7a5200;
            --good-faint: #fff; --bad-faint: #fff; --warning-faint: #fff; --one: #0550ae; --two: #6639ba; }
          body { font-size: 10pt; } main { max-width: none; padding: 0; } nav { break-after: page; } a { color: inherit; }
          h2, h3 { break-after: avoid; } tr, figure, .numbers div, li { break-inside: avoid; } thead { display: table-header-group; } .wide { overflow: visible; }
        }

        """
}
