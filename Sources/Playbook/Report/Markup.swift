import MigrationEngine

/// Escapes, in one place: nothing that comes from a database or an operator is a mark.
enum Markup {
    /// Text as it stands between the tags of HTML, and in attributes.
    static func html(_ text: String) -> String {
        var escaped = ""
        for scalar in printable(text).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// One line of Markdown in which nothing is a mark: https://spec.commonmark.org/0.31.2/#backslash-escapes, and no tag.
    static func markdown(_ text: String) -> String {
        var escaped = ""
        for scalar in printable(text).unicodeScalars {
            switch scalar {
            case "\n", "\t": escaped += " "
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\\", "|", "`", "*", "_", "[", "]", "#", "!", "~", "$": escaped += "\\\(scalar)"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
