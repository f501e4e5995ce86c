import CLibPQ

extension Connection {
    /// What a server keeps of a role's password, so that the password itself never leaves this process, nor gets into the
    /// server's log (https://www.postgresql.org/docs/current/libpq-misc.html#LIBPQ-PQENCRYPTPASSWORDCONN).
    public borrowing func passwordVerifier(_ password: String, role: String) throws(PostgresError) -> String {
        guard let verifier = PQencryptPasswordConn(handle, password, role, "scram-sha-256") else {
            throw failure("ALTER ROLE … PASSWORD")
        }
        defer { PQfreemem(verifier) }
        return String(cString: verifier)
    }
}
