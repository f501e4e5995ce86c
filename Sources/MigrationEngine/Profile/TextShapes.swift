import Foundation

extension ColumnProfile {
    /// Texts of a fixed form, looked at in columns whose declaration may hold such texts: CHAR(32), CHAR(39), UUID.
    public struct Shapes: Sendable, Equatable {
        /// `0f8fad5b-d9cb-469f-a165-70867728950e`, in small letters.
        public var dashedUUIDs = 0
        /// `0f8fad5bd9cb469fa16570867728950e`, in small letters.
        public var bareUUIDs = 0
        /// Addresses of the Internet, spelled as PostgreSQL spells them.
        public var addresses = 0

        static let declarations: Set = [
            "CHAR(15)", "CHAR(32)", "CHAR(36)", "CHAR(39)", "VARCHAR(36)", "UUID", "INET",
        ]

        mutating func note(_ text: UnsafeBufferPointer<UInt8>) {
            switch UUIDText.form(text) {
            // Capitals would come back as small letters.
            case .dashed where !UUIDText.hasCapitals(text): dashedUUIDs += 1
            case .bare where !UUIDText.hasCapitals(text): bareUUIDs += 1
            case .dashed, .bare: break
            case nil: if AddressText.isCanonical(text) { addresses += 1 }
            }
        }
    }
}

/// The forms in which applications write a UUID: 32 hexadecimal digits, with four dashes or without.
enum UUIDText {
    enum Form {
        case dashed, bare
    }

    static func form(_ text: UnsafeBufferPointer<UInt8>) -> Form? {
        guard text.count == 32 || text.count == 36 else { return nil }
        let isDashed = text.count == 36
        for (position, byte) in text.enumerated() {
            if isDashed, isDash(at: position) {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard digit(byte) != nil else { return nil }
            }
        }
        return isDashed ? .dashed : .bare
    }

    static func isDash(at position: Int) -> Bool {
        position == 8 || position == 13 || position == 18 || position == 23
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }

    static func hasCapitals(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.contains { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }
    }
}

/// Addresses as `inet` gives them back; the server has the last word, in the trial before the load.
enum AddressText {
    static func isCanonical(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard (2...45).contains(text.count), !text.contains(0) else { return false }
        let word = String(decoding: text, as: UTF8.self)
        return [AF_INET, AF_INET6].contains { family in
            var address = in6_addr()
            var spelled = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_pton(family, word, &address) == 1,
                inet_ntop(family, &address, &spelled, socklen_t(spelled.count)) != nil
            else { return false }
            return spelled.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.elementsEqual(text)
        }
    }
}
