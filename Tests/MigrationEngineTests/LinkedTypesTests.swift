import Testing

@testable import MigrationEngine

@Suite struct LinkedTypesTests {
    private typealias Place = LinkedTypes.Place

    struct Case: CustomTestStringConvertible, Sendable {
        let types: [String]
        let links: [(child: Int, parent: Int)]
        /// Types that do not hold every value, by column.
        var misfits: [Int: [String]] = [:]
        let agreed: [String]

        var testDescription: String { "\(types) \(links) \(misfits)" }
    }

    static let cases = [
        Case(types: ["bigint", "integer"], links: [(1, 0)], agreed: ["bigint", "bigint"]),
        Case(types: ["integer", "bigint"], links: [(1, 0)], agreed: ["bigint", "bigint"]),
        Case(types: ["smallint", "integer"], links: [(1, 0)], agreed: ["integer", "integer"]),
        Case(types: ["integer", "integer"], links: [(1, 0)], agreed: ["integer", "integer"]),
        Case(types: ["bigint", "integer"], links: [], agreed: ["bigint", "integer"]),
        // Over a chain, two children of one parent, and a cycle.
        Case(
            types: ["integer", "smallint", "bigint"], links: [(1, 0), (2, 1)],
            agreed: ["bigint", "bigint", "bigint"]),
        Case(
            types: ["integer", "bigint", "smallint", "integer"], links: [(1, 0), (2, 0)],
            agreed: ["bigint", "bigint", "bigint", "integer"]),
        Case(types: ["integer", "bigint"], links: [(1, 0), (0, 1)], agreed: ["bigint", "bigint"]),
        Case(types: ["integer"], links: [(0, 0)], agreed: ["integer"]),
        // What PostgreSQL compares stays as it is.
        Case(types: ["varchar(5)", "text"], links: [(1, 0)], agreed: ["varchar(5)", "text"]),
        Case(types: ["timestamp", "timestamp(3)"], links: [(1, 0)], agreed: ["timestamp", "timestamp(3)"]),
        // Another family: the key's own type first, then the child's, then one that holds everything.
        Case(types: ["uuid", "varchar(32)"], links: [(1, 0)], agreed: ["uuid", "uuid"]),
        Case(
            types: ["uuid", "varchar(32)"], links: [(1, 0)], misfits: [1: ["uuid"]],
            agreed: ["varchar(32)", "varchar(32)"]),
        Case(
            types: ["uuid", "varchar(32)"], links: [(1, 0)],
            misfits: [1: ["uuid"], 0: ["varchar(32)", "bigint", "double precision", "numeric"]],
            agreed: ["text", "text"]),
        Case(
            types: ["text", "bigint"], links: [(1, 0)], misfits: [1: ["text"], 0: ["bigint"]],
            agreed: ["double precision", "double precision"]),
        Case(
            types: ["text", "bigint"], links: [(1, 0)],
            misfits: [1: ["text", "bytea"], 0: ["bigint", "double precision", "numeric"]],
            agreed: ["text", "bigint"]),
        // An enum is the application's own word.
        Case(types: ["\"Role\"", "text"], links: [(1, 0)], agreed: ["\"Role\"", "text"]),
        Case(
            types: ["boolean", "bigint", "integer"], links: [(1, 0), (2, 1)], misfits: [1: ["boolean"]],
            agreed: ["bigint", "bigint", "bigint"]),
    ]

    @Test(arguments: cases) func linkedColumnsGetOneType(_ test: Case) {
        let places = test.types.indices.map { Place(table: "t\($0)", column: "c") }
        let types = Dictionary(
            zip(places, test.types.map { PostgresType($0) }), uniquingKeysWith: { first, _ in first })
        let links = test.links.map { LinkedTypes.Link(child: places[$0.child], parent: places[$0.parent]) }
        let changes = LinkedTypes.agreed(types, links) { type, place in
            let index = places.firstIndex(of: place) ?? 0
            return test.misfits[index]?.contains(type.sql) != true
        }
        #expect(
            places.indices.map { (changes[places[$0]] ?? PostgresType(test.types[$0])).sql } == test.agreed)
        #expect(changes.allSatisfy { types[$0.key] != $0.value })
    }

    @Test func aLinkIsEachPairOfAForeignKeysColumnsInTheCaseOfTheirTables() throws {
        let tables = try readCatalog(
            """
            CREATE TABLE p (Id INTEGER PRIMARY KEY, a, b, UNIQUE (a, b));
            CREATE TABLE c (x, y, z REFERENCES P, w REFERENCES missing (id), FOREIGN KEY (X, y) REFERENCES p (A, b))
            """
        ).tables
        let links = LinkedTypes.links(of: tables)
        #expect(
            Set(links.map { "\($0.child.column) \($0.parent.table).\($0.parent.column)" })
                .isSuperset(of: ["x p.a", "y p.b"]))
        #expect(links.allSatisfy { $0.parent.table == "p" })
    }

    /// The widening is agreed for every style, after each column's own values.
    @Test(arguments: [
        (Style.prisma, "(1), (2)", ["integer", "integer"]), (.plain, "(1)", ["bigint", "bigint"]),
        (.django, "(3000000000)", ["bigint", "bigint"]), (.django, "(1)", ["integer", "integer"]),
    ])
    func aForeignKeyHasTheTypeOfItsKey(style: Style, keys: String, types: [String]) throws {
        let plan = try propose(
            """
            CREATE TABLE p (id integer NOT NULL PRIMARY KEY AUTOINCREMENT); INSERT INTO p VALUES \(keys);
            CREATE TABLE c (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, p_id integer REFERENCES p (id));
            INSERT INTO c VALUES (1, 1)
            """, style: style
        ).plan
        #expect([plan.tables[0].columns[0].type, plan.tables[1].columns[1].type] == types)
    }

    @Test func aChildThatIsNoTextFollowsItsKeyIntoTextWhereBothFit() throws {
        let proposal = try propose(
            """
            CREATE TABLE p (k TEXT PRIMARY KEY); CREATE TABLE c (k REFERENCES p (k));
            INSERT INTO p VALUES ('a'); INSERT INTO c VALUES (NULL)
            """)
        #expect(proposal.plan.tables.map { $0.columns[0].type } == ["text", "text"])
        #expect(ForeignKeyReview.findings(proposal.plan) == [])
        #expect(
            proposal.plan.tables[1].columns[0].reason?.contains("like the columns that foreign keys") == true)
    }
}
