import MigrationEngine
import Playbook

extension Page {
    enum Form: String, CaseIterable {
        case text, markdown, html, json
    }

    var text: String {
        var lines = [title]
        for section in sections {
            lines += ["", section.title] + section.lines.map { "  \($0)" }
            if let table = section.table {
                lines += Format.table([table.head] + table.rows, right: table.right).map {
                    "  \($0)"
                }
            }
        }
        return Console.printable(lines.joined(separator: "\n")) + "\n"
    }

    var markdown: String { document.markdown }

    /// One file that loads nothing from elsewhere.
    var html: String { document.html }

    private var document: Document {
        Document(title, sections.flatMap(\.blocks))
    }
}

extension Page.Section {
    fileprivate var blocks: [Document.Block] {
        [.heading(2, title)] + (lines.isEmpty ? [] : [.list(lines.map { Document.Cell($0) })])
            + (table.map { [.table($0.documentTable)] } ?? [])
    }
}

extension Page.Table {
    fileprivate var documentTable: Document.Table {
        .init(nil, head, rows.map { $0.map { Document.Cell($0) } }, right: right)
    }
}
