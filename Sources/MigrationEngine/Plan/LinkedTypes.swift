/// Gives the columns that foreign keys link one type, since PostgreSQL compares only types of one family.
///
/// https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
enum LinkedTypes {
    struct Place: Hashable, Sendable {
        let table: String
        let column: String
    }

    struct Link: Equatable, Sendable {
        let child: Place
        let parent: Place
    }

    /// The pairs of columns that foreign keys compare; keys without a parent have none.
    static func links(of tables: [Catalog.Table]) -> [Link] {
        let byName = Dictionary(tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return tables.flatMap { table in
            table.foreignKeys.flatMap { key -> [Link] in
                guard let parent = byName[key.parentTable], let names = key.parentColumns,
                    names.count == key.columns.count
                else { return [] }
                return zip(key.columns, names).compactMap { own, other in
                    guard let own = table.column(named: own), let other = parent.column(named: other) else {
                        return nil
                    }
                    return Link(
                        child: Place(table: table.name, column: own.name),
                        parent: Place(table: parent.name, column: other.name))
                }
            }
        }
    }

    /// The types that change so that each group of linked columns agrees.
    ///
    /// Kinds of integer become the widest of them. Types that PostgreSQL compares stay, also text beside varchar. Else
    /// every column of the group gets the first type that holds every value of each: the type of a column that only
    /// others refer to, then those of the rest, then one of `TypeRule.alternatives`. Where none does, or where
    /// the application's own enum is among them, nothing changes; `ForeignKeyReview` then stops the run.
    static func agreed(
        _ types: [Place: PostgresType], _ links: [Link], fits: (PostgresType, Place) -> Bool
    ) -> [Place: PostgresType] {
        var changes: [Place: PostgresType] = [:]
        for group in groups(types, links) {
            guard let type = type(of: group, types, fits: fits) else { continue }
            for place in group where types[place] != type { changes[place] = type }
        }
        return changes
    }

    /// The wider one of two kinds of integer.
    static func wider(_ one: PostgresType, _ other: PostgresType) -> PostgresType {
        let widths: [PostgresType] = [.smallint, .integer, .bigint]
        return widths.last { $0 == one || $0 == other } ?? one
    }

    private static func type(
        of group: [Place], _ types: [Place: PostgresType], fits: (PostgresType, Place) -> Bool
    ) -> PostgresType? {
        let own = group.compactMap { types[$0] }
        guard let first = own.first else { return nil }
        if own.allSatisfy({ $0.family == .integer }) { return own.reduce(first, wider) }
        if own.allSatisfy({ $0.family == first.family }) { return nil }
        for case .enumeration in own { return nil }
        return (own + TypeRule.alternatives).first { type in group.allSatisfy { fits(type, $0) } }
    }

    /// Columns that are linked, each group in the order of its links, those first that refer to nothing.
    private static func groups(_ types: [Place: PostgresType], _ links: [Link]) -> [[Place]] {
        var groupOf: [Place: Int] = [:]
        var members: [Int: [Place]] = [:]
        func group(_ place: Place) -> Int {
            if let known = groupOf[place] { return known }
            let number = groupOf.count
            groupOf[place] = number
            members[number] = [place]
            return number
        }
        for link in links where types[link.child] != nil && types[link.parent] != nil {
            let (one, other) = (group(link.parent), group(link.child))
            guard one != other, let moved = members.removeValue(forKey: other) else { continue }
            members[one, default: []] += moved
            for place in moved { groupOf[place] = one }
        }
        let children = Set(links.filter { $0.child != $0.parent }.map(\.child))
        return members.sorted { $0.key < $1.key }.map { _, places in
            places.filter { !children.contains($0) } + places.filter { children.contains($0) }
        }
    }
}
