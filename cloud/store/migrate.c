/* SPDX-License-Identifier: Apache-2.0 */
/* The table schema_version holds one row for each migration that ran. It is the only
 * table that is not made by a migration. */
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char version_table[] =
	"CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" applied INTEGER NOT NULL)";

static bool run_one(struct cloud_db *db, const struct cloud_migration *migration)
{
	char record[256];

	snprintf(record, sizeof(record), "INSERT INTO schema_version VALUES (%u, '%s', %lld)", migration->number,
		 migration->name, (long long)time(NULL));
	if (!cloud_db_script(db, "BEGIN IMMEDIATE")) { return false; }
	if (cloud_db_script(db, migration->sql) && cloud_db_script(db, record) && cloud_db_script(db, "COMMIT")) {
		return true;
	}
	if (!cloud_db_script(db, "ROLLBACK")) { return false; }
	return false;
}

bool cloud_migrate(struct cloud_db *db, const struct log *log)
{
	int64_t done;

	if (!cloud_db_script(db, version_table) ||
	    !cloud_db_scalar(db, "SELECT max(number) FROM schema_version", &done)) {
		return false;
	}
	if (done > cloud_migration_count) {
		log_line(log, LOG_LEVEL_ERROR, "store",
			 "the database has schema %lld, this program knows %u: start the newer program",
			 (long long)done, cloud_migration_count);
		return false;
	}
	for (unsigned i = (unsigned)done; i < cloud_migration_count; i++) {
		if (!run_one(db, &cloud_migrations[i])) { return false; }
		log_line(log, LOG_LEVEL_INFO, "store", "schema %u (%s) is in place", cloud_migrations[i].number,
			 cloud_migrations[i].name);
	}
	return true;
}
