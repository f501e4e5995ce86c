import MigrationEngine

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

    // MARK: Markdown

    var markdown: String {
        var lines = ["# \(Self.markdown(title))"]
        for section in sections {
            lines += ["", "## \(Self.markdown(section.title))", ""]
            lines += section.lines.map { "- \(Self.markdown($0))" }
            guard let table = section.table else { continue }
            if !section.lines.isEmpty { lines.append("") }
            lines.append(Self.row(table.head))
            lines.append(
                "|" + table.head.indices.map { table.right.contains($0) ? " ---: |" : " --- |" }.joined())
            lines += table.rows.map(Self.row)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ cells: [String]) -> String {
        "|" + cells.map { " \(markdown($0)) |" }.joined()
    }

    /// One line in which nothing is a mark: https://spec.commonmark.org/0.31.2/#backslash-escapes, and no tag.
    private static func markdown(_ text: String) -> String {
        var escaped = ""
        for character in Console.printable(text).unicodeScalars {
            switch character {
            case "\n", "\t": escaped += " "
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\\", "|", "`", "*", "_", "[", "]", "#", "!", "~", "$": escaped += "\\\(character)"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    // MARK: HTML

    /// One file that loads nothing from elsewhere.
    var html: String {
        var lines = [
            "<!doctype html>", "<html lang=\"en\">", "<meta charset=\"utf-8\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            "<title>\(Self.html(title))</title>", "<style>\(Self.style)</style>",
            "<h1>\(Self.html(title))</h1>",
        ]
        for section in sections {
            lines.append("<h2>\(Self.html(section.title))</h2>")
            if !section.lines.isEmpty {
                lines.append("<ul>\(section.lines.map { "<li>\(Self.html($0))</li>" }.joined())</ul>")
            }
            guard let table = section.table else { continue }
            lines.append("<table>")
            lines.append(Self.row(table.head, "th", table.right))
            lines += table.rows.map { Self.row($0, "td", table.right) }
            lines.append("</table>")
        }
        return lines.joined(separator: "\n") + "\n</html>\n"
    }

    private static func row(_ cells: [String], _ tag: String, _ right: Set<Int>) -> String {
        "<tr>"
            + cells.enumerated().map { index, cell in
                "<\(tag)\(right.contains(index) ? " class=\"n\"" : "")>\(html(cell))</\(tag)>"
            }.joined() + "</tr>"
    }

    private static func html(_ text: String) -> String {
        var escaped = ""
        for character in Console.printable(text).unicodeScalars {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222;background:#fff}\
        table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}\
        th{background:#eee}.n{text-align:right;font-variant-numeric:tabular-nums}li{overflow-wrap:anywhere}
        """
}
