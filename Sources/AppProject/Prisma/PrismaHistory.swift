import Foundation
import MigrationEngine
import Postgres

/// Prisma's own list of migrations in the target, which must know the baseline before `prisma migrate` is run
/// (https://www.prisma.io/docs/orm/prisma-migrate/workflows/baselining).
public struct PrismaHistory: Sendable {
    private let table: String

    public init(schema: String) {
        table = quoteIdentifier(schema, "_prisma_migrations")
    }

    /// Notes the baseline as applied, under its checksum; makes the table as Prisma does where there is none. Returns evidence.
    public func noteBaseline(
        _ script: [UInt8], _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        let checksum = sha256(of: script)
        return try connection.transaction { connection in
            let isThere = try connection.query("SELECT to_regclass($1) IS NOT NULL", [table]).bool(0, 0)
            if !isThere {
                try connection.execute(
                    """
                    CREATE TABLE \(table) (
                        id VARCHAR(36) PRIMARY KEY NOT NULL,
                        checksum VARCHAR(64) NOT NULL,
                        finished_at TIMESTAMPTZ,
                        migration_name VARCHAR(255) NOT NULL,
                        logs TEXT,
                        rolled_back_at TIMESTAMPTZ,
                        started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                        applied_steps_count INTEGER NOT NULL DEFAULT 0
                    );
                    COMMENT ON TABLE \(table) IS \(quoteLiteral(Self.comment))
                    """)
            }
            _ = try connection.query(
                "DELETE FROM \(table) WHERE migration_name = $1", [PrismaBaseline.name])
            _ = try connection.query(
                """
                INSERT INTO \(table) (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
                VALUES ($1, $2, now(), $3, now(), 1)
                """, [UUID().uuidString.lowercased(), checksum, PrismaBaseline.name])
            return ["_prisma_migrations in the target has \(PrismaBaseline.name), checksum \(checksum)"]
        }
    }

    /// Tells our table from one that is there already.
    private static let comment = "made by howdah for the baseline"

    /// Takes the baseline out, and the table where howdah has made it and nothing else is in it.
    public func forgetBaseline(_ connection: borrowing Postgres.Connection) throws -> [String] {
        guard try connection.query("SELECT to_regclass($1) IS NOT NULL", [table]).bool(0, 0) else {
            return []
        }
        return try connection.transaction { connection in
            _ = try connection.query(
                "DELETE FROM \(table) WHERE migration_name = $1", [PrismaBaseline.name])
            let isOurs = try connection.query(
                """
                SELECT NOT EXISTS (SELECT FROM \(table)) AND obj_description(to_regclass($1), 'pg_class') = $2
                """, [table, Self.comment]
            ).bool(0, 0)
            if isOurs { try connection.execute("DROP TABLE \(table)") }
            return ["_prisma_migrations no longer has \(PrismaBaseline.name)"]
        }
    }
}
