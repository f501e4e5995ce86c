/// The checklist as one HTML page: nothing of it comes from elsewhere, and everything that it shows is text.
extension Checklist {
    static func html(_ state: BookState) -> [String] {
        let done = state.checklist.count(where: \.isTicked)
        let title = "Checklist: \(state.title)"
        let mode = state.mode == .live ? "live" : "rehearsal"
        return [
            Form.html.mark + "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\"/>",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>",
            "<title>\(text(title))</title>", "<style>", style, "</style>", "</head>", "<body>",
            "<h1>\(text(title))</h1>",
            "<p>\(text(state.sourcePath)) → \(text(state.target)), <strong>\(mode)</strong></p>",
            "<p>\(done) of \(state.checklist.count) done</p>", "<ol>",
        ] + state.checklist.flatMap(item) + ["</ol>", "</body>", "</html>"]
    }

    private static func item(_ item: ItemLine) -> [String] {
        let state = !item.isTicked ? "open" : item.doubts.isEmpty ? "done" : "doubt"
        var lines = [
            "<li class=\"\(state)\">",
            "<h2>\(item.isTicked ? "☑" : "☐") \(text(item.title))\(item.isOwn ? " (own)" : "")</h2>",
        ]
        if item.isTicked { lines.append("<p class=\"who\">\(text(item.who)), \(text(item.when))</p>") }
        if !item.note.isEmpty { lines.append("<p>note: \(text(item.note))</p>") }
        lines += item.doubts.map { "<p class=\"warn\">\(text($0))</p>" }
        if !item.isTicked {
            if item.isProposed { lines.append("<p>its steps are done</p>") }
            lines += item.obstacles.map { "<p class=\"warn\">\(text($0))</p>" }
        }
        guard !item.links.isEmpty else { return lines + ["</li>"] }
        lines.append("<ul>")
        for link in item.links {
            let who =
                link.when.isEmpty ? "" : " <span class=\"who\">\(text(link.who)), \(text(link.when))</span>"
            lines.append("<li>\(text(link.words))\(who)")
            if !link.evidence.isEmpty {
                lines += ["<pre>" + link.evidence.map(text).joined(separator: "\n") + "</pre>"]
            }
            lines.append("</li>")
        }
        return lines + ["</ul>", "</li>"]
    }

    /// Text as it stands between tags and in attributes.
    private static func text(_ text: String) -> String {
        Markup.html(shown(text))
    }

    private static let style = """
        :root { color-scheme: light dark; --ok: #1a7f37; --warn: #9a6700; --quiet: #57606a; --line: #d0d7de; }
        @media (prefers-color-scheme: dark) {
          :root { --ok: #3fb950; --warn: #d29922; --quiet: #8b949e; --line: #30363d; }
        }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; } p { margin: .25rem 0; }
        ol { list-style: none; padding: 0; } ol > li { border-left: 4px solid var(--line); padding: .5rem 1rem; margin: 1rem 0; }
        .done { border-color: var(--ok); } .doubt { border-color: var(--warn); }
        .who { color: var(--quiet); font-size: .9rem; } .warn { color: var(--warn); }
        pre { font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .25rem 0; }
        @media print { body { margin: 0; max-width: none; } ol > li { break-inside: avoid; } }
        """
}
