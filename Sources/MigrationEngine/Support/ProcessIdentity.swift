import Foundation

/// Tells a process from a later one that got the same number.
public enum ProcessIdentity {
    /// When it was started; nil where there is no such process.
    public static func of(_ process: pid_t) -> String? {
        guard process > 1, kill(process, 0) == 0 || errno == EPERM else { return nil }
        #if os(Linux)
            // proc(5): the name, which may hold anything, ends with the last parenthesis; the start is the 20th field after it.
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return nil }
            let fields =
                String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 19, fields[0] != "Z" else { return nil }
            let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
            return "\(fields[19]) \(String(decoding: boot.prefix(36), as: UTF8.self))"
        #else
            let ps = Command(
                "/bin/ps", ["-o", "lstart=", "-p", "\(process)"], in: "/", environment: ["LC_ALL": "C"])
            let outcome = try? ps.run(cancellation: Cancellation())
            return outcome.flatMap { $0.status == 0 && !$0.output.isEmpty ? $0.output : nil }
        #endif
    }
}
