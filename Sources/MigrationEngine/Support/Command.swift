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
        // PostgreSQL's programs complain of a folder that their user may not enter.
        let words = ["/usr/bin/env", "-C", folder] + asUser([executable] + arguments)
        var template = Array((NSTemporaryDirectory() + "howdah-output-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw FileSystemError("making a file in", NSTemporaryDirectory()) }
        // Without its name the file goes away with its last descriptor.
        unlink(template)
        let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        Self.closeFilesOnExecution()
        let process = try Self.spawn(words, output: descriptor, environment.map { "\($0.key)=\($0.value)" })
        let status = Self.wait(for: process, timeout: timeout, cancellation: cancellation)
        try cancellation.check()
        try output.seek(toOffset: 0)
        let text = try output.read(upToCount: 1 << 20) ?? Data()
        return Outcome(status: status, output: String(decoding: text, as: UTF8.self))
    }

    /// Keeps every open file from the next program: a daemon that it starts would hold them for ever, those of
    /// howdah's own parent among them.
    private static func closeFilesOnExecution() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Starts a program in a process group of its own, so that the terminal's Ctrl-C does not reach it.
    private static func spawn(
        _ words: [String], output: Int32, _ environment: [String]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for copy in arguments + variables { free(copy) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, words[0], &actions, &attributes, &arguments, &variables)
        guard result == 0 else { throw FileSystemError("starting", words[0], code: result) }
        return process
    }

    /// The exit status, 128 and the signal's number for one that a signal ended.
    private static func wait(for process: pid_t, timeout: Duration, cancellation: Cancellation) -> Int32 {
        var deadline = ContinuousClock.now.advanced(by: timeout)
        var isAsked = false
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            var pause = timespec(tv_sec: 0, tv_nsec: 5_000_000)
            nanosleep(&pause, nil)
            let isLate = ContinuousClock.now > deadline
            if !isAsked, cancellation.isCancelled || isLate {
                kill(-process, SIGTERM)
                isAsked = true
                deadline = .now.advanced(by: .seconds(5))
            } else if isLate {
                kill(-process, SIGKILL)
            }
        }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
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
