import Foundation
import Subprocess
import Synchronization

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Runs another program to its end, from a thread that may block.
struct Command {
    struct Outcome {
        let status: Int32
        /// What it wrote to its output and errors, both.
        let output: String
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
    var timeout: Duration = .seconds(120)

    /// Runs in `/` with an environment of its own: neither locale nor PG* variables of the operator's reach it.
    ///
    /// A wish to cancel, and the timeout, end the program and throw.
    func run(cancellation: Cancellation) throws -> Outcome {
        var options = PlatformOptions()
        if let user {
            options.userID = user.id
            options.groupID = user.group
            options.supplementaryGroups = [user.group]
        }
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let configuration = Configuration(
            executable: .path(FilePath(executable)), arguments: Arguments(arguments),
            environment: .custom([
                "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TZ": "UTC",
            ]),
            workingDirectory: "/", platformOptions: options)
        let result = Mutex<Swift.Result<Outcome, any Error>?>(nil)
        let box = Box(result)
        let done = DispatchSemaphore(value: 0)
        let task = Task.detached {
            do {
                let ended = try await Subprocess.run(
                    configuration, output: .string(limit: 1 << 20), error: .combinedWithOutput)
                let status: Int32 =
                    switch ended.terminationStatus {
                    case .exited(let code): Int32(code)
                    case .signaled(let signal): 128 + Int32(signal)
                    }
                box.store(.success(Outcome(status: status, output: ended.standardOutput)))
            } catch {
                box.store(.failure(error))
            }
            done.signal()
        }
        let deadline = ContinuousClock.now.advanced(by: timeout)
        while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
            if cancellation.isCancelled || ContinuousClock.now > deadline { task.cancel() }
        }
        try cancellation.check()
        guard let outcome = try box.take() else { throw MigrationError.cancelled }
        return outcome
    }

    private final class Box: Sendable {
        private let value: Mutex<Swift.Result<Outcome, any Error>?>

        init(_ value: consuming Mutex<Swift.Result<Outcome, any Error>?>) {
            self.value = value
        }

        func store(_ result: Swift.Result<Outcome, any Error>) {
            value.withLock { $0 = result }
        }

        func take() throws -> Outcome? {
            try value.withLock { try $0?.get() }
        }
    }
}
