import Foundation
import Synchronization

/// A network that can be cut: a PostgreSQL socket that hands everything on to another one.
///
/// The server behind may come and go, also under another name; who connects meanwhile is refused.
public final class SocketProxy: Sendable {
    private struct State {
        var server: String?
        var connections: Set<Int32> = []
        var isClosed = false
    }

    /// Where clients connect: the folder that libpq calls host.
    public let folder: String
    private let listener: Int32
    private let state = Mutex(State())

    /// Listens in `folder`, for port 5432, and hands on to the same port in `server`.
    public init(in folder: String, server: String?) throws {
        self.folder = folder
        let path = "\(folder)/.s.PGSQL.5432"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0, withAddress(path, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0
        else {
            throw CocoaError(.fileWriteUnknown)
        }
        chmod(path, 0o777)
        state.withLock { $0.server = server }
        Thread { self.accept() }.start()
    }

    /// The folder of the server's socket; nil refuses everybody.
    public func setServer(_ folder: String?) {
        state.withLock { $0.server = folder }
    }

    /// Drops every connection at once, on both sides.
    public func cut() {
        let open = state.withLock { $0.connections }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Ends the proxy with all its threads.
    public func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    private func accept() {
        while true {
            let client = Foundation.accept(listener, nil, nil)
            let (server, isClosed) = state.withLock { ($0.server, $0.isClosed) }
            if client < 0 || isClosed { break }
            let other = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            guard let server,
                withAddress("\(server)/.s.PGSQL.5432", { connect(other, $0, $1) }) == 0
            else {
                Foundation.close(other)
                Foundation.close(client)
                continue
            }
            state.withLock { $0.connections.formUnion([client, other]) }
            let pair = Pair(client: client, server: other)
            Thread { self.pump(pair, from: client, to: other) }.start()
            Thread { self.pump(pair, from: other, to: client) }.start()
        }
        Foundation.close(listener)
    }

    private final class Pair: Sendable {
        let client: Int32
        let server: Int32
        let ended = Atomic<Int>(0)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }
    }

    private func pump(_ pair: Pair, from source: Int32, to sink: Int32) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        copying: while true {
            let count = read(source, buffer.baseAddress, buffer.count)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let written = send(
                    sink, buffer.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                guard written > 0 else { break copying }
                sent += written
            }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(sink, Int32(SHUT_RDWR))
        // The second of both directions closes; before that, the numbers stay theirs.
        guard pair.ended.add(1, ordering: .acquiringAndReleasing).newValue == 2 else { return }
        state.withLock { state in
            state.connections.subtract([pair.client, pair.server])
            Foundation.close(pair.client)
            Foundation.close(pair.server)
        }
    }
}

private func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < capacity else { return -1 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}
