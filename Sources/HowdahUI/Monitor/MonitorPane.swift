import Foundation
import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// Draws the live monitor: figures with their last minutes, what is beyond a limit, and a list.
struct MonitorPane {
    let screen: Screen
    let monitor: MonitorView

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }
    private var report: MonitorReport? { monitor.report }

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        drawHeader(in: layout.header, &buffer)
        var rest = Rect(x: 0, y: 1, width: layout.size.width, height: layout.size.height - 2)
        let figures = figures
        let columns = rest.width >= 116 ? 4 : 2
        let width = (rest.width - 2) / columns
        for (index, figure) in figures.enumerated() {
            let row = rest.row(index / columns)
            drawFigure(
                figure, in: Rect(x: 1 + index % columns * width, y: row.y, width: width - 1, height: 1),
                &buffer)
        }
        rest = rest.splitTop((figures.count + columns - 1) / columns).rest
        buffer.write(states, in: rest.row(0).inset(1, 0), look)
        let alarms = alarms
        let shown = rest.height >= 20 ? min(alarms.count, 4) : 1
        for (index, line) in alarms.prefix(shown).enumerated() {
            let more =
                index == shown - 1 && alarms.count > shown ? "   and \(alarms.count - shown) more: i" : ""
            buffer.write(line + Line(more, .muted), in: rest.row(1 + index).inset(1, 0), look)
        }
        drawList(in: rest.splitTop(1 + shown).rest, &buffer)
    }

    // MARK: Above the list

    private func drawHeader(in rect: Rect, _ buffer: inout Buffer) {
        let time = report.map { MonitorPane.clock($0.sample.time) } ?? ""
        let state: [Span] =
            switch monitor.link {
            case .connecting: [Span("connecting", .muted)]
            case .live where monitor.isPaused: [Span(" PAUSED ", .warn), Span(" " + time)]
            case .live: [Span(time)]
            case .lost: [Span(" LOST ", .error), Span(" " + time)]
            }
        let mode = model.book.map {
            $0.mode == .live ? [Span(" LIVE ", .live), Span("  ")] : [Span("REHEARSAL  ", .title)]
        }
        let right = Line((mode ?? []) + state + [Span(" ")])
        let (left, end) = rect.splitLeft(rect.width - right.cells)
        buffer.write(right, in: end, look)
        let server = report.map { report in
            let server = report.sample.server
            return "   PostgreSQL \(server.version)\(server.isStandby ? " standby" : ""), up "
                + MonitorWords.duration(server.upSeconds)
        }
        let head = Line([Span(" howdah monitor  ", .title), Span(monitor.target)])
        let whole = head + Line(server ?? "", .muted)
        buffer.write(whole.cells < left.width ? whole : head, in: left.splitLeft(left.width - 1).left, look)
    }

    static func clock(_ date: Date) -> String {
        let seconds = Int(date.timeIntervalSince1970) % 86_400
        return String(format: "%02d:%02d:%02d UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    private struct Figure {
        let name: String
        let value: String
        let bars: [Double]
        let role: Role
    }

    private var figures: [Figure] {
        func role(_ id: MonitorLimit.ID) -> Role {
            let verdict = report?.reading(id)?.verdict ?? .unknown
            return verdict.isBeyond ? MonitorText.role(verdict) : .text
        }
        let sample = report?.sample
        let growth = report.flatMap { MonitorWords.growth($0.growth) }?.split(separator: ",").first.map(
            String.init)
        return [
            Figure(
                name: "connections",
                value: sample.map { "\($0.connections) of \($0.server.forEverybody)" } ?? "–",
                bars: monitor.connections, role: role(.connections)),
            Figure(
                name: "transactions", value: report?.rates.map { "\(Self.rate($0.transactions))/s" } ?? "–",
                bars: monitor.transactions, role: .text),
            Figure(
                name: "cache hits",
                value: report?.rates?.cacheHits.map { String(format: "%.1f %%", $0) } ?? "–",
                bars: monitor.cacheHits, role: role(.cacheHits)),
            Figure(
                name: "size",
                value: (sample?.storage?.size.map { Format.bytes($0) } ?? "–")
                    + (growth.map { " \($0)" } ?? ""),
                bars: Self.raised(report?.sizes ?? []), role: role(.diskFull)),
        ]
    }

    private static func rate(_ value: Double) -> String {
        value < 10 ? String(format: "%.1f", value) : Format.count(Int(value))
    }

    /// Sizes over their smallest: what is the same in all of them would hide how they grow.
    private static func raised(_ sizes: [Int64]) -> [Double] {
        guard let least = sizes.min(), let most = sizes.max(), most > least else { return [] }
        return sizes.map { Double($0 - least) + Double(most - least) / 10 }
    }

    private func drawFigure(_ figure: Figure, in rect: Rect, _ buffer: inout Buffer) {
        let value = Line([Span(figure.name + "  ", .muted), Span(figure.value + "  ", figure.role)])
        let used = buffer.write(value, in: rect, look)
        let rest = rect.splitLeft(max(used, min(30, rect.width))).rest
        let place = rest.width >= 8 ? rest : rect.splitLeft(used).rest
        buffer.write(
            Sparkline.line(figure.bars, width: min(place.width - 1, MonitorView.kept), look.symbols),
            in: place, look)
    }

    private var states: Line {
        guard let report else { return Line("the first sample is on its way", .muted) }
        let sample = report.sample
        let waiting = sample.sessions.count { !$0.blockers.isEmpty }
        let slow = sample.slow(over: 5).count
        let counts: [(Int, String, Role)] = [
            (sample.count(.active), "active", .ok), (sample.count(.idle), "idle", .text),
            (sample.count(.inTransaction) + sample.count(.failedTransaction), "idle in transaction", .warn),
            (sample.count(.hidden), "hidden", .muted), (waiting, "waiting", .error), (slow, "slow", .warn),
        ]
        var spans: [Span] = []
        for (count, words, role) in counts where count > 0 {
            spans += [Span("\(count) ", role == .text ? .text : role), Span(words + "   ", .muted)]
        }
        if spans.isEmpty { spans = [Span("nobody else is connected   ", .muted)] }
        if let rates = report.rates {
            spans.append(
                Span(
                    "rows/s: \(Self.rate(rates.rowsRead)) read, \(Self.rate(rates.rowsWritten)) written",
                    .muted))
        }
        return Line(spans)
    }

    /// What somebody should know first.
    private var alarms: [Line] {
        if case .lost(let message, let retry) = monitor.link {
            let since = report.map { ", the figures are of \(MonitorPane.clock($0.sample.time))" } ?? ""
            let first = message.split(separator: "\n").first.map(String.init) ?? ""
            return [
                Line([
                    Span("\(look.symbols.failed) lost, asked again after \(Int(retry)) s\(since): ", .error),
                    Span(first),
                ])
            ]
        }
        guard let report else { return [Line()] }
        if report.beyond.isEmpty {
            let unknown = report.readings.count { $0.verdict == .unknown }
            return [
                Line([
                    Span("\(look.symbols.done) within the limits", .ok),
                    Span(unknown > 0 ? "; \(unknown) not known: i" : "", .muted),
                ])
            ]
        }
        return report.beyond.map { reading in
            Line(
                "\(MonitorText.sign(reading.verdict, look.symbols)) \(MonitorWords.beyond(reading))",
                MonitorText.role(reading.verdict))
        }
    }

    // MARK: The list

    private func drawList(in rect: Rect, _ buffer: inout Buffer) {
        let count = model.monitorCount
        let only = model.filter.isEmpty ? "" : " — only “\(model.filter)”, Esc shows all"
        let title =
            switch monitor.page {
            case .sessions: "Sessions \(count) — \(monitor.order.words)"
            case .waiting: "Waiting — who holds up whom"
            case .readings: "Readings — limits are warn, critical"
            case .tables: "Tables — the largest, and those with dead rows"
            }
        let inner = Frame(Line(title + only, .title), isFocused: model.overlays.isEmpty).draw(
            in: rect, on: &buffer, look)
        switch monitor.page {
        case .sessions: drawSessions(in: inner, &buffer)
        case .waiting: drawWaiting(in: inner, &buffer)
        case .readings: drawReadings(in: inner, &buffer)
        case .tables: drawTables(in: inner, &buffer)
        }
    }

    private func table(
        _ columns: [Table.Column], _ count: Int, empty: String, in rect: Rect, _ buffer: inout Buffer,
        row: @escaping (Int) -> [Line]
    ) {
        Table(
            columns: columns, count: count, state: model.list(.monitor), isFocused: model.overlays.isEmpty,
            empty: Line(report == nil ? "" : empty, .muted), row: row
        ).draw(in: rect, on: &buffer, look)
    }

    private func drawSessions(in rect: Rect, _ buffer: inout Buffer) {
        let sessions = monitor.sessions(model.filter)
        let isWide = rect.width >= 100
        let isMiddle = rect.width >= 74
        var columns: [Table.Column] = [
            .init("PID", .fixed(8), isRight: true), .init("State", .fixed(9)),
            .init("Time", .fixed(9), isRight: true),
        ]
        if isMiddle { columns += [.init("Wait", .fixed(isWide ? 18 : 10)), .init("User", .fixed(9))] }
        if isWide { columns += [.init("Database", .fixed(10)), .init("Client", .fixed(15))] }
        columns.append(.init("Query", .flexible(minimum: 10, share: 1)))
        table(columns, sessions.count, empty: "nobody else is connected", in: rect, &buffer) { index in
            let session = sessions[index]
            let role = MonitorText.role(session)
            var cells = [
                Line("\(session.process)"), Line(MonitorText.short(session), role),
                Line(MonitorText.time(session.seconds), role == .ok ? .text : role),
            ]
            let wait = isWide ? session.wait : String(session.wait.split(separator: ":").last ?? "")
            if isMiddle { cells += [Line(wait, .muted), Line(session.user)] }
            if isWide {
                cells += [
                    Line(session.database),
                    Line(session.client.isEmpty ? session.application : session.client, .muted),
                ]
            }
            return cells + [
                Line(MonitorText.oneLine(session.query), session.state == .active ? .text : .muted)
            ]
        }
    }

    private func drawWaiting(in rect: Rect, _ buffer: inout Buffer) {
        let rows = monitor.waiting(model.filter)
        let columns: [Table.Column] = [
            .init("Session", .fixed(18)), .init("Time", .fixed(9), isRight: true),
            .init("User", .fixed(9)), .init("", .flexible(minimum: 10, share: 1)),
        ]
        table(columns, rows.count, empty: "nobody waits for anybody", in: rect, &buffer) { index in
            let (node, depth) = rows[index]
            let branch =
                depth == 0
                ? ""
                : String(repeating: "  ", count: depth - 1) + look.symbols.bottomLeft
                    + look.symbols.horizontal + " "
            let session = node.session
            let isRoot = depth == 0
            return [
                Line(branch + (node.id == 0 ? "prepared" : "\(node.id)"), isRoot ? .error : .text),
                Line(
                    MonitorText.time(isRoot ? session?.transactionSeconds : session?.waitSeconds),
                    isRoot ? .error : .warn),
                Line(session?.user ?? ""),
                Line([
                    Span(isRoot ? "holds up \(node.waiting)  " : "", .error),
                    Span(
                        session.map { isRoot && $0.state != .active ? "\($0.state.rawValue)  " : "" } ?? "",
                        .warn),
                    Span(
                        session.map { MonitorText.oneLine($0.query) } ?? "not to be seen",
                        session == nil ? .muted : .text),
                ]),
            ]
        }
    }

    private func drawReadings(in rect: Rect, _ buffer: inout Buffer) {
        let readings = monitor.readings(model.filter)
        let unseen = report?.unseen ?? []
        let columns: [Table.Column] = [
            .init("", .fixed(1)), .init("Reading", .fixed(21)), .init("Value", .fixed(11), isRight: true),
            .init("Limits", .fixed(19)), .init("", .flexible(minimum: 2, share: 1)),
        ]
        table(columns, readings.count + unseen.count, empty: "no such reading", in: rect, &buffer) { index in
            guard index < readings.count else {
                return [
                    Line("?", .warn), Line("not seen", .warn), Line(), Line(),
                    Line(unseen[index - readings.count]),
                ]
            }
            let reading = readings[index]
            let role = MonitorText.role(reading.verdict)
            return [
                Line(MonitorText.sign(reading.verdict, look.symbols), role), Line(reading.limit.id.rawValue),
                Line(MonitorWords.value(reading), role), Line(MonitorWords.limits(reading.limit), .muted),
                Line(reading.gap ?? reading.detail, .muted),
            ]
        }
    }

    private func drawTables(in rect: Rect, _ buffer: inout Buffer) {
        let tables = monitor.tables(model.filter)
        let columns: [Table.Column] = [
            .init("Table", .flexible(minimum: 16, share: 1)), .init("About", .fixed(9), isRight: true),
            .init("Rows", .fixed(12), isRight: true), .init("Dead", .fixed(10), isRight: true),
            .init("Vacuumed", .fixed(16)),
        ]
        table(columns, tables.count, empty: "no table, or none that may be seen", in: rect, &buffer) {
            index in
            let table = tables[index]
            return [
                Line(table.name), Line(Format.bytes(table.bytes)), Line(Format.count(table.live)),
                Line(Format.count(table.dead), table.deadShare >= 30 ? .warn : .text),
                Line(table.vacuumed.isEmpty ? "never" : table.vacuumed, .muted),
            ]
        }
    }
}
