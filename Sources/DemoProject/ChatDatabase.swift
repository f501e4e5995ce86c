import SQLite

/// Fills the application's database: one transaction, indexes after the rows, memory that does not grow.
struct ChatDatabase {
    let seed: UInt64
    /// At least one.
    let messages: Int
    let isDirty: Bool

    init(options: DemoProject.Options) {
        seed = options.seed
        isDirty = options.isDirty
        messages = max(1, options.messages)
    }

    private var users: Int { max(20, messages / 200) }
    /// Their identifiers are kept in memory, so there is a limit to them.
    private var conversations: Int { min(max(20, messages / 100), 100_000) }

    /// Milliseconds of 2024-01-01 00:00:00 UTC.
    private static let start: Int64 = 1_704_067_200_000

    func make(
        at path: String, progress: (Int) -> Void, isCancelled: () -> Bool
    ) throws -> [(table: String, count: Int)] {
        let connection = try Connection(path: path, mode: .create)
        try connection.execute(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-32000; BEGIN")
        try connection.execute(ChatSchema.tables)
        var random = SeededGenerator(seed: seed)
        let conversationIDs = (0..<conversations).map { _ in Self.uuid(&random) }
        try insertUsers(connection, &random)
        try insertDevices(connection, &random)
        try insertConversations(connection, conversationIDs, &random)
        try insertMessages(connection, conversationIDs, &random, progress, isCancelled)
        let starred = try insertStars(connection, &random)
        // The last numbers were given and taken back: sequences must go on after them all the same.
        try connection.execute(
            """
            INSERT INTO "Message" ("id", "conversationId", "iv") VALUES
                (\(messages + 3), '\(conversationIDs[0])', x'00');
            DELETE FROM "Message" WHERE "id" = \(messages + 3)
            """)
        if isDirty { try connection.execute(Dirt.statements) }
        try connection.execute(ChatSchema.indexes)
        try connection.execute("COMMIT; PRAGMA journal_mode=DELETE")
        return [
            ("User", users), ("DeviceIdentity", users), ("Conversation", conversations),
            ("ConversationParticipant", conversations * 2), ("Message", messages + (isDirty ? 3 : 0)),
            ("ConversationRatchetState", conversations), ("PostQuantumKey", users),
            ("_StarredMessages", starred),
        ]
    }

    // MARK: People

    private func insertUsers(_ connection: borrowing Connection, _ random: inout SeededGenerator) throws {
        let insert = try Insert(connection, "User", columns: 12)
        for id in 1...users {
            try insert.bind(Int64(id), 1)
            try insert.bind("user\(id)", 2)
            try insert.bind(random.chance(70) ? Samples.texts[random.below(Samples.texts.count)] : nil, 3)
            try insert.bind("$argon2id$v=19$m=65536,t=3,p=4$" + Self.hexadecimal(&random, 32), 4)
            try insert.bind(bytes: 32, &random, 5)
            try insert.bind(Int64(random.below(2)), 6)
            try insert.bind(Samples.bigIntegers[id % Samples.bigIntegers.count], 7)
            try insert.bind(Samples.decimals[id % Samples.decimals.count], 8)
            try insert.bind(random.chance(60) ? Samples.json[id % Samples.json.count] : nil, 9)
            try insert.bind(random.chance(80) ? Self.start + Int64(random.below(50_000_000_000)) : nil, 10)
            try insert.bind(
                id <= Samples.dates.count ? Samples.dates[id - 1] : Self.start - Int64(id) * 60_000, 11)
            try insert.bind(Self.start + Int64(random.below(1_000_000)), 12)
            try insert.run()
        }
        let keys = try Insert(connection, "PostQuantumKey", columns: 7)
        // Sizes of ML-KEM-768 and ML-DSA keys, and one attachment-like value of a megabyte.
        let sizes = [1184, 1568, 1952, 2592]
        for id in 1...users {
            try keys.bind(Self.cuid(&random), 1)
            try keys.bind(Int64(id), 2)
            try keys.bind(id % 2 == 0 ? "ML-KEM-768" : "ML-DSA-65", 3)
            try keys.bind(bytes: sizes[id % sizes.count], &random, 4)
            if id == 1 {
                try keys.bind(bytes: 1 << 20, &random, 5)
            } else if id % 3 == 0 {
                try keys.bind(Int64?.none, 5)
            } else {
                try keys.bind(bytes: 2400, &random, 5)
            }
            try keys.bind(Int64(random.below(2)), 6)
            try keys.bind(id % 4 == 0 ? nil : Self.start + Int64(id) * 86_400_000, 7)
            try keys.run()
        }
    }

    private func insertDevices(_ connection: borrowing Connection, _ random: inout SeededGenerator) throws {
        let insert = try Insert(connection, "DeviceIdentity", columns: 7)
        for id in 1...users {
            try insert.bind(Self.cuid(&random), 1)
            try insert.bind("device-\(id)-" + Self.hexadecimal(&random, 8), 2)
            try insert.bind(Int64(id), 3)
            try insert.bind(bytes: 32, &random, 4)
            if id % 5 == 0 { try insert.bind(Int64?.none, 5) } else { try insert.bind(bytes: 64, &random, 5) }
            try insert.bind(id % 7 == 0 ? nil : Samples.doubles[id % Samples.doubles.count], 6)
            try insert.bind(Self.start + Int64(id), 7)
            try insert.run()
        }
    }

    private func insertConversations(
        _ connection: borrowing Connection, _ ids: [String], _ random: inout SeededGenerator
    ) throws {
        let insert = try Insert(connection, "Conversation", columns: 4)
        let participants = try Insert(connection, "ConversationParticipant", columns: 5)
        let states = try Insert(connection, "ConversationRatchetState", columns: 9)
        let roles = ["OWNER", "ADMIN", "MEMBER"]
        for (index, id) in ids.enumerated() {
            try insert.bind(id, 1)
            try insert.bind(random.chance(50) ? Samples.texts[random.below(Samples.texts.count)] : nil, 2)
            try insert.bind(Int64(index % 2), 3)
            try insert.bind(Self.start + Int64(index) * 1000, 4)
            try insert.run()
            let first = random.below(users)
            for user in [first, (first + 1) % users] {
                try participants.bind(id, 1)
                try participants.bind(Int64(user + 1), 2)
                try participants.bind(roles[random.below(3)], 3)
                try participants.bind(Self.start + Int64(index), 4)
                try participants.bind(random.chance(50) ? Self.start + Int64(index) * 2 : nil, 5)
                try participants.run()
            }
            try states.bind(Self.cuid(&random), 1)
            try states.bind(id, 2)
            try states.bind(Int64(first + 1), 3)
            try states.bind(bytes: 48, &random, 4)
            if index % 4 == 0 {
                try states.bind(bytes: 0, &random, 5)
            } else {
                try states.bind(bytes: 32, &random, 5)
            }
            try states.bind(Samples.counters[index % Samples.counters.count], 6)
            try states.bind(Int64(random.below(1000)), 7)
            try states.bind(index % 3 == 0 ? Samples.json[index % Samples.json.count] : nil, 8)
            try states.bind(Self.start + Int64(index), 9)
            try states.run()
        }
    }

    // MARK: Messages

    private func insertMessages(
        _ connection: borrowing Connection, _ ids: [String], _ random: inout SeededGenerator,
        _ progress: (Int) -> Void, _ isCancelled: () -> Bool
    ) throws {
        let insert = try Insert(connection, "Message", columns: 12)
        for id in 1...messages {
            try insert.bind(Int64(id), 1)
            try insert.bind(ids[random.below(ids.count)], 2)
            try insert.bind(random.chance(97) ? Int64(random.below(users) + 1) : nil, 3)
            let isEncrypted = random.chance(80)
            try insert.bind(isEncrypted ? nil : Samples.texts[random.below(Samples.texts.count)], 4)
            switch id {
            case 1: try insert.bind(repeated: 0x00, count: 64, 5)
            case 2: try insert.bind(repeated: 0xFF, count: 64, 5)
            case 3: try insert.bind(bytes: 0, &random, 5)
            case 4: try insert.bind(repeated: UInt8(ascii: "A"), count: 64, 5)
            case _ where isEncrypted: try insert.bind(bytes: 48 + random.below(273), &random, 5)
            default: try insert.bind(Int64?.none, 5)
            }
            try insert.bind(bytes: 12, &random, 6)
            try insert.bind(Int64(isEncrypted ? 1 : 0), 7)
            try insert.bind(id <= 15 ? Samples.doubles[id - 1] : Double(random.below(1000)) / 7, 8)
            if id == 5 {
                // A bare number: the column's numeric affinity makes an integer of it.
                try insert.bind(Int64(5), 9)
            } else {
                try insert.bind(random.chance(10) ? Samples.json[random.below(Samples.json.count)] : nil, 9)
            }
            try insert.bind(id > 10 && random.chance(20) ? Int64(random.below(id - 1) + 1) : nil, 10)
            try insert.bind(
                id <= Samples.dates.count ? Samples.dates[id - 1] : Self.start + Int64(id) * 997, 11)
            try insert.bind(random.chance(5) ? Self.start + Int64(id) * 997 + 60_000 : nil, 12)
            try insert.run()
            if id & 0x3FFF == 0 {
                progress(id)
                if isCancelled() { throw DemoError("cancelled: what was made is removed", isCancelled: true) }
            }
        }
    }

    private func insertStars(_ connection: borrowing Connection, _ random: inout SeededGenerator) throws
        -> Int
    {
        let insert = try Insert(connection, "_StarredMessages", columns: 2)
        let step = max(1, messages / max(10, messages / 50))
        var count = 0
        for message in stride(from: 1, through: messages, by: step) {
            try insert.bind(Int64(message), 1)
            try insert.bind(Int64(random.below(users) + 1), 2)
            try insert.run()
            count += 1
        }
        return count
    }

    // MARK: Identifiers

    private static let digits = Array("0123456789abcdef".utf8)

    private static func hexadecimal(_ random: inout SeededGenerator, _ count: Int) -> String {
        String(decoding: (0..<count).map { _ in digits[random.below(16)] }, as: UTF8.self)
    }

    private static func uuid(_ random: inout SeededGenerator) -> String {
        [8, 4, 4, 4, 12].map { hexadecimal(&random, $0) }.joined(separator: "-")
    }

    private static func cuid(_ random: inout SeededGenerator) -> String {
        "c" + hexadecimal(&random, 24)
    }
}

/// One prepared INSERT for rows of a table.
private struct Insert: ~Copyable {
    private let statement: Statement
    private let scratch: UnsafeMutableRawBufferPointer

    init(_ connection: borrowing Connection, _ table: String, columns: Int) throws {
        let places = repeatElement("?", count: columns).joined(separator: ", ")
        statement = try connection.prepare("INSERT INTO \"\(table)\" VALUES (\(places))")
        scratch = .allocate(byteCount: 1 << 20, alignment: 16)
    }

    deinit {
        scratch.deallocate()
    }

    func bind(_ value: Int64?, _ position: Int32) throws {
        if let value { try statement.bind(value, at: position) } else { try statement.bindNull(at: position) }
    }

    func bind(_ value: Double?, _ position: Int32) throws {
        if let value { try statement.bind(value, at: position) } else { try statement.bindNull(at: position) }
    }

    func bind(_ value: String?, _ position: Int32) throws {
        if let value { try statement.bind(value, at: position) } else { try statement.bindNull(at: position) }
    }

    /// Random bytes, at most a megabyte.
    func bind(bytes count: Int, _ random: inout SeededGenerator, _ position: Int32) throws {
        let memory = UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
        random.fill(memory)
        try statement.bind(blob: UnsafeRawBufferPointer(memory), at: position)
    }

    func bind(repeated byte: UInt8, count: Int, _ position: Int32) throws {
        let memory = UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
        for index in memory.indices { memory[index] = byte }
        try statement.bind(blob: UnsafeRawBufferPointer(memory), at: position)
    }

    func run() throws {
        try statement.run()
    }
}
