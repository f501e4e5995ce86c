import Foundation
import MigrationEngine
import Postgres

/// Looks at a server, and writes what its way back to a moment takes. Changes nothing on the server.
///
/// Called from a thread that may block.
public struct PointInTimeDesk: Sendable {
    private let server: TargetServer
    private let places: PointInTimePlaces?
    private let programs: String

    /// Without `places` those that are proposed for the database.
    public init(_ server: TargetServer, places: PointInTimePlaces?) {
        self.server = server
        self.places = places
        programs = (try? ServerPrograms().folder) ?? "/usr/local/pgsql/bin"
    }

    /// What was found, and the files for it.
    public struct Result: Sendable {
        public let report: PointInTimeReport
        public let places: PointInTimePlaces
        let facts: PointInTimeFacts
        let url: String
        let variables: [(name: String, value: String)]
        let programs: String

        /// The files by name; `drill` is what one has measured, as a sentence.
        public func files(drill: String? = nil) -> [(name: String, text: String)] {
            let guide = PointInTimeGuide(
                places: places, facts: facts, report: report, url: url, programs: programs,
                variables: variables, drill: drill)
            let text = ("RESTORE-TO-A-MOMENT.md", guide.text)
            if report.provider != nil { return [text] }
            return [
                text, ("archive-wal.sh", PointInTimeScripts.archiving(archive: places.archive)),
                (
                    "basebackup.sh",
                    PointInTimeScripts.base(
                        places, variables: variables, programs: programs, version: facts.version)
                ),
            ]
        }
    }

    public func look() throws -> Result {
        try server.withConnection(purpose: "point in time") { connection in
            let places = places ?? PointInTimePlaces(database: connection.database)
            let facts = try PointInTimeFacts.read(bases: places.isNamed ? places.bases : nil, connection)
            return Result(
                report: PointInTimeReport(facts, archiveCommand: places.archiveCommand), places: places,
                facts: facts, url: server.conninfo.url, variables: variables(facts), programs: programs)
        }
    }

    /// Those that lead to the server from its own machine. A role that may not make base backups is left out: the operating
    /// system's user is the one then, on most servers postgres.
    private func variables(_ facts: PointInTimeFacts) -> [(name: String, value: String)] {
        let names =
            [("PGHOST", "host"), ("PGPORT", "port")] + (facts.mayReplicate ? [("PGUSER", "user")] : [])
        return names.compactMap { variable, key in
            server.conninfo[key].map { (name: variable, value: $0) }
        }
    }
}
