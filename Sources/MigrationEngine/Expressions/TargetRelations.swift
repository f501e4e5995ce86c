import Postgres
import SQLDialect

/// The tables of a plan as SQL that is translated sees them: what SQLite has in a column and what PostgreSQL has there.
struct TargetRelations {
    let schema: String
    let style: Style

    func relation(
        _ table: Catalog.Table, _ planned: MigrationPlan.Table, _ profile: TableProfile
    ) -> SQLRelation {
        let columns = planned.columns.compactMap { column -> SQLRelation.Column? in
            guard let index = table.columns.firstIndex(where: { $0.name == column.name }) else { return nil }
            let values = index < profile.columns.count ? profile.columns[index] : ColumnProfile()
            return self.column(table.columns[index], column, values)
        }
        return SQLRelation(
            name: table.name, target: quoteIdentifier(schema, planned.targetName), columns: columns,
            rowidAlias: table.rowidAlias)
    }

    func column(
        _ column: Catalog.Column, _ planned: MigrationPlan.Column, _ profile: ColumnProfile
    ) -> SQLRelation.Column {
        var (type, storage) = form(planned, profile)
        // A whole number is an integer in a column without REAL's affinity, whatever PostgreSQL has for it.
        if type == .double, column.affinity != .real { type = .numeric }
        var sqlType = planned.postgresType.sql
        if case .enumeration(let name) = planned.postgresType { sqlType = quoteIdentifier(schema, name) }
        return SQLRelation.Column(
            name: column.name, target: planned.targetName, type: type, storage: storage,
            affinity: column.affinity, collation: column.collation, sqlType: sqlType)
    }

    private func form(
        _ column: MigrationPlan.Column, _ profile: ColumnProfile
    ) -> (ValueType, SQLRelation.Storage) {
        func exact(_ type: ValueType, _ isExact: Bool) -> (ValueType, SQLRelation.Storage) {
            (type, isExact ? .exact : .mixed)
        }
        let isNumber = profile.texts == 0 && profile.blobs == 0
        let isText = isOnlyText(profile)
        switch column.postgresType {
        case .boolean: return exact(.boolean, isNumber && profile.reals == 0)
        case .smallint, .integer: return exact(.narrow, isNumber && profile.reals == 0)
        case .bigint: return exact(.integer, isNumber && profile.reals == 0)
        case .double: return exact(.double, isNumber)
        case .numeric: return exact(.numeric, isNumber)
        case .text, .varchar: return exact(.text, isText)
        // Only tables of others have these: nothing is translated for those.
        case .real, .char: return (.other(column.postgresType.sql), .mixed)
        case .bytea: return exact(.bytea, isNumber == false ? profile.texts == 0 : profile.values == 0)
        case .json, .jsonb: return (.other("json"), .json)
        case .uuid:
            return exact(
                .other("uuid"), isText && profile.shapes.map { $0.dashedUUIDs == profile.texts } ?? false)
        case .enumeration: return exact(.other("enum"), isText)
        case .timestamp, .timestamptz: return (.other("timestamp"), instant(column, profile))
        case .date:
            let isDay = isText && profile.dates.map { $0.count(.day) == profile.texts } ?? false
            return (.other("date"), isDay && profile.values > 0 ? .layout("YYYY-MM-DD") : .mixed)
        case .time:
            return (.other("time"), .mixed)
        case .other(let sql): return (.other(sql), .mixed)
        }
    }

    private func isOnlyText(_ profile: ColumnProfile) -> Bool { profile.texts == profile.values }

    /// Integers that count from 1970, or texts of one layout.
    private func instant(_ column: MigrationPlan.Column, _ profile: ColumnProfile) -> SQLRelation.Storage {
        if profile.integers == profile.values,
            let unit = column.integers ?? (style == .prisma ? .milliseconds : nil)
        {
            return .epoch(perSecond: Int(1_000_000 / unit.microseconds))
        }
        guard isOnlyText(profile), profile.values > 0, let dates = profile.dates,
            let layout = dates.layout(of: profile.texts)
        else { return .mixed }
        return .layout(layout)
    }
}

extension ColumnProfile.Dates {
    /// The layout that every text has, as `to_char` writes it; nil where they differ.
    func layout(of texts: Int) -> String? {
        guard minLength == maxLength, count(.local) == texts || count(.utc) == texts,
            spaces == texts || capitals == texts
        else { return nil }
        let isUTC = count(.utc) == texts
        if isUTC, zuluMarks != texts { return nil }
        let fraction: String
        switch minLength - (isUTC ? 1 : 0) {
        case 19: fraction = ""
        case 23: fraction = ".MS"
        case 26: fraction = ".US"
        default: return nil
        }
        return "YYYY-MM-DD\(spaces == texts ? " " : "\"T\"")HH24:MI:SS\(fraction)\(isUTC ? "\"Z\"" : "")"
    }
}
