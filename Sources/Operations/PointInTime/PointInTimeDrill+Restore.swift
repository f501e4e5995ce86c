import Foundation
import MigrationEngine
import Postgres

/// The two ways back: to the moment before the damage, and to the one after it.
extension PointInTimeDrill {
    /// Makes a server of the base backup and plays the log up to a target; `settings` say which.
    private func restore(
        _ damage: Damage, _ place: DrillPlace, settings: String
    ) throws -> TargetServer {
        try place.remove("restored")
        let data = try place.makeFolder("restored")
        try PrivateCluster(data: damage.base, programs: place.programs, cancellation: cancellation).copy(
            to: data)
        let cluster = place.cluster("restored")
        let command = PointInTimePlaces.restoreCommand(archive: "\(place.folder)/archive")
        try cluster.append(
            configuration: """

                # The way back
                archive_mode = off
                hot_standby = on
                restore_command = \(PointInTimePlaces.configurationValue(command))
                \(settings)
                recovery_target_action = 'promote'

                """)
        try writeFile("\(data)/recovery.signal", [], mode: 0o600)
        try place.programs.give("\(data)/recovery.signal")
        // The copy's last words would be taken for this server's own.
        try? FileManager.default.removeItem(atPath: "\(data)/server.log")
        let restored = server(try place.start(cluster, seconds: Self.recovery))
        do {
            try waitUntilRestored(restored)
        } catch {
            try cancellation.check()
            throw MigrationError(
                .rehearsal, "the restored server has stopped: \(cluster.lastWords ?? "\(error)")",
                remedy: "Look for free space below \(place.folder), and run the drill again.")
        }
        return restored
    }

    /// pg_ctl does not wait until all of the log is played.
    private func waitUntilRestored(_ server: TargetServer) throws {
        try server.withConnection(purpose: "drill") { connection in
            while try connection.query("SELECT pg_is_in_recovery()").bool(0, 0) {
                try cancellation.check()
                _ = try connection.query("SELECT pg_sleep(0.05)")
            }
        }
    }

    /// To the moment before the damage: SQLite in every cell, and the marker.
    func restoreBefore(
        _ damage: Damage, _ place: DrillPlace, _ report: inout PointInTimeDrillReport
    ) throws {
        let restored = try report.timed("restore to before") { _ in
            try restore(
                damage, place,
                settings: "recovery_target_time = \(PointInTimePlaces.configurationValue(damage.moment))")
        }
        if try !hasMarker(restored) {
            report.problems.append("the marker, written before the moment, is not there")
        }
        let proof = try report.timed("proof") { _ in try prove(restored, []) }
        report.tables = proof.tables.count { $0.verdict == "equal" }
        report.rows = proof.tables.reduce(0) { $0 + $1.loadedRows }
        for table in proof.tables + proof.views where table.verdict == "differs" {
            report.problems.append(
                "\(table.name): \(table.reason ?? Format.count(table.differences, "row differs", "rows differ"))"
            )
        }
    }

    /// To the moment after it: the damage is there, and the proof finds it.
    func restoreAfter(
        _ damage: Damage, _ place: DrillPlace, _ report: inout PointInTimeDrillReport
    ) throws {
        let names = [damage.deleted, damage.dropped].compactMap { $0?.source }
        guard !names.isEmpty else { return }
        let restored = try report.timed("restore to after") { _ in
            try restore(damage, place, settings: "recovery_target_name = '\(Self.after)'")
        }
        if try !hasMarker(restored) { report.problems.append("the marker is not there after the damage") }
        let proof = try report.timed("proof of the damage") { _ in try prove(restored, names) }
        let found = proof.tables.filter { names.contains($0.name) && $0.verdict == "differs" }
        report.seenDamage = found.count
        if found.count < names.count {
            report.problems.append(
                "restored to after the damage, the proof does not find it: it proves nothing")
        }
    }

    private func hasMarker(_ server: TargetServer) throws -> Bool {
        try server.withConnection(purpose: "drill") { connection in
            guard try connection.query("SELECT to_regclass('howdah_drill.marker') IS NOT NULL").bool(0, 0)
            else {
                return false
            }
            return try connection.query("SELECT count(*) FROM howdah_drill.marker").int(0, 0) == 1
        }
    }
}
