import Foundation

/// Runs another program to its end, from a thread that may block.
///
/// By posix_spawn and waitpid: Foundation's Process takes a program for running as long as a daemon that it started
/// lives, and asynchronous libraries need threads of the cooperative pool, which the caller may be blocking.
public struct Command {
    public struct Outcome {
        public let status: Int32
        /// What it wrote to its output and errors, both.
        public let output: String
    }

    /// A user to run as; only root can choose another than itself.
    struct User {
        let name: String
        let id: uid_t
        let group: gid_t

        static func named(_ name: String) -> User? {
            guard let entry = getpwnam(name) else { return nil }
            return User(name: name, id: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        }
    }

    let executable: String
    var arguments: [String]
    var user: User?
    public var timeout: Duration = .seconds(120)
    var folder = "/"
    /// By itself neither locale nor PG* variables of the operator's reach it.
    var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TZ": "UTC"]

    init(executable: String, arguments: [String], user: User? = nil) {
        self.executable = executable
        self.arguments = arguments
        self.user = user
    }

    /// A program of the operator's own, in a folder of theirs and with their environment.
    public init(_ executable: String, _ arguments: [String], in folder: String, environment: [String: String])
    {
        self.init(executable: executable, arguments: arguments)
        self.folder = folder
        self.environment = environment
    }

    /// Runs it to its end.
    ///
    /// A wish to cancel, and the timeout, end the program; the first then throws.
    public func run(cancellation: Cancellation) throws -> Outcome {
        var template = Array((NSTemporaryDirectory() + "howdah-output-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw FileSystemError("making a file in", NSTemporaryDirectory()) }
        // Without its name the file goes away with its last descriptor.
        unlink(template)
        let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let process = try ChildProcess.start(words, environment: environment, output: descriptor)
        let status = Self.wait(for: process, timeout: timeout, cancellation: cancellation)
        try cancellation.check()
        try output.seek(toOffset: 0)
        let text = try output.read(upToCount: 1 << 20) ?? Data()
        return Outcome(status: status, output: String(decoding: text, as: UTF8.self))
    }

    /// What is started: PostgreSQL's programs complain of a folder that their user may not enter.
    var words: [String] { ["/usr/bin/env", "-C", folder] + asUser([executable] + arguments) }

    private static func wait(for process: ChildProcess, timeout: Duration, cancellation: Cancellation)
        -> Int32
    {
        var deadline = ContinuousClock.now.advanced(by: timeout)
        var isAsked = false
        while true {
            if let status = process.status() { return status }
            var pause = timespec(tv_sec: 0, tv_nsec: 5_000_000)
            nanosleep(&pause, nil)
            let isLate = ContinuousClock.now > deadline
            if !isAsked, cancellation.isCancelled || isLate {
                process.signalGroup(SIGTERM)
                isAsked = true
                deadline = .now.advanced(by: .seconds(5))
            } else if isLate {
                process.signalGroup(SIGKILL)
            }
        }
    }

    private func asUser(_ words: [String]) -> [String] {
        guard let user else { return words }
        #if os(Linux)
            return [
                "/usr/bin/setpriv", "--reuid=\(user.id)", "--regid=\(user.group)", "--clear-groups", "--",
            ] + words
        #else
            return ["/usr/bin/sudo", "-n", "-u", user.name] + words
        #endif
    }
}
