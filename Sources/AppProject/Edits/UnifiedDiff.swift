/// The lines of a unified diff, as `diff -u` writes it.
///
/// Lines are told apart with their ends, so that a change of CRLF shows; the ends themselves are not printed.
enum UnifiedDiff {
    private enum Line {
        case same(String)
        case removed(String)
        case added(String)
    }

    /// nil on a side where there is no file. Empty where both are equal.
    static func lines(path: String, before: String?, after: String?, context: Int = 3) -> [String] {
        guard before != after else { return [] }
        let merged = merge(cut(before ?? ""), cut(after ?? ""))
        let head = [
            "--- " + (before == nil ? "/dev/null" : "a/\(path)"),
            "+++ " + (after == nil ? "/dev/null" : "b/\(path)"),
        ]
        return head + hunks(merged, context: context)
    }

    private static func cut(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for character in text {
            line.append(character)
            if ["\n", "\r\n", "\r"].contains(character) {
                lines.append(line)
                line = ""
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    private static func merge(_ before: [String], _ after: [String]) -> [Line] {
        let difference = after.difference(from: before)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var lines: [Line] = []
        var (old, new) = (0, 0)
        while old < before.count || new < after.count {
            if removed.contains(old), old < before.count {
                lines.append(.removed(before[old]))
                old += 1
            } else if added.contains(new), new < after.count {
                lines.append(.added(after[new]))
                new += 1
            } else {
                lines.append(.same(before[old]))
                old += 1
                new += 1
            }
        }
        return lines
    }

    private static func hunks(_ lines: [Line], context: Int) -> [String] {
        let changed = lines.indices.filter { if case .same = lines[$0] { false } else { true } }
        var ranges: [Range<Int>] = []
        for index in changed {
            let range = max(0, index - context)..<min(lines.count, index + context + 1)
            if let last = ranges.last, last.upperBound >= range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(range)
            }
        }
        var (old, new, position) = (1, 1, 0)
        var output: [String] = []
        for range in ranges {
            for line in lines[position..<range.lowerBound] { count(line, &old, &new) }
            let start = (old: old, new: new)
            var body: [String] = []
            for line in lines[range] {
                count(line, &old, &new)
                body += written(line)
            }
            position = range.upperBound
            output.append(
                "@@ -\(span(start.old, old - start.old)) +\(span(start.new, new - start.new)) @@")
            output += body
        }
        return output
    }

    private static func count(_ line: Line, _ old: inout Int, _ new: inout Int) {
        switch line {
        case .same: (old, new) = (old + 1, new + 1)
        case .removed: old += 1
        case .added: new += 1
        }
    }

    /// A side without lines is named by the line before it.
    private static func span(_ start: Int, _ count: Int) -> String {
        count == 1 ? "\(start)" : "\(count == 0 ? start - 1 : start),\(count)"
    }

    private static func written(_ line: Line) -> [String] {
        let (sign, text) =
            switch line {
            case .same(let text): (" ", text)
            case .removed(let text): ("-", text)
            case .added(let text): ("+", text)
            }
        guard let last = text.last, ["\n", "\r\n", "\r"].contains(last) else {
            return [sign + text, "\\ No newline at end of file"]
        }
        return [sign + text.dropLast()]
    }
}
