#pragma once
#include <sqlite3.h>
#include <string.h>

// The destructor argument that makes SQLite copy a bound value; the macro is a cast that Swift cannot import.
static inline sqlite3_destructor_type howdah_sqlite_transient(void) { return SQLITE_TRANSIENT; }

// Lets the schema's own table be written, where a build of SQLite guards it; the call takes any number of arguments, which Swift cannot import.
static inline int howdah_sqlite_allow_schema_writes(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, (int *)0);
}

static inline int howdah_sqlite_compare_bytes(void *unused, int count, const void *bytes, int otherCount, const void *other) {
    int order = memcmp(bytes, other, count < otherCount ? count : otherCount);
    return order != 0 ? order : count - otherCount;
}

static inline void howdah_sqlite_stand_in(void *unused, sqlite3 *db, int encoding, const char *name) {
    sqlite3_create_collation_v2(db, name, encoding, NULL, howdah_sqlite_compare_bytes, NULL);
}

// Collations that only an application has are stood in for by the order of bytes.
static inline void howdah_sqlite_allow_unknown_collations(sqlite3 *db) {
    sqlite3_collation_needed(db, NULL, howdah_sqlite_stand_in);
}
