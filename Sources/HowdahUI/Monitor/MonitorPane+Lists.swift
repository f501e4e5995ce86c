import MigrationEngine
import Operations
import TerminalUI

/// The lists under the figures of the live monitor.
extension MonitorPane {
    func drawList(in rect: Rect, _ buffer: inout Buffer) {
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
