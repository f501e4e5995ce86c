import Testing

@testable import DemoProject
@testable import MigrationEngine

@Suite struct RowHashTests {
    private let hash = RowHash(seed: 7)

    private func digest(_ bytes: [UInt8]) -> RowHash.Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    @Test(arguments: [1, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100])
    func oneBitChangesTheDigest(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var seen: Set<RowHash.Digest> = [digest(bytes)]
        for bit in 0..<count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            seen.insert(digest(bytes))
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(seen.count == count * 8 + 1)
    }

    @Test func oneBitReachesBothHalves() {
        var bytes = [UInt8](repeating: 0, count: 48)
        let before = digest(bytes)
        for bit in 0..<48 * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            let after = digest(bytes)
            bytes[bit / 8] ^= 1 << (bit % 8)
            if after.high == before.high || after.low == before.low {
                Issue.record("bit \(bit) leaves a half as it was")
            }
        }
    }

    @Test func theLengthIsPartOfTheDigest() {
        let digests = (0...200).map { digest([UInt8](repeating: 0, count: $0)) }
        #expect(Set(digests).count == 201)
    }

    @Test func movedBytesChangeTheDigest() {
        let bytes = (0..<64).map { UInt8($0) }
        var seen: Set<RowHash.Digest> = [digest(bytes)]
        var expected = 1
        for first in 0..<64 {
            for second in first + 1..<64 {
                var swapped = bytes
                swapped.swapAt(first, second)
                seen.insert(digest(swapped))
                expected += 1
            }
        }
        #expect(seen.count == expected)
    }

    @Test func movedBlocksChangeTheDigest() {
        let one = [UInt8](repeating: 1, count: 16)
        let two = [UInt8](repeating: 2, count: 16)
        #expect(digest(one + two) != digest(two + one))
    }

    @Test func countersDoNotCollide() {
        var seen: Set<RowHash.Digest> = []
        var halves: Set<UInt64> = []
        for number in 0..<100_000 {
            let value = digest(Array("1|\(number)|user".utf8))
            seen.insert(value)
            halves.insert(value.high)
        }
        #expect(seen.count == 100_000)
        #expect(halves.count == 100_000)
    }

    @Test func theSameKeyGivesTheSameDigestAndAnotherKeyAnother() {
        let bytes = Array("a row".utf8)
        #expect(digest(bytes) == bytes.withUnsafeBytes { RowHash(seed: 7)($0) })
        #expect(digest(bytes) != bytes.withUnsafeBytes { RowHash(seed: 8)($0) })
    }

    @Test func theDigestDoesNotDependOnAlignment() {
        let bytes = (0..<50).map { UInt8($0) }
        for shift in 0..<8 {
            let moved = [UInt8](repeating: 0xAA, count: shift) + bytes
            let value = moved.withUnsafeBytes { hash(UnsafeRawBufferPointer(rebasing: $0[shift...])) }
            #expect(value == digest(bytes))
        }
    }
}
