/// Cuts source code into words, strings and symbols by the rules of its language; comments are left out.
///
/// Never fails: a string that is not closed ends with its line, or with the file where it may have several lines. What stands
/// in expressions inside of strings is cut as well, after the string.
struct CodeLexer {
    let bytes: [UInt8]
    private let language: Language
    private var position = 0
    private var depth = 0
    private(set) var tokens: [CodeToken] = []
    /// Heredocs whose text begins on the next line.
    private var heredocs: [(end: [UInt8], isIndented: Bool, interpolation: Language.Interpolation?)] = []
    private let nameTable: [Bool]

    private static let rubyComment = Array("=begin".utf8)
    private static let rubyCommentEnd = Array("\n=end".utf8)
    /// A brace in a text that takes expressions in braces.
    private static let doubled = Array("{{".utf8)
    /// Deeper nesting than this is nobody's code.
    private static let deepest = 24

    init(_ bytes: [UInt8], _ language: Language) {
        self.bytes = bytes
        self.language = language
        nameTable = (0..<256).map { byte in
            Self.isNameByte(UInt8(byte)) || language.nameBytes.contains(UInt8(byte))
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if language.specials.contains(.php) { skipText() }
        if language.specials.contains(.ruby), starts(Self.rubyComment, at: position) { skipRubyBlock() }
        while position < bytes.count { scan(upTo: bytes.count) }
    }

    // MARK: Scanning

    private func starts(_ prefix: [UInt8], at index: Int) -> Bool {
        guard index + prefix.count <= bytes.count else { return false }
        for offset in 0..<prefix.count where bytes[index + offset] != prefix[offset] { return false }
        return true
    }

    private mutating func scan(upTo end: Int) {
        let first = bytes[position]
        if nameTable[Int(first)] {
            scanName(upTo: end)
            return
        }
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") || first == UInt8(ascii: "\r") {
            position += 1
            return
        }
        if first == UInt8(ascii: "\n") {
            position += 1
            if !heredocs.isEmpty { scanHeredocs() }
            if language.specials.contains(.ruby), starts(Self.rubyComment, at: position) { skipRubyBlock() }
            return
        }
        if skipComment(upTo: end) { return }
        if let form = language.strings.first(where: { starts($0.open, at: position) }) {
            scanString(form, from: position, upTo: end)
            return
        }
        if scanSpecial(first, upTo: end) { return }
        tokens.append(CodeToken(kind: .symbol, range: position..<position + 1, depth: depth))
        position += 1
    }

    private mutating func scanName(upTo end: Int) {
        let start = position
        while position < end, nameTable[Int(bytes[position])] { position += 1 }
        if language.specials.contains(.stringPrefixes), position - start <= 2, position < end,
            let form = language.strings.first(where: { starts($0.open, at: position) }),
            bytes[start..<position].allSatisfy({ "rbfuRBFU".utf8.contains($0) })
        {
            var form = form
            let letters = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
            form.escapes = !letters.contains("r")
            form.interpolation = letters.contains("f") ? .brace : nil
            scanString(form, from: start, upTo: end)
            return
        }
        let isNumber = bytes[start] >= UInt8(ascii: "0") && bytes[start] <= UInt8(ascii: "9")
        tokens.append(CodeToken(kind: isNumber ? .number : .word, range: start..<position, depth: depth))
    }

    private mutating func skipComment(upTo end: Int) -> Bool {
        if language.lineComments.contains(where: { starts($0, at: position) }) {
            while position < end, bytes[position] != UInt8(ascii: "\n") {
                // PHP's code ends in a comment too.
                if language.specials.contains(.php), starts(Array("?>".utf8), at: position) { return true }
                position += 1
            }
            return true
        }
        for comment in language.blockComments where starts(comment.open, at: position) {
            position += comment.open.count
            while position < end, !starts(comment.close, at: position) { position += 1 }
            position = min(end, position + comment.close.count)
            return true
        }
        return false
    }

    // MARK: Strings

    private mutating func scanString(_ form: Language.StringForm, from start: Int, upTo end: Int) {
        position += form.open.count
        let inside = position
        var holes: [Range<Int>] = []
        while position < end, !starts(form.close, at: position) {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\\"), form.escapes {
                position = min(end, position + 2)
            } else if byte == UInt8(ascii: "\n"), !form.isMultiline {
                // No string at all, or one that is broken: what is after the quote is code again.
                position = start + 1
                tokens.append(CodeToken(kind: .symbol, range: start..<start + 1, depth: depth))
                return
            } else if form.interpolation == .brace, starts(Self.doubled, at: position) {
                position += 2
            } else if let hole = hole(form.interpolation, at: position, upTo: end) {
                holes.append(hole)
                position = hole.upperBound
            } else {
                position += 1
            }
        }
        let close = position
        guard close < end || form.isMultiline else {
            position = start + 1
            tokens.append(CodeToken(kind: .symbol, range: start..<start + 1, depth: depth))
            return
        }
        position = min(end, close + form.close.count)
        add(start: start, inside: inside..<close, escapes: form.escapes, holes)
    }

    /// Adds a string, then what is in its expressions.
    private mutating func add(start: Int, inside: Range<Int>, escapes: Bool, _ holes: [Range<Int>]) {
        let after = position
        tokens.append(
            CodeToken(
                kind: .string, range: start..<after, inside: inside, escapes: escapes, holes: holes,
                depth: depth))
        guard depth < Self.deepest else { return }
        depth += 1
        for hole in holes {
            position = hole.lowerBound
            while position < hole.upperBound { scan(upTo: hole.upperBound) }
        }
        depth -= 1
        position = after
    }

    /// The expression that begins here in a string; nil where none does.
    private func hole(_ interpolation: Language.Interpolation?, at index: Int, upTo end: Int) -> Range<Int>? {
        guard let interpolation else { return nil }
        let byte = bytes[index]
        let next = index + 1 < end ? bytes[index + 1] : 0
        let brace = UInt8(ascii: "{")
        switch interpolation {
        case .dollarBrace:
            return byte == UInt8(ascii: "$") && next == brace
                ? braces(from: index + 1, start: index, end) : nil
        case .hashBrace:
            return byte == UInt8(ascii: "#") && next == brace
                ? braces(from: index + 1, start: index, end) : nil
        case .brace:
            return byte == brace ? braces(from: index, start: index, end) : nil
        case .dollar:
            if byte == UInt8(ascii: "$"), next == brace { return braces(from: index + 1, start: index, end) }
            if byte == brace, next == UInt8(ascii: "$") { return braces(from: index, start: index, end) }
            guard byte == UInt8(ascii: "$"), Self.isNameByte(next), !(48...57).contains(next) else {
                return nil
            }
            var stop = index + 1
            while stop < end, Self.isNameByte(bytes[stop]) { stop += 1 }
            return index..<stop
        }
    }

    /// From `start` to the brace that closes the one at `open`; strings in between count as one.
    private func braces(from open: Int, start: Int, _ end: Int) -> Range<Int>? {
        var level = 0
        var index = open
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "{") {
                level += 1
            } else if byte == UInt8(ascii: "}") {
                level -= 1
                if level == 0 { return start..<index + 1 }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                if let close = closing(byte, from: index + 1, end) { index = close }
            } else if byte == UInt8(ascii: "`") {
                index = template(from: index + 1, end)
            }
            index += 1
        }
        return nil
    }

    /// Where a string on one line ends.
    private func closing(_ quote: UInt8, from index: Int, _ end: Int) -> Int? {
        var index = index
        while index < end, bytes[index] != UInt8(ascii: "\n") {
            if bytes[index] == quote { return index }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    /// Where a template in a template ends.
    private func template(from index: Int, _ end: Int) -> Int {
        var index = index
        while index < end, bytes[index] != UInt8(ascii: "`") {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if let hole = hole(.dollarBrace, at: index, upTo: end) {
                index = hole.upperBound
            } else {
                index += 1
            }
        }
        return index
    }

    // MARK: What only some languages have

    private mutating func scanSpecial(_ first: UInt8, upTo end: Int) -> Bool {
        if first == UInt8(ascii: "/"), language.specials.contains(.regularExpressions), mayBeginPattern {
            return scanPattern(upTo: end)
        }
        if language.specials.contains(.ruby) {
            if first == UInt8(ascii: "<"), startHeredoc("<<") { return true }
            if first == UInt8(ascii: "%"), scanPercentString(upTo: end) { return true }
        }
        if language.specials.contains(.php) {
            if first == UInt8(ascii: "<"), startHeredoc("<<<") { return true }
            if starts(Array("?>".utf8), at: position) {
                skipText()
                return true
            }
        }
        return false
    }

    /// Whether what was before is no value, so that a slash divides nothing.
    private var mayBeginPattern: Bool {
        guard let last = tokens.last else { return true }
        switch last.kind {
        case .number, .string, .pattern: return false
        case .word:
            let word = String(decoding: bytes[last.range], as: UTF8.self)
            return [
                "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "if", "unless",
                "when",
                "and", "or", "not", "else", "do", "then", "yield", "await",
            ].contains(word)
        case .symbol: return !")]}".utf8.contains(bytes[last.range.lowerBound])
        }
    }

    private mutating func scanPattern(upTo end: Int) -> Bool {
        var index = position + 1
        var isInClass = false
        while index < end, bytes[index] != UInt8(ascii: "\n") {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            case UInt8(ascii: "/") where !isInClass:
                index += 1
                while index < end, nameTable[Int(bytes[index])] { index += 1 }
                tokens.append(CodeToken(kind: .pattern, range: position..<index, depth: depth))
                position = index
                return true
            default: break
            }
            index += 1
        }
        return false
    }

    private mutating func skipRubyBlock() {
        while position < bytes.count, !starts(Self.rubyCommentEnd, at: position) { position += 1 }
        position = min(bytes.count, position + Self.rubyCommentEnd.count)
    }

    /// `%q(…)`, `%Q[…]` and `%(…)`.
    private mutating func scanPercentString(upTo end: Int) -> Bool {
        var index = position + 1
        var interpolation: Language.Interpolation? = .hashBrace
        if index < end, bytes[index] == UInt8(ascii: "q") || bytes[index] == UInt8(ascii: "Q") {
            if bytes[index] == UInt8(ascii: "q") { interpolation = nil }
            index += 1
        }
        let pairs: [UInt8: String] = [
            UInt8(ascii: "("): ")", UInt8(ascii: "["): "]", UInt8(ascii: "{"): "}", UInt8(ascii: "<"): ">",
            UInt8(ascii: "|"): "|",
        ]
        guard index < end, let close = pairs[bytes[index]], index > position + 1 || mayBeginPattern else {
            return false
        }
        let open = String(decoding: bytes[position...index], as: UTF8.self)
        scanString(
            .init(open, close: close, isMultiline: true, interpolation), from: position, upTo: end)
        return true
    }

    /// Notes the heredoc that begins here; its text is on the lines after this one.
    private mutating func startHeredoc(_ sign: String) -> Bool {
        let sign = Array(sign.utf8)
        guard starts(sign, at: position) else { return false }
        var index = position + sign.count
        var isIndented = sign.count == 3
        while index < bytes.count, "~- ".utf8.contains(bytes[index]) {
            if bytes[index] != UInt8(ascii: " ") { isIndented = true }
            index += 1
        }
        var interpolation: Language.Interpolation? = sign.count == 3 ? .dollar : .hashBrace
        var quote: UInt8?
        if index < bytes.count, bytes[index] == UInt8(ascii: "'") || bytes[index] == UInt8(ascii: "\"") {
            quote = bytes[index]
            if quote == UInt8(ascii: "'") { interpolation = nil }
            index += 1
        }
        let start = index
        while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
        // A shift to the left has no name in capitals after it.
        guard index > start, bytes[start] >= UInt8(ascii: "A"), bytes[start] <= UInt8(ascii: "Z") else {
            return false
        }
        heredocs.append((Array(bytes[start..<index]), isIndented, interpolation))
        position = quote == nil ? index : index + 1
        return true
    }

    private mutating func scanHeredocs() {
        let waiting = heredocs
        heredocs = []
        for (number, heredoc) in waiting.enumerated() {
            // The text of the next one begins on the line after the end of the one before.
            if number > 0 {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
                position = min(bytes.count, position + 1)
            }
            let inside = position
            var stop: Int?
            while position < bytes.count, stop == nil {
                var first = position
                while first < bytes.count, heredoc.isIndented, " \t".utf8.contains(bytes[first]) {
                    first += 1
                }
                if starts(heredoc.end, at: first),
                    first + heredoc.end.count >= bytes.count
                        || !Self.isNameByte(bytes[first + heredoc.end.count])
                {
                    stop = position
                    position = first + heredoc.end.count
                } else {
                    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
                    position = min(bytes.count, position + 1)
                }
            }
            let text = inside..<(stop ?? position)
            var holes: [Range<Int>] = []
            var index = text.lowerBound
            while index < text.upperBound {
                if let hole = hole(heredoc.interpolation, at: index, upTo: text.upperBound) {
                    holes.append(hole)
                    index = hole.upperBound
                } else {
                    index += 1
                }
            }
            add(start: inside, inside: text, escapes: heredoc.interpolation != nil, holes)
        }
    }

    /// Skips what PHP writes out as it is.
    private mutating func skipText() {
        let opens = ["<?php", "<?="].map { Array($0.utf8) }
        while position < bytes.count {
            if let open = opens.first(where: { starts($0, at: position) }) {
                position += open.count
                return
            }
            position += 1
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
