import Testing

@testable import Operations

/// What a plan's filter says about columns.
@Suite struct FilterConditionsTests {
    struct Case: Sendable {
        let text: String
        let columns: [String]
    }

    /// `column=` is compared for equality, `column<` for a range, `column=text` as a text.
    @Test(arguments: [
        Case(text: #"(m."roomId" = $1)"#, columns: ["roomId="]),
        Case(text: #"((m."roomId" = $1) AND (m.at > $2))"#, columns: ["roomId=", "at<"]),
        Case(text: #"($1 = m.id)"#, columns: ["id="]),
        Case(text: #"((m.name)::text = ($1)::text)"#, columns: ["name=text"]),
        Case(text: #"(m.id = ANY ('{1,2}'::integer[]))"#, columns: ["id="]),
        Case(text: #"((m.a = 1) OR (m.b = 2))"#, columns: []),
        Case(text: #"((m.c = 1) AND ((m.a = 1) OR (m.b = 2)))"#, columns: ["c="]),
        Case(text: #"(m.a = m.b)"#, columns: []),
        Case(text: #"(m.a = other.b)"#, columns: ["a="]),
        Case(text: #"(lower(m.name) = $1)"#, columns: []),
        Case(text: #"((m.x)::numeric = $1)"#, columns: []),
        Case(
            text: #"(m."a "" = b AND c" = 'it''s (m.x = 1) AND (m.y = 2)'::text)"#,
            columns: [#"a " = b AND c="#]),
        Case(text: #"(m.a <> 1)"#, columns: []),
        Case(text: #"(NOT m.done)"#, columns: []),
        Case(text: #"(m.a >= ALL ($1))"#, columns: ["a<"]),
        Case(text: #"(((("#, columns: []),
        Case(text: "", columns: []),
    ]) func columnsAreReadFromTheServersSpelling(of filter: Case) {
        let found = FilterConditions(filter.text, alias: "m").conditions.map {
            $0.column + ($0.comparison == .equal ? "=" : "<") + ($0.isCast ? "text" : "")
        }
        #expect(found == filter.columns)
    }

    @Test func aSortKeyIsAColumnOrNothing() {
        #expect(
            FilterConditions.column(ofSortKey: #"m."timestamp" DESC NULLS LAST"#, alias: "m") == "timestamp")
        #expect(FilterConditions.column(ofSortKey: "lower(m.name)", alias: "m") == nil)
        #expect(FilterConditions.column(ofSortKey: "o.at", alias: "m") == nil)
    }
}
