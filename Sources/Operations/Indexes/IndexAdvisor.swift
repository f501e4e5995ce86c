import Foundation
import MigrationEngine
import Postgres

/// Looks at the indexes and the statistics of a schema, and says what would be better, with the SQL and what it brings.
///
/// Changes nothing: where `tries` is set, indexes are built in transactions that are rolled back, which is for a database that
/// nobody else uses. Called from a thread that may block; every statement ends after a while, and can be cancelled.
public struct IndexAdvisor: Sendable {
    let server: TargetServer
    let schema: String
    let queries: [AdvisedQuery]
    let records: [IndexRecord]
    /// How long there have been rows to ask for, in seconds; nil where that is not known.
    let age: Double?
    let tries: Bool
    let limits: IndexLimits
    let cancellation: Cancellation
    let progress: RunProgress

    /// `records` are what howdah has made before, as its journal knows it.
    public init(
        server: TargetServer, schema: String, queries: [AdvisedQuery] = [], records: [IndexRecord] = [],
        age: Double? = nil, tries: Bool = false, limits: IndexLimits = IndexLimits(),
        cancellation: Cancellation, progress: RunProgress = RunProgress()
    ) {
        self.server = server
        self.schema = schema
        self.queries = queries
        self.records = records
        self.age = age
        self.tries = tries
        self.limits = limits
        self.cancellation = cancellation
        self.progress = progress
    }

    /// The advice for what is there at this moment.
    public func report() throws -> IndexReport {
        progress.say("looking at the indexes")
        defer { progress.say(nil) }
        do {
            return try server.withConnection(purpose: "advice") { connection in
                try connection.execute(IndexSession.looking(schema))
                return try report(connection)
            }
        } catch is PostgresError where cancellation.isCancelled {
            throw MigrationError.cancelled
        }
    }

    /// The same advice with the plans of this moment as those after it was followed.
    public func planned(_ advice: [IndexAdvice]) throws -> [IndexAdvice] {
        try server.withConnection(purpose: "advice") { connection in
            try connection.execute(IndexSession.looking(schema))
            return try advice.map { advice in
                guard let effect = advice.effect else { return advice }
                var advice = advice
                let figure = try QueryPlanner().figure(effect.query, connection)
                // What was timed before is better than what is only planned now.
                if let figure, effect.after?.milliseconds == nil {
                    advice.effect?.after = figure
                    advice.effect?.how = "planned once the index was there"
                }
                return advice
            }
        }
    }

    private func report(_ connection: borrowing Postgres.Connection) throws -> IndexReport {
        let catalog = try IndexCatalogReader(schema: schema).read(connection)
        let planner = QueryPlanner()
        let asked = try QueryNeeds(catalog: catalog, limits: limits).candidates(queries, planner, connection)
        let needs = IndexNeeds(catalog: catalog, limits: limits).candidates
        let maker = AdviceMaker(catalog: catalog, limits: limits)
        var report = IndexReport(tables: catalog.tables.count, queries: queries.count)
        let effects = IndexEffects(catalog: catalog, tries: tries, cancellation: cancellation)
        // What a killed build has left goes first, and leaves its name.
        let leftovers = Set(records.filter(\.isLeftover).map(\.name))
        var names = catalog.taken.subtracting(leftovers)
        let candidates = IndexCandidate.merged(needs + asked.candidates)
        for (number, candidate) in candidates.enumerated() {
            try cancellation.check()
            if tries {
                progress.say(
                    "trying index \(number + 1) of \(candidates.count): \(candidate.table) (\(candidate.columns.joined(separator: ", ")))"
                )
            }
            var advice = maker.create(candidate, taken: &names)
            try effects.find(&advice, candidate, connection)
            advice.isRecommended = isRecommended(advice, candidate)
            report.advice.append(advice)
        }
        let superfluous = SuperfluousIndexes(catalog: catalog, limits: limits)
        let unused = superfluous.unused(age: [age, catalog.statisticsAge].compactMap(\.self).min())
        let doubled = superfluous.doubled
        let doubledNames = Set(doubled.map(\.index.name))
        report.advice += maker.statistics + maker.invalid(records) + doubled.map(maker.drop)
        report.advice += unused.findings.filter { !doubledNames.contains($0.index.name) }.map(maker.drop)
        let ordered = report.advice.enumerated().sorted {
            ($0.element.rules.first?.weight ?? 0, $0.offset) < (
                $1.element.rules.first?.weight ?? 0, $1.offset
            )
        }
        report.advice = ordered.map(\.element)
        report.notices = notices(catalog, asked.refused) + [unused.notice].compactMap(\.self)
        return report
    }

    /// A query's index must pay; those that stand for many queries are worth it by what they are.
    private func isRecommended(_ advice: IndexAdvice, _ candidate: IndexCandidate) -> Bool {
        guard advice.obstacle == nil else { return false }
        if advice.rules.contains(where: { [.known, .foreignKey].contains($0) }) { return true }
        if let remainder = advice.effect?.remainder { return remainder <= limits.gain }
        return advice.rules.contains(.query) && candidate.isSelective == true
    }

    /// More of them are the business of step 4.2.
    private static let mostRefused = 3

    private func notices(_ catalog: IndexCatalog, _ refused: [String]) -> [String] {
        var notices: [String] = []
        let keys = catalog.tables.filter { !$0.isPartition }.flatMap { catalog.foreignKeys[$0.name] ?? [] }
        let open = keys.filter { !catalog.isIndexed($0.columns, of: $0.table) }
        if !keys.isEmpty {
            notices.append(
                "\(Format.count(keys.count - open.count)) of \(Format.count(keys.count, "foreign key has an index", "foreign keys have an index"))"
            )
        }
        if !queries.isEmpty {
            notices.append(
                "\(Format.count(queries.count - refused.count)) of \(Format.count(queries.count, "query", "queries")) of the code planned"
            )
        }
        guard refused.count > Self.mostRefused else { return notices + refused }
        let more = refused.count - Self.mostRefused
        return notices + refused.prefix(Self.mostRefused) + ["… and \(more) more: step 4.2 names them all"]
    }
}

/// What sessions of this part set.
enum IndexSession {
    /// For looking: nothing lasts long, and nobody is kept waiting.
    static func looking(_ schema: String) -> String {
        """
        SET statement_timeout = '60s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s';
        SET default_transaction_read_only = on; SET search_path = \(quoteIdentifier(schema)), public; \(QueryPlanner.settings)
        """
    }
}
