import Foundation
import Synchronization

/// A little program that ends a process group when howdah goes away without a word: killed, or crashed.
///
/// It waits at the other end of a pair of sockets. The kernel closes howdah's end whatever becomes of howdah; a word before
/// that says that all is over. It runs in a session of its own, so that what ends howdah does not reach it.
struct Watchdog {
    private let writer: Int32
    private let process: ChildProcess

    /// Reads the group first, so that it stands ready before there is one.
    private static let script = """
        read -r group || exit 0
        if read -r word; then exit 0; fi
        kill -s TERM -- "-$group" 2>/dev/null || exit 0
        n=0
        while [ $n -lt 30 ] && kill -s 0 -- "-$group" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
        kill -s KILL -- "-$group" 2>/dev/null
        """

    init() throws {
        let (reader, writer) = try Self.pair()
        defer { close(reader) }
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(nowhere) }
        do {
            process = try ChildProcess.start(
                ["/bin/sh", "-c", Self.script], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
                input: reader, output: nowhere, hasOwnSession: true)
        } catch {
            close(writer)
            throw error
        }
        self.writer = writer
    }

    private static func pair() throws -> (Int32, Int32) {
        try ChildProcess.spawning.withLock { _ in
            var ends: [Int32] = [-1, -1]
            #if os(Linux)
                let kind = Int32(SOCK_STREAM.rawValue)
            #else
                let kind = SOCK_STREAM
            #endif
            guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
                throw FileSystemError("making", "a socket")
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    /// Says which group it is about.
    func guardGroup(_ group: pid_t) { say("\(group)\n") }

    /// Says that the group is gone, and waits for the watchdog's own end.
    func release() {
        say("over\n")
        close(writer)
        var status: Int32 = 0
        while waitpid(process.id, &status, 0) < 0, errno == EINTR {}
    }

    /// One that is gone already must not end howdah by a signal.
    private func say(_ text: String) {
        #if os(Linux)
            let flags = Int32(MSG_NOSIGNAL)
        #else
            var isOn: Int32 = 1
            setsockopt(writer, SOL_SOCKET, SO_NOSIGPIPE, &isOn, socklen_t(MemoryLayout<Int32>.size))
            let flags: Int32 = 0
        #endif
        _ = text.withCString { send(writer, $0, strlen($0), flags) }
    }
}
