import Foundation

extension Document {
    /// As one HTML file that loads nothing from elsewhere and runs nothing.
    public var html: String {
        // Contents lead to what comes after them.
        let first = blocks.firstIndex { if case .contents = $0 { true } else { false } } ?? blocks.endIndex
        let sections = blocks[first...].compactMap { block -> String? in
            if case .heading(2, let text) = block { text } else { nil }
        }
        var lines = [
            "<!doctype html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            "<title>\(Markup.html(title))</title>", "<style>\(DocumentStyle.css)</style>", "</head>",
            "<body>",
            "<main>", "<h1>\(Markup.html(title))</h1>",
        ]
        if let subtitle { lines.append("<p class=\"subtitle\">\(Markup.html(subtitle))</p>") }
        var number = 0
        for (index, block) in blocks.enumerated() {
            if index > first, case .heading(2, _) = block { number += 1 }
            lines += Self.html(block, number, sections)
        }
        return (lines + ["</main>", "</body>", "</html>"]).joined(separator: "\n") + "\n"
    }

    private static func html(_ block: Block, _ number: Int, _ sections: [String]) -> [String] {
        switch block {
        case .heading(2, let text) where number > 0:
            return ["<h2 id=\"s\(number)\">\(Markup.html(text))</h2>"]
        case .heading(let level, let text): return ["<h\(level)>\(Markup.html(text))</h\(level)>"]
        case .paragraph(let cell): return ["<p\(mark(cell))>\(Markup.html(cell.text))</p>"]
        case .verdict(let cell):
            return ["<p class=\"verdict \(cell.tone.rawValue)\">\(Markup.html(cell.text))</p>"]
        case .numbers(let facts):
            return ["<dl class=\"numbers\">"]
                + facts.map {
                    "<div><dt>\(Markup.html($0.name))</dt><dd\(mark($0.value))>\(Markup.html($0.value.text))</dd></div>"
                } + ["</dl>"]
        case .facts(let facts):
            return ["<dl class=\"facts\">"]
                + facts.map {
                    "<dt>\(Markup.html($0.name))</dt><dd\(mark($0.value))>\(Markup.html($0.value.text))</dd>"
                } + ["</dl>"]
        case .list(let cells):
            guard !cells.isEmpty else { return [] }
            return ["<ul>"] + cells.map { "<li\(mark($0))>\(Markup.html($0.text))</li>" } + ["</ul>"]
        case .table(let table): return html(table)
        case .picture(let picture, let caption, let words):
            return [
                "<figure>", picture.svg(words), "<figcaption>\(Markup.html(caption))</figcaption>",
                "</figure>",
            ]
        case .commands(let lines):
            return ["<pre>\(lines.map(Markup.html).joined(separator: "\n"))</pre>"]
        case .contents:
            return ["<nav aria-label=\"Contents\">", "<h2>Contents</h2>", "<ol>"]
                + sections.enumerated().map {
                    "<li><a href=\"#s\($0.offset + 1)\">\(Markup.html($0.element))</a></li>"
                }
                + ["</ol>", "</nav>"]
        }
    }

    /// Wide tables scroll by themselves, also by keys.
    private static func html(_ table: Table) -> [String] {
        let name = table.caption.map { " role=\"region\" aria-label=\"\(Markup.html($0))\"" } ?? ""
        return ["<div class=\"wide\" tabindex=\"0\"\(name)>", "<table>"]
            + (table.caption.map { ["<caption>\(Markup.html($0))</caption>"] } ?? [])
            + ["<thead>", row(table.head.map { Cell($0) }, "th", table.right), "</thead>", "<tbody>"]
            + table.rows.map { row($0, "td", table.right) } + ["</tbody>", "</table>", "</div>"]
    }

    private static func row(_ cells: [Cell], _ tag: String, _ right: Set<Int>) -> String {
        "<tr>"
            + cells.enumerated().map { index, cell in
                let scope = tag == "th" ? " scope=\"col\"" : ""
                return
                    "<\(tag)\(scope)\(mark(cell, isRight: right.contains(index)))>\(Markup.html(cell.text))</\(tag)>"
            }.joined() + "</tr>"
    }

    private static func mark(_ cell: Cell, isRight: Bool = false) -> String {
        let names = (cell.tone == .plain ? [] : [cell.tone.rawValue]) + (isRight ? ["n"] : [])
        return names.isEmpty ? "" : " class=\"\(names.joined(separator: " "))\""
    }
}
