import Foundation
import Synchronization

/// A program that was started by posix_spawn, in a process group of its own: the one way in which howdah starts programs.
///
/// It reads /dev/null, so that nothing waits for an answer, and the terminal's Ctrl-C does not reach it.
struct ChildProcess: Sendable {
    let id: pid_t

    /// Held while descriptors are made and programs started, so that none is inherited by another's program.
    static let spawning = Mutex(())

    /// POSIX_SPAWN_SETSID, which the headers keep from Swift.
    #if os(Linux)
        private static let ownSession: Int32 = 0x80
    #else
        private static let ownSession: Int32 = 0x400
    #endif

    /// Starts a program whose output and errors go to `output`. `hasOwnSession` takes the terminal away from it altogether.
    static func start(
        _ words: [String], environment: [String: String], input: Int32? = nil, output: Int32,
        hasOwnSession: Bool = false
    ) throws -> ChildProcess {
        try spawning.withLock { _ in
            closeFilesOnExecution()
            return ChildProcess(
                id: try spawn(
                    words, environment.map { "\($0.key)=\($0.value)" }, input, output, hasOwnSession))
        }
    }

    /// The two ends of a pipe, which no program inherits.
    static func pipe() throws -> (reader: Int32, writer: Int32) {
        try spawning.withLock { _ in
            var ends: [Int32] = [-1, -1]
            guard Foundation.pipe(&ends) == 0 else { throw FileSystemError("making", "a pipe") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    /// Keeps every open file from the next program: a daemon that it starts would hold them for ever, those of
    /// howdah's own parent among them.
    private static func closeFilesOnExecution() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    private static func spawn(
        _ words: [String], _ environment: [String], _ input: Int32?, _ output: Int32, _ hasOwnSession: Bool
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // The leader of a session leads a process group too.
        let group = hasOwnSession ? ownSession : Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(
            &attributes,
            Int16(group | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for copy in arguments + variables { free(copy) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, words[0], &actions, &attributes, &arguments, &variables)
        guard result == 0 else { throw FileSystemError("starting", words[0], code: result) }
        return process
    }

    /// The exit status, 128 and the signal's number for one that a signal ended; nil while it runs. Asked again after the
    /// end it says 127.
    func status() -> Int32? {
        var status: Int32 = 0
        let answer = waitpid(id, &status, WNOHANG)
        if answer == 0 || answer < 0 && errno == EINTR { return nil }
        guard answer == id else { return 127 }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    func signalGroup(_ number: Int32) { kill(-id, number) }

    /// Whether anything of its group is left, itself included.
    var hasGroup: Bool { kill(-id, 0) == 0 || errno == EPERM }
}
