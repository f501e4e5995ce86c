import Postgres

/// Which variable of libpq's stands for which keyword of a connection string
/// (https://www.postgresql.org/docs/current/libpq-envars.html). Keywords without one are of no weight here: they say how a
/// connection is kept alive, or what it is called.
enum LibpqVariables {
    static let table: [(keyword: String, variable: String)] = [
        ("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"), ("port", "PGPORT"), ("dbname", "PGDATABASE"),
        ("user", "PGUSER"), ("options", "PGOPTIONS"), ("sslmode", "PGSSLMODE"),
        ("sslnegotiation", "PGSSLNEGOTIATION"), ("sslcert", "PGSSLCERT"), ("sslkey", "PGSSLKEY"),
        ("sslcertmode", "PGSSLCERTMODE"), ("sslrootcert", "PGSSLROOTCERT"), ("sslcrl", "PGSSLCRL"),
        ("sslcrldir", "PGSSLCRLDIR"), ("sslsni", "PGSSLSNI"),
        ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
        ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"), ("gssencmode", "PGGSSENCMODE"),
        ("krbsrvname", "PGKRBSRVNAME"), ("gsslib", "PGGSSLIB"),
        ("gssdelegation", "PGGSSDELEGATION"), ("requirepeer", "PGREQUIREPEER"),
        ("require_auth", "PGREQUIREAUTH"), ("channel_binding", "PGCHANNELBINDING"),
        ("target_session_attrs", "PGTARGETSESSIONATTRS"), ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
        ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ]

    /// How a program connects to the same place.
    static func variables(_ settings: Conninfo) -> [BackupSettings.Variable] {
        var found = table.compactMap { entry in
            settings[entry.keyword].map { BackupSettings.Variable(name: entry.variable, value: $0) }
        }
        if settings["connect_timeout"] == nil { found.append(.init(name: "PGCONNECT_TIMEOUT", value: "30")) }
        return found
    }
}
