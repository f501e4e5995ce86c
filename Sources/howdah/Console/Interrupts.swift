import Foundation
import MigrationEngine

/// Turns Ctrl-C, SIGTERM and SIGHUP into a wish to stop.
///
/// The handler only writes to a pipe; a thread of its own reads it and may block on the servers.
enum Interrupts {
    nonisolated(unsafe) private static var pipeEnds: (read: Int32, write: Int32) = (-1, -1)

    /// Opens what is closed of stdin, stdout and stderr on /dev/null: a file or pipe in their place would be written to.
    static func secureStandardStreams() {
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
    }

    /// Called once, from the main thread, before any other thread is there.
    static func cancel(_ cancellation: Cancellation) {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        pipeEnds = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { @Sendable _ in
                var byte: UInt8 = 1
                _ = write(Interrupts.pipeEnds.write, &byte, 1)
            }
        }
        // Whoever started howdah may have blocked them, and a blocked signal is inherited.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        let reader = ends[0]
        let thread = Thread { @Sendable in
            var byte: UInt8 = 0
            var isSaid = false
            while true {
                let count = read(reader, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1 else { return }
                // First what was asked for: who does not read stderr must not keep it from happening.
                cancellation.cancel()
                if !isSaid { Console.note("\nstopping in order; this may take a moment") }
                isSaid = true
            }
        }
        thread.name = "howdah-signals"
        thread.start()
    }
}
