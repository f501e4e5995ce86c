import Foundation
import TestSupport

/// Runs the program itself, as a user does.
struct Howdah {
    struct Outcome {
        let exit: Int32
        let output: String
        let errors: String

        /// The one JSON document on stdout.
        func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
        }
    }

    /// The program that was built with these tests, or the one that HOWDAH names.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["HOWDAH"] { return named }
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") } ?? ""
        let beside = (bundle as NSString).deletingLastPathComponent + "/howdah"
        return FileManager.default.fileExists(atPath: beside)
            ? beside : packageFolder() + "/.build/debug/howdah"
    }()

    static func start(
        _ arguments: [String], output: FileHandle, errors: FileHandle, environment: [String: String] = [:],
        folder: String? = nil
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        try process.run()
        return process
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) throws -> Outcome {
        try withTemporaryFolder { temporary in
            for name in ["out", "err"] {
                _ = FileManager.default.createFile(atPath: "\(temporary)/\(name)", contents: nil)
            }
            guard let output = FileHandle(forWritingAtPath: "\(temporary)/out"),
                let errors = FileHandle(forWritingAtPath: "\(temporary)/err")
            else { throw CocoaError(.fileWriteUnknown) }
            let process = try start(
                arguments, output: output, errors: errors, environment: environment, folder: folder)
            guard waitUntil(seconds: 120, { !process.isRunning }) else {
                process.terminate()
                throw CocoaError(.executableRuntimeMismatch)
            }
            func content(_ name: String) -> String {
                String(
                    decoding: FileManager.default.contents(atPath: "\(temporary)/\(name)") ?? Data(),
                    as: UTF8.self)
            }
            return Outcome(exit: process.terminationStatus, output: content("out"), errors: content("err"))
        }
    }
}
