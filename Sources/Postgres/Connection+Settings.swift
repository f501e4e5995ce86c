import CLibPQ

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Connection {
    /// All that the connection was made with, wherever it came from: the connection string, variables, a service file.
    ///
    /// What libpq takes by itself is left out. A password that a pgpass file gave is not in it; `password` has that one.
    public var settings: Conninfo {
        var settings: [String: String] = [:]
        guard let options = PQconninfo(handle) else { return Conninfo(settings: settings) }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                let isCompiled = option.pointee.compiled.map { strcmp($0, value) == 0 } ?? false
                if !isCompiled { settings[String(cString: keyword)] = String(cString: value) }
            }
            option += 1
        }
        settings["host"] = settings["host"] ?? PQhost(handle).map { String(cString: $0) }
        settings["port"] = settings["port"] ?? PQport(handle).map { String(cString: $0) }
        settings["user"] = user
        settings["dbname"] = database
        return Conninfo(settings: settings)
    }
}
