import Foundation
import MigrationEngine

extension Document {
    /// As Markdown, https://spec.commonmark.org with the tables of GitHub's.
    public var markdown: String {
        var lines = ["# \(Markup.markdown(title))"]
        if let subtitle { lines += ["", Markup.markdown(subtitle)] }
        for block in blocks { lines += [""] + Self.markdown(block) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func markdown(_ block: Block) -> [String] {
        switch block {
        case .heading(let level, let text):
            return [String(repeating: "#", count: level) + " \(Markup.markdown(text))"]
        case .paragraph(let cell): return [Markup.markdown(cell.text)]
        case .verdict(let cell): return ["> **\(Markup.markdown(cell.text))**"]
        case .numbers(let facts), .facts(let facts):
            return facts.map { "- \(Markup.markdown($0.name)): \(Markup.markdown($0.value.text))" }
        case .list(let cells): return cells.map { "- \(Markup.markdown($0.text))" }
        case .table(let table):
            let marks = table.head.indices.map { table.right.contains($0) ? " ---: |" : " --- |" }
            return (table.caption.map { ["\(Markup.markdown($0)):", ""] } ?? [])
                + [row(table.head), "|" + marks.joined()] + table.rows.map { row($0.map(\.text)) }
        case .picture(_, let caption, let words):
            // A picture's caption may say it all.
            return [Markup.markdown(caption.contains(words) ? caption : "\(caption): \(words)")]
        case .commands(let lines):
            // No line of commands can end such a block: each is indented.
            return lines.map { "    " + printable($0).replacing("\n", with: " ") }
        case .contents: return []
        }
    }

    private static func row(_ cells: [String]) -> String {
        "|" + cells.map { " \(Markup.markdown($0)) |" }.joined()
    }
}
