import CSQLite

/// Writes the rows of one table, in the form of an export. Used by one thread.
///
/// The same values give the same bytes, whoever reads them: an import compares digests of what it has rebuilt.
struct RowWriter: ~Copyable {
    private let form: ExportForm
    private let columns: [ExportColumn]
    private let layout: RowLayout
    private let hasRowid: Bool
    private let dateForms: [DateForm?]
    private var stream: RowStream

    init(_ table: ExportManifest.Table, _ form: ExportForm, to file: ExportFile?) throws {
        self.form = form
        columns = table.columns
        hasRowid = table.rowid != nil
        layout = RowLayout(table)
        dateForms = table.columns.map(\.dates?.form)
        stream = RowStream(table, to: file)
        if form == .csv {
            for (index, field) in table.fields.enumerated() {
                if index > 0 { append(",") }
                quoted(Array(field.name.utf8))
            }
            append("\n")
            try stream.endHeader()
        }
    }

    /// Writes the row on which `rows` stands, whose columns are those of the table in their order.
    mutating func write(_ rows: borrowing SourceRows) throws {
        var field = 0
        if hasRowid {
            begin(&field)
            integer(rows.rowid(after: columns.count))
        }
        for index in columns.indices {
            begin(&field)
            try write(rows.value(index), index)
        }
        stream.buffer.ensure(2)
        if form == .ndjson { stream.buffer.append(UInt8(ascii: "}")) }
        stream.buffer.append(UInt8(ascii: "\n"))
        try stream.endRow()
    }

    mutating func finish() throws -> ExportManifest.Table { try stream.finish() }

    @inline(__always)
    private mutating func begin(_ field: inout Int) {
        if form == .ndjson {
            append(layout.keys[field])
        } else if field > 0 {
            append(",")
        }
        field += 1
    }

    // MARK: Values

    private mutating func write(_ value: SourceValue, _ index: Int) throws {
        let encoding = columns[index].encoding
        switch value.storage {
        case SQLITE_INTEGER:
            switch encoding {
            case .number: integer(value.integer)
            case .boolean where value.integer == 0: append("false")
            case .boolean where value.integer == 1: append("true")
            case .date where columns[index].dates?.unit != nil:
                try date(value.integer, columns[index].dates?.unit ?? .seconds)
            default: tagged(.integer, "\(value.integer)")
            }
        case SQLITE_FLOAT:
            let text = value.real.isInfinite ? (value.real < 0 ? "-Infinity" : "Infinity") : "\(value.real)"
            if encoding == .number, value.real.isFinite { append(text) } else { tagged(.real, text) }
        case SQLITE_TEXT:
            if value.isLost { throw MigrationError.noMemoryForRow }
            try text(value.bytes.bindMemory(to: UInt8.self), encoding, dateForms[index])
        case SQLITE_BLOB:
            if value.isLost { throw MigrationError.noMemoryForRow }
            if encoding == .base64 {
                if form == .ndjson || value.bytes.isEmpty { append("\"") }
                try base64(value.bytes)
                if form == .ndjson || value.bytes.isEmpty { append("\"") }
            } else {
                try taggedBytes(.blob, value.bytes)
            }
        default: if form == .ndjson { append("null") }
        }
    }

    /// JavaScript and many others hold integers of 53 bits.
    private mutating func integer(_ value: Int64) {
        let isLarge = value.magnitude >= 1 << 53
        if isLarge { append("\"") }
        append("\(value)")
        if isLarge { append("\"") }
    }

    private mutating func date(_ count: Int64, _ unit: EpochUnit) throws {
        let before = stream.buffer.count
        if form == .ndjson { append("\"") }
        guard unit.writeISO8601(count, to: &stream.buffer) else {
            stream.buffer.truncate(to: before)
            return tagged(.integer, "\(count)")
        }
        if form == .ndjson { append("\"") }
    }

    private mutating func text(
        _ bytes: UnsafeBufferPointer<UInt8>, _ encoding: ExportColumn.Encoding, _ dates: DateForm?
    ) throws {
        if encoding == .date, let dates, dates.reads(bytes) {
            if form == .ndjson { append("\"") }
            append(UnsafeBufferPointer(rebasing: bytes[..<10]))
            append("T")
            append(UnsafeBufferPointer(rebasing: bytes[11..<(bytes.count - dates.zone.count)]))
            append("Z")
            if form == .ndjson { append("\"") }
            return
        }
        guard let start = bytes.baseAddress else { return try plainText(bytes, isTagged: encoding != .text) }
        let scan = TextScan(start, count: bytes.count)
        // In CSV a NUL would end the file for many who read it.
        guard scan.isValid, form == .ndjson || !scan.hasNUL else {
            return try taggedBytes(.text64, UnsafeRawBufferPointer(bytes))
        }
        try plainText(bytes, isTagged: encoding != .text)
    }

    private mutating func plainText(_ bytes: UnsafeBufferPointer<UInt8>, isTagged: Bool) throws {
        if form == .ndjson {
            append(isTagged ? "{\"$text\":\"" : "\"")
            try escaped(bytes)
            append(isTagged ? "\"}" : "\"")
        } else {
            append(isTagged ? "\"$text:" : bytes.first == UInt8(ascii: "$") ? "\"$" : "\"")
            try doubled(bytes)
            append("\"")
        }
    }

    private mutating func tagged(_ tag: ValueTag, _ text: String) {
        append(form == .ndjson ? "{\"$\(tag.rawValue)\":\"\(text)\"}" : "$\(tag.rawValue):\(text)")
    }

    private mutating func taggedBytes(_ tag: ValueTag, _ bytes: UnsafeRawBufferPointer) throws {
        append(form == .ndjson ? "{\"$\(tag.rawValue)\":\"" : "$\(tag.rawValue):")
        try base64(bytes)
        if form == .ndjson { append("\"}") }
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    @inline(__always)
    private mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    @inline(__always)
    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return }
        stream.buffer.ensure(bytes.count)
        stream.buffer.append(from: start, count: bytes.count)
    }

    /// Large values go out piece by piece.
    private static let piece = 3 << 13

    private mutating func escaped(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        var start = 0
        for index in bytes.indices {
            let byte = bytes[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"),
                index - start < Self.piece
            {
                continue
            }
            append(UnsafeBufferPointer(rebasing: bytes[start..<index]))
            start = index
            try stream.drainIfFull()
            if let escape = JSONEscape.written[Int(byte)] {
                append(escape)
                start = index + 1
            }
        }
        append(UnsafeBufferPointer(rebasing: bytes[start...]))
    }

    private mutating func quoted(_ name: [UInt8]) {
        append("\"" + String(decoding: name, as: UTF8.self).replacing("\"", with: "\"\"") + "\"")
        stream.innerLines += name.count { $0 == UInt8(ascii: "\n") }
    }

    private mutating func doubled(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        var start = 0
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") { stream.innerLines += 1 }
            guard byte == UInt8(ascii: "\"") || index - start >= Self.piece else { continue }
            append(UnsafeBufferPointer(rebasing: bytes[start..<index]))
            start = index
            try stream.drainIfFull()
            if byte == UInt8(ascii: "\"") { append("\"") }
        }
        append(UnsafeBufferPointer(rebasing: bytes[start...]))
    }

    private mutating func base64(_ bytes: UnsafeRawBufferPointer) throws {
        var start = 0
        while start < bytes.count {
            let end = min(start + Self.piece, bytes.count)
            Base64.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), to: &stream.buffer)
            start = end
            try stream.drainIfFull()
        }
    }
}

extension ExportColumn.Dates {
    /// The form of texts; nil where integers are stored.
    var form: DateForm? {
        unit == nil ? DateForm(separator: separator ?? "T", zone: zone ?? "") : nil
    }
}

extension MigrationError {
    fileprivate static let noMemoryForRow = MigrationError(
        .value, "SQLite has no memory for a row", remedy: "Run this where there is more memory.")
}
