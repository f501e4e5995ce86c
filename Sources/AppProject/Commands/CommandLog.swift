import Foundation
import MigrationEngine

/// What a command wrote, in a file for the owner alone; a flood is cut, and its end is kept.
public final class CommandLog {
    /// More of one run is left out, but for its last lines.
    public static let most = 32 << 20
    /// Runs of one command whose logs are kept.
    private static let kept = 20

    public let path: String
    private let descriptor: Int32
    private var written = 0
    private var pending: [UInt8] = []
    private var leftOut = 0
    private let limit: Int

    /// Makes the file in `log/tests` of the state folder; the oldest of the same command go away.
    public init(_ state: StateFolder, name: String, limit: Int = CommandLog.most) throws {
        let folder = try state.folder("log/tests")
        let plain = String(
            name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }.prefix(60))
        let tag = String(format: "%08x", Self.hash(name))
        Self.prune(folder, prefix: "\(plain)-\(tag)-")
        let formatter = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
        var number = 0
        while true {
            let suffix = number == 0 ? "" : "-\(number)"
            let path = "\(folder)/\(plain)-\(tag)-\(Date().formatted(formatter))\(suffix).log"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 {
                self.path = path
                self.descriptor = descriptor
                self.limit = limit
                return
            }
            guard errno == EEXIST, number < 100 else { throw FileSystemError("writing", path) }
            number += 1
        }
    }

    /// Names that differ must not share logs, though a file's name can say less than a command's.
    private static func hash(_ name: String) -> UInt32 {
        name.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    private static func prune(_ folder: String, prefix: String) {
        let old = Files.names(in: folder).filter { $0.hasPrefix(prefix) }
        for name in old.dropLast(kept - 1) { unlink("\(folder)/\(name)") }
    }

    public func add(_ line: String) {
        if written + pending.count >= limit {
            leftOut += 1
            return
        }
        pending += Array(line.utf8) + [0x0A]
        if pending.count >= 1 << 16 { flush() }
    }

    /// Writes what waits; a disk that is full costs the log, and not the run.
    public func flush() {
        var rest = pending[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
            written += count
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// Ends the file; where lines were left out, it says how many, and has the last ones.
    public func finish(last lines: [String]) {
        if leftOut > 0 {
            let shown = Array(lines.suffix(min(leftOut, lines.count)))
            let text = (["… \(Format.count(leftOut - shown.count, "line", "lines")) left out …"] + shown)
                .joined(separator: "\n")
            pending += Array(text.utf8) + [0x0A]
        }
        flush()
    }

    deinit { close(descriptor) }
}
