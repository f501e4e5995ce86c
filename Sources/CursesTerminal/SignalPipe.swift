import Foundation

/// A pipe that ends a `poll`: signal handlers and other threads write a letter each.
final class SignalPipe: Sendable {
    let reader: Int32
    let writer: Int32

    init() throws {
        var files: [Int32] = [0, 0]
        guard pipe(&files) == 0 else {
            throw CursesTerminal.Unusable(description: "no pipe: \(String(cString: strerror(errno)))")
        }
        for file in files {
            _ = fcntl(file, F_SETFL, O_NONBLOCK)
            _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        }
        reader = files[0]
        writer = files[1]
    }

    deinit {
        close(reader)
        close(writer)
    }

    /// From any thread; a full pipe has woken the reader already.
    func wake() {
        var letter = UInt8(ascii: "m")
        _ = write(writer, &letter, 1)
    }

    func drain() -> [UInt8] {
        var letters: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 256)
        while case let count = read(reader, &block, block.count), count > 0 { letters += block[..<count] }
        return letters
    }
}
