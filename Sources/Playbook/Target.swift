import Foundation
import MigrationEngine
import Postgres

/// Where a run goes: a private cluster, or a server of the operator's.
public enum Target: Sendable {
    case rehearsal
    case server(Conninfo)

    public init(_ text: String?) throws {
        guard let text, text != "rehearsal" else {
            self = .rehearsal
            return
        }
        guard !text.trimmingCharacters(in: .whitespaces).isEmpty else {
            throw MigrationError(
                .connection, "the target is empty: a variable that is not set, perhaps",
                remedy: "Name it as postgresql://user@host:5432/database, or leave it out for a rehearsal.",
                exit: .usage)
        }
        do {
            self = .server(try Conninfo(text))
        } catch {
            throw MigrationError(
                .connection, error.message,
                remedy:
                    "Write it as postgresql://user@host:5432/database, with special characters percent-encoded.",
                exit: .usage)
        }
    }

    /// For people and documents; a rehearsal's cluster has no address that outlives the run.
    public var url: String? {
        switch self {
        case .rehearsal: nil
        case .server(let conninfo): conninfo.url
        }
    }

    /// What the files of the state folder that tell of this target are named by: the rows in which it differs, and its digests.
    public var differencesName: String {
        switch self {
        case .rehearsal: "rehearsal"
        case .server(let conninfo): "target-\(PlanFile.digest(conninfo.url).prefix(12))"
        }
    }

    /// The same where a command names a schema: what differs in another one than the plan's is kept by itself.
    public func differencesName(schema: String?, in state: StateFolder) -> String {
        guard let schema else { return differencesName }
        let planned = (try? PlanFile(path: state.planPath))?.plan.schema ?? "public"
        return schema == planned
            ? differencesName : "\(differencesName)-\(PlanFile.digest(schema).prefix(12))"
    }

    /// The server that a text names; nil without a text, and for the rehearsal.
    public static func server(_ text: String?) throws -> Conninfo? {
        guard case .server(let conninfo) = try Target(text) else { return nil }
        return conninfo
    }
}
