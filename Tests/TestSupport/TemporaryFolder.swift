import Foundation
import SQLite

/// Runs `body` with an empty folder, which is removed afterwards with all that is in it.
public func withTemporaryFolder<T>(_ body: (String) throws -> T) throws -> T {
    let path = FileManager.default.temporaryDirectory.path + "/howdah-test-" + UUID().uuidString
    try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { removeFolder(path) }
    return try body(path)
}

/// Removes a folder, also where a test has taken its rights away. What a link in it leads to is not the test's.
private func removeFolder(_ path: String) {
    for name in (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? [] {
        var facts = stat()
        let member = "\(path)/\(name)"
        guard lstat(member, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else { continue }
        chmod(member, 0o700)
    }
    chmod(path, 0o700)
    try? FileManager.default.removeItem(atPath: path)
}

/// Makes a SQLite file from a script.
public func makeDatabase(_ path: String, _ script: String) throws {
    let connection = try SQLite.Connection(path: path, mode: .create)
    try connection.execute(script)
}

/// Waits until `condition` holds; false after the deadline.
public func waitUntil(seconds: Double = 30, _ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while ContinuousClock.now < deadline {
        if condition() { return true }
        var pause = timespec(tv_sec: 0, tv_nsec: 5_000_000)
        nanosleep(&pause, nil)
    }
    return condition()
}

/// The folder of a package, found from a file in it.
public func packageFolder(_ file: StaticString = #filePath) -> String {
    var path = "\(file)" as NSString
    while path.length > 1 {
        path = path.deletingLastPathComponent as NSString
        if FileManager.default.fileExists(atPath: "\(path)/Package.swift") { return path as String }
    }
    return "."
}
