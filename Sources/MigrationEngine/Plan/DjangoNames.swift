import Crypto
import Foundation

/// Django's names of indexes and constraints, cut to the length that its PostgreSQL backend allows.
///
/// `_create_index_name` and `_fk_constraint_name` in
/// https://github.com/django/django/blob/stable/5.2.x/django/db/backends/base/schema.py
enum DjangoNames {
    /// `<table>_<columns>_<digest><suffix>`.
    static func name(_ table: String, _ columns: [String], suffix: String = "", longest: Int = Naming.longest)
        -> String
    {
        var digest = Insecure.MD5()
        for word in [table] + columns { digest.update(data: Data(word.utf8)) }
        var end = String(Array(digest.finalize()).hexadecimal.prefix(8)) + suffix
        let whole = "\(table)_\(columns.joined(separator: "_"))_\(end)"
        // Django counts characters, as Python does.
        guard whole.unicodeScalars.count > longest else { return whole }
        if end.unicodeScalars.count * 3 > longest { end = cut(end, longest / 3) }
        let rest = (longest - end.unicodeScalars.count) / 2 - 1
        let name = "\(cut(table, rest))_\(cut(columns.joined(separator: "_"), rest))_\(end)"
        guard let first = name.utf8.first, first == UInt8(ascii: "_") || first &- 48 < 10 else { return name }
        return "D" + name.dropLast()
    }

    /// The name of a foreign key, which SQLite's DDL does not have.
    static func foreignKey(_ table: String, _ column: String, to parent: String, _ parentColumn: String)
        -> String
    {
        name(table, [column], suffix: "_fk_\(parent)_\(parentColumn)")
    }

    /// The name that an index has in PostgreSQL: a name that Django made for SQLite, where it is longer, is made anew.
    static func index(_ name: String, _ table: String, _ columns: [String]) -> String {
        guard name.utf8.count > Naming.longest else { return name }
        for suffix in ["", "_uniq"] where name == Self.name(table, columns, suffix: suffix, longest: 200) {
            return Self.name(table, columns, suffix: suffix)
        }
        return name
    }

    private static func cut(_ text: String, _ count: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(count)))
    }
}
