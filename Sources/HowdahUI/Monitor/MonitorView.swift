import Foundation
import MigrationEngine
import Operations
import TerminalUI

/// The live monitor, as far as it is drawn: what the watch told last, and how it is looked at.
public struct MonitorView: Sendable, Equatable {
    /// What is listed under the figures.
    public enum Page: CaseIterable, Sendable {
        case sessions, waiting, readings, tables
    }

    public enum Order: CaseIterable, Sendable {
        case activity, time, transaction, user

        var words: String {
            switch self {
            case .activity: "what works first"
            case .time: "the longest first"
            case .transaction: "the oldest transaction first"
            case .user: "by user and database"
            }
        }
    }

    public enum Link: Sendable, Equatable {
        case connecting, live
        /// Why the server does not answer, and after how many seconds it is asked again.
        case lost(MonitorFailure, retry: Double)
    }

    /// Values that the lines of bars keep.
    static let kept = 60

    /// Where it looks, without a password.
    public var target: String
    public var report: MonitorReport?
    public var link = Link.connecting
    public var isPaused = false
    public var page = Page.sessions
    public var order = Order.activity
    var connections: [Double] = []
    var transactions: [Double] = []
    var cacheHits: [Double] = []
    /// The session that is selected, wherever it stands in the list.
    var selected: Int?

    public init(target: String) {
        self.target = target
    }

    mutating func take(_ report: MonitorReport) {
        self.report = report
        link = .live
        func add(_ value: Double?, _ path: WritableKeyPath<MonitorView, [Double]>) {
            guard let value else { return }
            self[keyPath: path] = (self[keyPath: path] + [value]).suffix(Self.kept)
        }
        add(Double(report.sample.connections), \.connections)
        add(report.rates?.transactions, \.transactions)
        add(report.rates?.cacheHits, \.cacheHits)
    }

    // MARK: What is listed

    private func isShown(_ text: String, _ filter: String) -> Bool {
        filter.isEmpty || text.lowercased().contains(filter.lowercased())
    }

    func sessions(_ filter: String) -> [MonitorSession] {
        let all = (report?.sample.sessions ?? []).filter { isShown(Self.text($0), filter) }
        func rank(_ session: MonitorSession) -> Int {
            switch session.state {
            case .active: 0
            case .failedTransaction, .inTransaction: 1
            case .idle: 3
            case .other, .hidden: 2
            }
        }
        return switch order {
        case .activity:
            all.sorted {
                (rank($0), -($0.seconds ?? 0), $0.process) < (rank($1), -($1.seconds ?? 0), $1.process)
            }
        case .time: all.sorted { (-($0.seconds ?? 0), $0.process) < (-($1.seconds ?? 0), $1.process) }
        case .transaction:
            all.sorted {
                (-($0.transactionSeconds ?? -1), $0.process) < (-($1.transactionSeconds ?? -1), $1.process)
            }
        case .user: all.sorted { ($0.user, $0.database, $0.process) < ($1.user, $1.database, $1.process) }
        }
    }

    /// Who keeps whom waiting, from those that wait for nobody on.
    func waiting(_ filter: String) -> [(node: BlockingForest.Node, depth: Int)] {
        BlockingForest(report?.sample.sessions ?? []).rows.filter { row in
            isShown(row.node.session.map(Self.text) ?? row.node.name, filter)
        }
    }

    /// Those beyond a limit first; what could not be seen has its line under them.
    func readings(_ filter: String) -> [MonitorReading] {
        guard let report else { return [] }
        return (report.beyond + report.readings.filter { !$0.verdict.isBeyond })
            .filter { isShown("\($0.limit.id.rawValue) \($0.limit.words) \($0.verdict.rawValue)", filter) }
    }

    func tables(_ filter: String) -> [MonitorSample.Table] {
        (report?.sample.storage?.tables ?? []).filter { isShown($0.name, filter) }
    }

    /// What a list's lines are found and filtered by.
    func texts(_ filter: String) -> [String] {
        switch page {
        case .sessions: sessions(filter).map(Self.text)
        case .waiting: waiting(filter).map { $0.node.session.map(Self.text) ?? $0.node.name }
        case .readings:
            readings(filter).map { "\($0.limit.id.rawValue) \($0.limit.words)" } + (report?.unseen ?? [])
        case .tables: tables(filter).map(\.name)
        }
    }

    private static func text(_ session: MonitorSession) -> String {
        "\(session.who) \(session.state.rawValue) \(session.wait) \(session.query)"
    }
}

extension AppModel {
    var monitorCount: Int { monitor?.texts(filter).count ?? 0 }

    /// The session that the keys speak of.
    var selectedSession: MonitorSession? {
        guard let monitor else { return nil }
        let index = list(.monitor).selected
        switch monitor.page {
        case .sessions:
            let sessions = monitor.sessions(filter)
            return sessions.indices.contains(index) ? sessions[index] : nil
        case .waiting:
            let rows = monitor.waiting(filter)
            return rows.indices.contains(index) ? rows[index].node.session : nil
        case .readings, .tables: return nil
        }
    }
}
