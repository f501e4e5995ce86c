import MigrationEngine
import Postgres

extension IndexBuild {
    /// What the undo of everything that the records say would do, one line each.
    public func undoWords() -> [String] {
        ledger.records.reversed().compactMap { record -> String? in
            let name = quoteIdentifier(record.schema, record.name)
            switch record.state {
            case .made: return "DROP INDEX CONCURRENTLY \(name)"
            case .building where record.definition == nil: return "DROP INDEX CONCURRENTLY IF EXISTS \(name)"
            case .building, .dropped, .dropping: return record.definition.map(Self.concurrently)
            case .over: return nil
            }
        }
    }

    /// Takes back what was made and dropped, the last first; what was changed since stays, and is told.
    public func undo() throws -> [String] {
        try ledger.records.reversed().compactMap { record -> String? in
            try cancellation.check()
            var record = record
            switch record.state {
            case .building:
                try removeInvalid(&record)
                if record.state == .dropped { return try restore(record) }
                return record.state == .made ? try undoMade(record) : nil
            case .made: return try undoMade(record)
            case .dropped, .dropping: return try restore(record)
            case .over: return nil
            }
        }
    }

    private func undoMade(_ record: IndexRecord) throws -> String {
        var record = record
        let there = try find(record.schema, record.name)
        guard let there else {
            record.state = .over
            try ledger.note(record)
            return "\(record.name) is gone already"
        }
        guard there.definition == record.definition else {
            record.state = .over
            try ledger.note(record)
            return "\(record.name) stays: it is not as howdah has made it any more"
        }
        do {
            try dropConcurrently(record.schema, record.name)
        } catch {
            throw try explained(error, "\(record.name) was not dropped")
        }
        record.state = .over
        try ledger.note(record)
        return "dropped \(record.name)"
    }

    private func restore(_ record: IndexRecord) throws -> String? {
        var record = record
        guard let definition = record.definition else { return nil }
        if let there = try find(record.schema, record.name) {
            guard !there.isValid, there.definition == definition else {
                record.state = .over
                try ledger.note(record)
                return "\(record.name) is there already"
            }
            // A drop that was interrupted has left it, and no query uses it any more.
            try dropConcurrently(record.schema, record.name)
        }
        // As it was before howdah: then nothing is left to take back.
        try build(Self.concurrently(definition), &record, as: .over)
        return "\(record.name) is back"
    }
}
