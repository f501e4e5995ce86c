extension String {
    /// The bytes by which SQLite compares names: it folds A to Z and nothing else.
    ///
    /// Swift's own `==` takes letters composed in different ways for equal, and `lowercased()` folds every alphabet.
    public var foldedName: [UInt8] {
        utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    /// A quoted name or text without its quotes, with doubled quotes halved.
    ///
    /// By bytes: a quote and a mark that joins it are one `Character`.
    public var unquoted: String {
        let bytes = Array(utf8)
        guard bytes.count >= 2 else { return self }
        let quote = bytes[0]
        var value: [UInt8] = []
        value.reserveCapacity(bytes.count)
        var isSecond = false
        for byte in bytes[1..<bytes.count - 1] {
            isSecond = byte == quote && !isSecond
            if !isSecond { value.append(byte) }
        }
        return String(decoding: value, as: UTF8.self)
    }
}
