#pragma once
#include <sqlite3.h>

// The destructor argument that makes SQLite copy a bound value; the macro is a cast that Swift cannot import.
static inline sqlite3_destructor_type howdah_sqlite_transient(void) { return SQLITE_TRANSIENT; }

// Lets the schema's own table be written, where a build of SQLite guards it; the call takes any number of arguments, which Swift cannot import.
static inline int howdah_sqlite_allow_schema_writes(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, (int *)0);
}
