/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a database to the schema of this program. */
#ifndef CLOUD_STORE_MIGRATE_H
#define CLOUD_STORE_MIGRATE_H

#include "store/db.h"

struct cloud_migration {
	unsigned number;
	const char *name;
	const char *sql;
};

/* In ascending order from 1; made from store/migrations/ at build time. */
extern const struct cloud_migration cloud_migrations[];
extern const unsigned cloud_migration_count;

/* Runs what is missing, each migration in a transaction of its own together with its
 * number. False if one fails, or if the database is newer than this program. */
FOTA_MUST_CHECK bool cloud_migrate(struct cloud_db *db, const struct log *log);

#endif
