/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of the catalog: made from the database, immutable, counted. */
#ifndef CLOUD_STORE_CATALOG_H
#define CLOUD_STORE_CATALOG_H

#include "domain/catalog.h"
#include "store/db.h"

/* Reads the whole catalog. NULL if the database or memory fails. The caller holds
 * the one reference. */
struct cloud_catalog *cloud_catalog_load(struct cloud_db *db);

/* Adds and drops a reference; the last drop frees. Any thread. */
void cloud_catalog_hold(struct cloud_catalog *catalog);
void cloud_catalog_drop(const struct cloud_catalog *catalog);

#endif
