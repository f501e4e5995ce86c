/// The patterns of one .gitignore file (https://git-scm.com/docs/gitignore).
struct Gitignore {
    private struct Pattern {
        let isNegated: Bool
        let isFolderOnly: Bool
        /// Matched from the file's folder; otherwise at any depth below it.
        let isAnchored: Bool
        let segments: [[Character]]
    }

    private let patterns: [Pattern]

    init(_ text: String) {
        patterns = text.split(whereSeparator: \.isNewline).compactMap { Self.pattern(String($0)) }
    }

    private static func pattern(_ line: String) -> Pattern? {
        var text = line[...]
        // Blanks at the end count only behind a backslash.
        while text.last == " ", !text.dropLast().hasSuffix("\\") { text = text.dropLast() }
        guard !text.isEmpty, text.first != "#" else { return nil }
        let isNegated = text.first == "!"
        if isNegated { text = text.dropFirst() }
        let isFolderOnly = text.last == "/"
        if isFolderOnly { text = text.dropLast() }
        let isAnchored = text.contains("/")
        if text.first == "/" { text = text.dropFirst() }
        let segments = text.split(separator: "/").map(Array.init)
        return segments.isEmpty
            ? nil
            : Pattern(
                isNegated: isNegated, isFolderOnly: isFolderOnly, isAnchored: isAnchored, segments: segments)
    }

    /// Whether a path, relative to the file's folder, is ignored; nil where no pattern speaks of it. The last that does decides.
    func verdict(_ path: String, isFolder: Bool) -> Bool? {
        let parts = path.split(separator: "/").map(Array.init)
        for pattern in patterns.reversed() where isFolder || !pattern.isFolderOnly {
            let matches =
                pattern.isAnchored
                ? Self.match(pattern.segments[...], parts[...])
                : parts.last.map { Self.match(pattern.segments[0][...], $0[...]) } ?? false
            if matches { return !pattern.isNegated }
        }
        return nil
    }

    private static func match(_ segments: ArraySlice<[Character]>, _ parts: ArraySlice<[Character]>) -> Bool {
        guard let first = segments.first else { return parts.isEmpty }
        if first == ["*", "*"] {
            if segments.count == 1 { return !parts.isEmpty }
            return (0...parts.count).contains { match(segments.dropFirst(), parts.dropFirst($0)) }
        }
        guard let part = parts.first, match(first[...], part[...]) else { return false }
        return match(segments.dropFirst(), parts.dropFirst())
    }

    /// `*`, `?`, `[…]` and backslashes, within one name.
    private static func match(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
        var (pattern, name) = (pattern, name)
        while let sign = pattern.popFirst() {
            switch sign {
            case "*":
                while pattern.first == "*" { pattern.removeFirst() }
                if pattern.isEmpty { return true }
                return name.indices.contains { match(pattern, name[$0...]) }
            case "?":
                guard name.popFirst() != nil else { return false }
            case "[":
                guard let letter = name.popFirst(), let close = pattern.dropFirst().firstIndex(of: "]") else {
                    return false
                }
                guard isIn(pattern[..<close], letter) else { return false }
                pattern = pattern[(close + 1)...]
            case "\\":
                guard let next = pattern.popFirst(), name.popFirst() == next else { return false }
            default:
                guard name.popFirst() == sign else { return false }
            }
        }
        return name.isEmpty
    }

    private static func isIn(_ set: ArraySlice<Character>, _ letter: Character) -> Bool {
        var set = set
        let isNegated = set.first == "!" || set.first == "^"
        if isNegated { set.removeFirst() }
        var isFound = false
        while let low = set.popFirst() {
            if set.first == "-", set.count > 1 {
                set.removeFirst()
                if let high = set.popFirst(), low <= letter, letter <= high { isFound = true }
            } else if low == letter {
                isFound = true
            }
        }
        return isFound != isNegated
    }
}
