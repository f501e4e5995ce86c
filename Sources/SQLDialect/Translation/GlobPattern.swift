/// GLOB's patterns as PostgreSQL's regular expressions (https://sqlite.org/lang_expr.html#glob).
enum GlobPattern {
    /// nil where the pattern has a class that does not end.
    static func regularExpression(_ glob: String) -> String? {
        var regular = "^"
        let scalars = Array(glob.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            switch scalar {
            case "*": regular += ".*"
            case "?": regular += "."
            case "[":
                guard let (text, next) = characterClass(scalars, from: index) else { return nil }
                regular += text
                index = next
            default: regular += escaped(scalar)
            }
        }
        return regular + "$"
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        "\\^$.|?*+()[]{}-".unicodeScalars.contains(scalar) ? "\\\(scalar)" : String(scalar)
    }

    private static func characterClass(
        _ scalars: [Unicode.Scalar], from start: Int
    ) -> (String, Int)? {
        var index = start
        var text = "["
        if index < scalars.count, scalars[index] == "^" {
            text += "^"
            index += 1
        }
        let first = index
        while index < scalars.count {
            let scalar = scalars[index]
            // A bracket that comes first stands for itself.
            if scalar == "]", index > first { return (text + "]", index + 1) }
            let isRange =
                scalar == "-" && index > first && index + 1 < scalars.count && scalars[index + 1] != "]"
            text += isRange ? "-" : escaped(scalar)
            index += 1
        }
        return nil
    }
}
