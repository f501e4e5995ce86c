/// How names of the source are spelled in the target.
public enum Identifiers: String, Sendable, CaseIterable {
    /// As they are.
    case exact
    /// With A to Z small, as PostgreSQL reads names without quotes.
    case lower
    /// In words with underscores: `senderId` becomes `sender_id`.
    case snake

    func spelled(_ name: String) -> String {
        switch self {
        case .exact: name
        case .lower: String(decoding: name.utf8.map { Self.isCapital($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
        case .snake: Self.snake(name)
        }
    }

    private static func isCapital(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    /// A capital begins a word behind a small letter or a digit, and before a small letter: `HTTPServer` is `http_server`.
    /// What is neither letter nor digit ends one.
    private static func snake(_ name: String) -> String {
        let scalars = Array(name.unicodeScalars)
        var spelled = String.UnicodeScalarView()
        func isSmall(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isLowercase || scalar.properties.numericType != nil
        }
        for (index, scalar) in scalars.enumerated() {
            guard scalar.properties.isAlphabetic || scalar.properties.numericType != nil || !scalar.isASCII
            else {
                if spelled.last != "_" { spelled.append("_") }
                continue
            }
            if scalar.properties.isUppercase, index > 0 {
                let before = scalars[index - 1]
                let isNext = index + 1 < scalars.count && scalars[index + 1].properties.isLowercase
                if isSmall(before) || before.properties.isUppercase && isNext, spelled.last != "_" {
                    spelled.append("_")
                }
            }
            spelled.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
        return String(spelled)
    }
}

extension MigrationPlan {
    /// Gives tables, columns, keys, indexes and enums their names in the target.
    mutating func spell(_ identifiers: Identifiers) {
        guard identifiers != .exact else { return }
        func target(_ name: String) -> String? {
            let spelled = identifiers.spelled(name)
            return spelled == name ? nil : spelled
        }
        let enums = Dictionary(
            self.enums.map { ($0.name, identifiers.spelled($0.name)) },
            uniquingKeysWith: { first, _ in first })
        for index in self.enums.indices {
            self.enums[index].name = identifiers.spelled(self.enums[index].name)
        }
        // Two names may become one; those of tables and columns are findings of their own.
        var names = NameSpace()
        for table in tables { _ = names.claim(identifiers.spelled(table.name)) }
        func spell(_ name: inout String) {
            name = names.claim(Naming.cut(identifiers.spelled(name), suffix: ""))
        }
        for index in tables.indices {
            tables[index].target = target(tables[index].name)
            for column in tables[index].columns.indices {
                tables[index].columns[column].target = target(tables[index].columns[column].name)
                if case .enumeration(let name) = tables[index].columns[column].postgresType,
                    let spelled = enums[name]
                {
                    tables[index].columns[column].type = PostgresType.enumeration(spelled).sql
                }
            }
            if var key = tables[index].primaryKey {
                spell(&key.name)
                tables[index].primaryKey = key
            }
            tables[index].uniques = tables[index].uniques?.map { key in
                var key = key
                spell(&key.name)
                return key
            }
            tables[index].indexes = tables[index].indexes?.map { key in
                var key = key
                spell(&key.name)
                return key
            }
            var constraints = NameSpace()
            tables[index].foreignKeys = tables[index].foreignKeys?.map { key in
                var key = key
                key.name = constraints.claim(Naming.cut(identifiers.spelled(key.name), suffix: ""))
                return key
            }
        }
    }
}
