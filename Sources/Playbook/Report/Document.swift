/// A document of headings, tables and the like, which is written as HTML or as Markdown.
///
/// Its words may come from a database: each form escapes what it would obey.
public struct Document: Sendable {
    /// How a text is set.
    public enum Tone: String, Sendable {
        case plain, good, bad, warning, quiet
        /// Of one width: names, types, digests.
        case code
    }

    public struct Cell: Sendable, ExpressibleByStringLiteral {
        public let text: String
        public let tone: Tone

        public init(_ text: String, _ tone: Tone = .plain) {
            self.text = text
            self.tone = tone
        }

        public init(stringLiteral text: String) { self.init(text) }
    }

    public struct Table: Sendable {
        public let caption: String?
        public let head: [String]
        public let rows: [[Cell]]
        /// Columns that are set to the right.
        public let right: Set<Int>

        public init(_ caption: String?, _ head: [String], _ rows: [[Cell]], right: Set<Int> = []) {
            self.caption = caption
            self.head = head
            self.rows = rows
            self.right = right
        }
    }

    /// Names with what they are.
    public struct Fact: Sendable {
        public let name: String
        public let value: Cell

        public init(_ name: String, _ value: String, _ tone: Tone = .plain) {
            self.name = name
            self.value = Cell(value, tone)
        }
    }

    public enum Block: Sendable {
        /// Of level 2 or 3, with the name by which contents lead to it.
        case heading(Int, String)
        case paragraph(Cell)
        /// What the document says in one sentence.
        case verdict(Cell)
        /// Large numbers beside each other.
        case numbers([Fact])
        case facts([Fact])
        case list([Cell])
        case table(Table)
        /// A picture, with the same in words.
        case picture(Picture, caption: String, words: String)
        /// Commands to type.
        case commands([String])
        /// Links to the headings of level 2, on paper the end of the first page.
        case contents
    }

    public let title: String
    /// A line beneath the title.
    public let subtitle: String?
    public var blocks: [Block]

    public init(_ title: String, subtitle: String? = nil, _ blocks: [Block]) {
        self.title = title
        self.subtitle = subtitle
        self.blocks = blocks
    }
}
