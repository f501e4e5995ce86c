/// Growing raw memory that is written at its end: one capacity check before a group of appends.
///
/// Call `ensure` with the bytes that follow, then `append`. Used by one thread.
struct RawBuffer: ~Copyable {
    private static let smallest = 1 << 17

    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = Self.smallest
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    /// What has been written; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    /// Forgets what was written, and memory that one large value asked for.
    mutating func removeAll() {
        count = 0
        guard capacity > 1 << 20 else { return }
        memory.deallocate()
        capacity = Self.smallest
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Forgets what was written after `count` bytes.
    mutating func truncate(to count: Int) {
        self.count = count
    }

    @inline(__always)
    mutating func ensure(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        fresh.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = fresh
        capacity = larger
    }

    /// Writes an integer with its highest byte first, as the network has it.
    @inline(__always)
    mutating func append<T: FixedWidthInteger>(_ value: T) {
        (memory + count).storeBytes(of: value.bigEndian, as: T.self)
        count += MemoryLayout<T>.size
    }

    @inline(__always)
    mutating func append(from start: UnsafeRawPointer, count length: Int) {
        (memory + count).copyMemory(from: start, byteCount: length)
        count += length
    }

    /// Overwrites four bytes that were written before.
    mutating func replace(at offset: Int, with value: Int32) {
        (memory + offset).storeBytes(of: value.bigEndian, as: Int32.self)
    }

    /// Checks the capacity itself.
    mutating func append(contentsOf bytes: some Sequence<UInt8>) {
        for byte in bytes {
            ensure(1)
            append(byte)
        }
    }
}
