import Foundation
import TestSupport

/// A real browser without a window and without a network: Debian's Chromium, of which `make test` sees to it that it is there.
enum Browser {
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// What the browser makes of a page, and what it said about it.
    struct Page {
        let dom: String
        let log: String
    }

    /// Opens a file and returns the document as the browser holds it; nil where it does not come to an end. `picture` names
    /// a file that gets it as it looks.
    static func open(_ file: String, picture: String? = nil) throws -> Page? {
        guard let path else { return nil }
        return try withTemporaryFolder { folder in
            for name in ["out", "err"] {
                _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil)
            }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments =
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--user-data-dir=\(folder)/profile", "--host-resolver-rules=MAP * ~NOTFOUND",
                    "--enable-logging=stderr", "--window-size=1280,1600",
                ] + (picture.map { ["--screenshot=\($0)"] } ?? ["--dump-dom"]) + [
                    URL(fileURLWithPath: file).absoluteString
                ]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle(forWritingAtPath: "\(folder)/out")
            process.standardError = FileHandle(forWritingAtPath: "\(folder)/err")
            try process.run()
            guard waitUntil(seconds: 90, { !process.isRunning }) else {
                process.terminate()
                _ = waitUntil(seconds: 10) { !process.isRunning }
                return nil
            }
            func content(_ name: String) -> String {
                String(
                    decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(),
                    as: UTF8.self)
            }
            return Page(dom: content("out"), log: content("err"))
        }
    }
}
