import MigrationEngine
import Postgres

/// Whose rows the target's are: from the switch of a cutover on the application writes to it. Nothing is written here.
extension Playbook {
    /// Since when the application uses a mode's target; nil before a switch, and once it was taken back.
    public func targetInUse(_ mode: Mode) -> TargetInUse? {
        guard mode == .live, let inUse = switchedSince(), let known = switchedTarget(), let liveTarget else {
            return mode == .live ? switchedSince() : nil
        }
        return Self.isSamePlace(known, liveTarget) ? inUse : nil
    }

    /// The same of a server that was named, however it is spelled: its database is the one that was switched to. Where that cannot be
    /// told, one of the same name is taken for it.
    public func targetInUse(_ server: TargetServer) throws -> TargetInUse? {
        guard let inUse = switchedSince(), let known = switchedTarget() else { return switchedSince() }
        if Self.isSamePlace(known, server.conninfo) { return inUse }
        if let database = cutoverRecord()?.database, let found = try server.identity() {
            return found == database ? inUse : nil
        }
        guard let name = Self.database(known) else { return inUse }
        return try server.databaseName() == name ? inUse : nil
    }

    private func switchedSince() -> TargetInUse? {
        guard let record = cutoverRecord() else { return nil }
        let end = entry(of: "C.4", .live)
        return TargetInUse(since: record.time, end: end?.kind == .done ? end?.time : nil)
    }

    /// The target that was named when the switch was done: another one may have been since.
    private func switchedTarget() -> Conninfo? {
        let entries = journal.entries
        guard
            let switched = entries.lastIndex(where: {
                $0.subject == "C.2" && $0.mode == .live && $0.data != nil
            })
        else { return nil }
        return entries[..<switched].last { $0.kind == .target }.flatMap { try? Conninfo($0.text) }
    }

    /// Another role may come to the same database.
    private static func isSamePlace(_ one: Conninfo, _ other: Conninfo) -> Bool {
        database(one) == database(other) && one["host"] ?? "" == other["host"] ?? ""
            && one["port"] ?? "5432" == other["port"] ?? "5432"
    }

    private static func database(_ target: Conninfo) -> String? { target["dbname"] ?? target["user"] }
}
