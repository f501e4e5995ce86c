import Foundation

extension Command {
    /// How a program that was watched came to its end.
    public struct Ending: Sendable, Equatable {
        /// The exit status, 128 and the signal's number for one that a signal ended.
        public let status: Int32
        /// Whether it took longer than it was given, and was ended.
        public let isLate: Bool
        /// Whether it was ended by a wish to cancel.
        public let isCancelled: Bool
        public let seconds: Double
    }

    /// How long a group that was asked to end may take, before it is killed.
    public static let grace = Duration.seconds(3)

    /// Runs it to its end, and hands over what it writes as it comes: on this thread, which blocks meanwhile.
    ///
    /// It has no terminal. `started` gets the process's number, which is its group's too; `tick` is called several times a
    /// second whether it writes or not. Whatever ends it, its whole process group ends with it: asked first, killed after
    /// `grace`. Where howdah itself is killed, a watchdog does the same. What leaves the group (a daemon with a session of its
    /// own) is out of reach.
    public func stream(
        cancellation: Cancellation, started: (pid_t) -> Void = { _ in }, tick: () -> Void = {},
        _ take: (UnsafeRawBufferPointer) -> Void
    ) throws -> Ending {
        let (reader, writer) = try ChildProcess.pipe()
        defer { close(reader) }
        let start = ContinuousClock.now
        let watchdog: Watchdog
        let process: ChildProcess
        do {
            // The end for writing is the program's alone, so that its end is seen.
            defer { close(writer) }
            watchdog = try Watchdog()
            do {
                process = try ChildProcess.start(
                    words, environment: environment, output: writer, hasOwnSession: true)
            } catch {
                watchdog.release()
                throw error
            }
        }
        watchdog.guardGroup(process.id)
        started(process.id)
        var stream = Stream(process: process, reader: reader, deadline: start.advanced(by: timeout))
        while !stream.isOver {
            stream.read(take)
            tick()
            stream.look(cancellation)
        }
        watchdog.release()
        return Ending(
            status: stream.status ?? 128 + SIGKILL, isLate: stream.isLate, isCancelled: stream.isCancelled,
            seconds: (ContinuousClock.now - start).seconds)
    }

    /// The state of a program that is watched.
    private struct Stream {
        let process: ChildProcess
        let reader: Int32
        let deadline: ContinuousClock.Instant
        let buffer = Buffer(1 << 16)
        var isOpen = true
        var status: Int32?
        var isLate = false
        var isCancelled = false
        var isOver = false
        /// When its group was asked to end.
        private var asked: ContinuousClock.Instant?
        /// Whether the last look at the pipe found nothing in it.
        private var isDry = false

        init(process: ChildProcess, reader: Int32, deadline: ContinuousClock.Instant) {
            self.process = process
            self.reader = reader
            self.deadline = deadline
        }

        /// Waits a moment for output, and takes what is there.
        mutating func read(_ take: (UnsafeRawBufferPointer) -> Void) {
            guard isOpen else {
                var pause = timespec(tv_sec: 0, tv_nsec: 10_000_000)
                nanosleep(&pause, nil)
                return
            }
            var question = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            isDry = poll(&question, 1, status == nil ? 50 : 20) <= 0
            if isDry { return }
            let count = Foundation.read(reader, buffer.bytes.baseAddress, buffer.bytes.count)
            if count > 0 {
                take(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
            } else if count == 0 || errno != EINTR && errno != EAGAIN {
                isOpen = false
            }
        }

        /// Sees whether it has ended, or must.
        mutating func look(_ cancellation: Cancellation) {
            let now = ContinuousClock.now
            if status == nil { status = process.status() }
            if asked == nil {
                if status == nil, cancellation.isCancelled {
                    isCancelled = true
                } else if status == nil, now > deadline {
                    isLate = true
                } else if status == nil {
                    return
                }
                // What it has started and left behind ends with it.
                process.signalGroup(SIGTERM)
                asked = now
            }
            guard let asked else { return }
            let hasGroup = process.hasGroup
            if status != nil, !hasGroup {
                // Somebody outside of the group may hold the pipe for ever: what is in it is read, for a moment at most.
                isOver = !isOpen || isDry || now - asked > Command.grace + .seconds(1)
                return
            }
            if now - asked > Command.grace { process.signalGroup(SIGKILL) }
            // What is killed may wait for somebody to take note of it, or hang in the kernel; howdah does not hang with it.
            if now - asked > Command.grace + .seconds(status == nil ? 10 : 1) { isOver = true }
        }
    }

    private final class Buffer {
        let bytes: UnsafeMutableRawBufferPointer

        init(_ count: Int) {
            bytes = .allocate(byteCount: count, alignment: 16)
        }

        deinit { bytes.deallocate() }
    }
}
