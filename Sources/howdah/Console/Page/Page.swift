/// A document of sections, each with lines and a table, that is written as text, Markdown or HTML.
///
/// Its words may come from a database: each form escapes what it would obey.
struct Page {
    struct Table {
        let head: [String]
        let rows: [[String]]
        /// Columns that are set to the right.
        var right: Set<Int> = []
    }

    struct Section {
        let title: String
        var lines: [String] = []
        var table: Table?
    }

    let title: String
    let sections: [Section]
}
