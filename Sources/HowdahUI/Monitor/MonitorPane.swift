import Foundation
import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// Draws the live monitor: figures with their last minutes, what is beyond a limit, and a list.
struct MonitorPane {
    let screen: Screen
    let monitor: MonitorView

    var model: AppModel { screen.model }
    var look: Look { screen.look }
    var report: MonitorReport? { monitor.report }

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
            case .lost where report == nil: [Span(" NO ANSWER ", .error)]
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
        guard let report else {
            return Line(
                monitor.link == .connecting ? "the first sample is on its way" : "nothing is known yet",
                .muted)
        }
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
        if case .lost(let failure, let retry) = monitor.link {
            let since = report.map { ", the figures are of \(MonitorPane.clock($0.sample.time))" } ?? ""
            let first = failure.message.split(separator: "\n").first.map(String.init) ?? ""
            let what = report == nil ? "no answer" : "lost"
            let line = Line([
                Span("\(look.symbols.failed) \(what), asked again after \(Int(retry)) s\(since): ", .error),
                Span(first),
            ])
            return model.size.height >= 24 ? Array(line.wrapped(to: model.size.width - 2).prefix(3)) : [line]
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
}
