import Foundation
import MigrationEngine
import Operations
import Postgres

/// The roles of least privilege of a target: no step of the six phases, but journalled as one. Each may block.
extension Playbook {
    private static let rolesSubject = "roles"

    /// What was made in one database, as the journal keeps it.
    private struct RoleNote: Codable {
        let place: String
        let record: RoleRecord
    }

    /// What would be run in the target of this mode; changes nothing.
    public func rolePlan(_ options: RoleOptions, _ activity: Activity) throws -> RolePlan {
        try roleMaker(options, activity).plan()
    }

    /// Makes the roles, journalled before and after; returns what was done. Passwords of new ones go into the file of the
    /// state folder before the server hears of them.
    public func applyRoles(
        _ plan: RolePlan, _ options: RoleOptions, _ activity: Activity
    ) throws -> [String] {
        let target = try server(mode, cancellation: activity.cancellation).conninfo
        let new = plan.accounts.filter(\.isNew)
        var passwords: [String: String] = [:]
        // The private PostgreSQL asks nobody.
        if mode == .live { for account in new { passwords[account.name] = DatabaseMaker.password() } }
        let file = PasswordFile(workspace.state)
        var note = RoleNote(place: rolePlace(target), record: RoleRecord(database: plan.database))
        try noting {
            try roleMaker(options, activity).apply(plan, passwords: passwords) { record in
                note = RoleNote(place: rolePlace(target), record: record)
                try addRoleNote(.started, note)
                guard !passwords.isEmpty else { return }
                // Of a role that was not there any earlier one is of an attempt that failed.
                try file.remove(passwords.keys.map { Self.passwordLine(target, plan.database, $0, "") })
                // A password that nobody has would be lost.
                try file.add(
                    passwords.sorted { $0.key < $1.key }.map { name, password in
                        Self.passwordLine(target, plan.database, name, password)
                    })
            }
        }
        var evidence = [
            new.isEmpty
                ? "the roles of \(plan.database) were there; their rights are as they should be"
                : "\(Format.count(new.count, "role", "roles")) made in \(plan.database): \(new.map(\.name).joined(separator: ", "))"
        ]
        if !passwords.isEmpty { evidence.append("their passwords are in \(file.path)") }
        evidence.append(
            "\(Format.count(plan.statements.count, "statement", "statements")) in one transaction")
        try addRoleNote(.done, note, evidence: evidence)
        return evidence
    }

    /// What the undo would run; empty where nothing was made.
    public func roleUndoStatements(_ activity: Activity) throws -> [String] {
        guard let note = try roleNote(activity) else { return [] }
        return try roleMaker(RoleOptions(), activity).undoStatements(note.record)
    }

    /// Drops the roles that were made in this target, journalled before and after.
    public func undoRoles(_ activity: Activity) throws -> [String] {
        guard let note = try roleNote(activity) else {
            throw MigrationError(
                .state, "no roles were made in \(targetWords(mode))", remedy: "There is nothing to undo.",
                exit: .undecided)
        }
        let target = try server(mode, cancellation: activity.cancellation).conninfo
        try addRoleNote(.undoing, note)
        let done = try noting { try roleMaker(RoleOptions(), activity).undo(note.record) }
        try PasswordFile(workspace.state).remove(
            note.record.made.map { Self.passwordLine(target, note.record.database, $0, "") })
        try addRoleNote(.undone, note, evidence: done)
        return done
    }

    /// The name of the database that the roles are in.
    public func rolesDatabase(_ activity: Activity) throws -> String {
        try roleServer(activity).databaseName()
    }

    /// How one of the roles connects, without its password; for Prisma with the schema.
    public func roleURL(_ plan: RolePlan, _ role: DatabaseRole, _ activity: Activity) throws -> String {
        let target = try server(mode, cancellation: activity.cancellation).conninfo
        return target.setting("user", to: plan.name(role)).setting("dbname", to: plan.database)
            .clientURL(password: nil, schema: plan.schema == "public" ? nil : plan.schema)
    }

    // MARK: Connecting

    private func roleMaker(_ options: RoleOptions, _ activity: Activity) throws -> RoleMaker {
        RoleMaker(
            try roleServer(activity), schema: schema, options: options,
            earlier: try roleNote(activity)?.record)
    }

    /// The target's own database, as an administrator where one is named.
    private func roleServer(_ activity: Activity) throws -> TargetServer {
        let server = try server(mode, cancellation: activity.cancellation)
        guard mode == .live, let admin else { return server }
        let database = server.conninfo["dbname"] ?? server.conninfo["user"] ?? NSUserName()
        return TargetServer(admin.setting("dbname", to: database), cancellation: activity.cancellation)
    }

    private static func passwordLine(
        _ target: Conninfo, _ database: String, _ role: String, _ password: String
    ) -> String {
        DatabaseMaker.passwordLine(
            target.setting("user", to: role).setting("dbname", to: database), password: password)
    }

    // MARK: Journal

    /// Which database of which server it is, whoever connects.
    private func rolePlace(_ target: Conninfo) -> String {
        if mode == .rehearsal { return mode.rawValue }
        return "\(target["host"] ?? ""):\(target["port"] ?? "5432")/\(target["dbname"] ?? "")"
    }

    private func roleNote(_ activity: Activity) throws -> RoleNote? {
        roleNote(try server(mode, cancellation: activity.cancellation).conninfo)
    }

    /// What was begun and not undone since: what a lost connection has kept may be there, and its undo passes over what is not.
    private func roleNote(_ target: Conninfo) -> RoleNote? {
        let place = rolePlace(target)
        let entries = journal.entries.filter { $0.subject == Self.rolesSubject && $0.mode == mode }
        for entry in entries.reversed() {
            guard let note = entry.data.flatMap({ Journal.decode(RoleNote.self, $0) }), note.place == place
            else { continue }
            return entry.kind == .undone ? nil : note
        }
        return nil
    }

    private func addRoleNote(
        _ kind: JournalEntry.Kind, _ note: RoleNote, evidence: [String] = []
    ) throws {
        try journal.add(
            kind, Self.rolesSubject, mode, evidence: evidence, data: Journal.encode(note))
    }

    private func noting<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch {
            let error = Self.explained(error)
            try journal.add(
                error.code == .cancelled ? .cancelled : .failed, Self.rolesSubject, mode, error.message,
                evidence: [error.remedy])
            throw error
        }
    }
}
