/// A hash of 128 bits, two lanes of 64, with a key of its own for each run.
///
/// Folds 64 × 64 → 128 bit products, so that every bit of the input reaches every bit of a lane. The key is random:
/// no row can be made to collide with another on purpose.
struct RowHash {
    private let key: (UInt64, UInt64, UInt64, UInt64)

    init(seed: UInt64 = .random(in: 0...UInt64.max)) {
        var state = seed
        func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return (value ^ (value >> 31)) | 1
        }
        key = (next(), next(), next(), next())
    }

    func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var first = key.0 ^ UInt64(truncatingIfNeeded: bytes.count)
        var second = key.1 &+ UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        while offset + 16 <= bytes.count {
            mix(
                &first, &second, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            offset += 16
        }
        var tail: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &tail) { memory in
            for index in offset..<bytes.count { memory[index - offset] = bytes[index] }
        }
        mix(&first, &second, tail.0, tail.1)
        mix(&first, &second, key.2, key.3)
        return Digest(high: first, low: second)
    }

    @inline(__always)
    private func mix(_ first: inout UInt64, _ second: inout UInt64, _ low: UInt64, _ high: UInt64) {
        let one = (low ^ first ^ key.2).multipliedFullWidth(by: high ^ key.0)
        let two = (high ^ second ^ key.3).multipliedFullWidth(by: low ^ key.1)
        first = (first &+ one.high ^ one.low) ^ (low << 1 | low >> 63)
        second = (second &+ two.high ^ two.low) &+ (high << 7 | high >> 57)
    }

    struct Digest: Hashable {
        let high: UInt64
        let low: UInt64
    }
}
