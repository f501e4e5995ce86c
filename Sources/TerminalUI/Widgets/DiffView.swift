/// Two texts line by line.
public enum TextDiff {
    public enum Change: Equatable, Sendable {
        case same(String, String)
        case removed(String)
        case added(String)
        /// A line that became another one.
        case changed(String, String)
    }

    /// What turns one text into the other; lines that stay are found by the longest common subsequence.
    public static func changes(_ old: [String], _ new: [String]) -> [Change] {
        let difference = new.difference(from: old)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var changes: [Change] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            var gone: [String] = []
            var come: [String] = []
            while i < old.count, removed.contains(i) {
                gone.append(old[i])
                i += 1
            }
            while j < new.count, added.contains(j) {
                come.append(new[j])
                j += 1
            }
            let pairs = min(gone.count, come.count)
            for index in 0..<pairs { changes.append(.changed(gone[index], come[index])) }
            changes += gone[pairs...].map { .removed($0) } + come[pairs...].map { .added($0) }
            if gone.isEmpty, come.isEmpty {
                changes.append(.same(old[i], new[j]))
                i += 1
                j += 1
            }
        }
        return changes
    }

    /// As `diff -u` writes it, with every line that stays.
    public static func unified(_ changes: [Change]) -> [Line] {
        changes.flatMap { change -> [Line] in
            switch change {
            case .same(let line, _): [Line("  " + line)]
            case .removed(let line): [Line("- " + line, .diffRemoved)]
            case .added(let line): [Line("+ " + line, .diffAdded)]
            case .changed(let old, let new): [Line("- " + old, .diffRemoved), Line("+ " + new, .diffAdded)]
            }
        }
    }

    /// Both sides beside each other, as pairs of lines.
    public static func sideBySide(_ changes: [Change]) -> [(left: Line, right: Line)] {
        changes.map { change in
            switch change {
            case .same(let left, let right): (Line(left), Line(right))
            case .removed(let line): (Line(line, .diffRemoved), Line())
            case .added(let line): (Line(), Line(line, .diffAdded))
            case .changed(let old, let new): (Line(old, .diffChanged), Line(new, .diffChanged))
            }
        }
    }
}

/// Two columns of lines with a bar between them; long lines are cut, or wrapped to the taller side.
public struct SideBySide {
    public var rows: [(left: Line, right: Line)]
    public var top: Int

    public init(_ rows: [(left: Line, right: Line)], top: Int = 0) {
        self.rows = rows
        self.top = top
    }

    /// Rows as they are laid out in a width.
    public func laidOut(width: Int) -> [(left: Line, right: Line)] {
        let side = max(1, (width - 3) / 2)
        return rows.flatMap { row in
            let left = row.left.wrapped(to: side)
            let right = row.right.wrapped(to: max(1, width - 3 - side))
            return (0..<max(left.count, right.count)).map { index in
                (
                    left.indices.contains(index) ? left[index] : Line(),
                    right.indices.contains(index) ? right[index] : Line()
                )
            }
        }
    }

    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) {
        guard rect.width > 5, rect.height > 0 else { return }
        let side = (rect.width - 3) / 2
        let all = laidOut(width: rect.width)
        let first = max(0, min(top, all.count - rect.height))
        for (index, row) in all.dropFirst(first).prefix(rect.height).enumerated() {
            let (left, rest) = rect.row(index).splitLeft(side)
            buffer.write(row.left, in: left, look)
            buffer.write(" \(look.symbols.vertical) ", in: rest, style: look.style(.border))
            buffer.write(row.right, in: rest.splitLeft(3).rest, look)
        }
    }
}
