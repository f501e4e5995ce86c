#pragma once
#include <sqlite3.h>

// The destructor argument that makes SQLite copy a bound value; the macro is a cast that Swift cannot import.
static inline sqlite3_destructor_type howdah_sqlite_transient(void) { return SQLITE_TRANSIENT; }
