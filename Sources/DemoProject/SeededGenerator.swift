/// SplitMix64: small, fast, and the same everywhere for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A number below `bound`, quickly; the bias is of no matter here.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }

    /// Fills memory with bytes of every value.
    mutating func fill(_ memory: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset + 8 <= memory.count {
            memory.storeBytes(of: next(), toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        var rest = next()
        while offset < memory.count {
            memory[offset] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
            offset += 1
        }
    }
}
