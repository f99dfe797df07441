/* SPDX-License-Identifier: Apache-2.0 */
/* The platform as one object: what every handler gets. */
#ifndef CLOUD_APP_H
#define CLOUD_APP_H

#include "blob/upload.h"
#include "log.h"
#include "options.h"
#include "store/presence.h"
#include "store/store.h"

#define CLOUD_LINK_KEY_BYTES 32u

struct cloud_workers;
struct cloud_package_cache;

struct cloud_app {
	const struct cloud_options *options;
	const struct log *log;
	const char *dir;
	int lock_fd;
	struct cloud_store *store;
	struct cloud_presence *presence;
	struct cloud_uploads *uploads;
	struct cloud_queue *files; /* the thread that writes, syncs and verifies packages */
	struct cloud_workers *workers;
	struct cloud_package_cache *packages;
	uint8_t link_key[CLOUD_LINK_KEY_BYTES]; /* of the MAC in package links */
};

/* A change of the database by the program itself; ctx is the caller's. False: nothing of it is kept. */
typedef bool cloud_app_write_fn(struct cloud_app *app, struct cloud_writer *writer, void *ctx);

/* Opens the data directory and everything in it. False on failure, logged with what to do;
 * cloud_app_close is needed in any case. `options` and `log` must outlive it. */
FOTA_MUST_CHECK bool cloud_app_open(struct cloud_app *app, const struct cloud_options *options, const struct log *log);

/* Has `write` run by the writer and waits for it: true when its changes are durable. For the start of the
 * program; HTTP threads must not wait. */
FOTA_MUST_CHECK bool cloud_app_write(struct cloud_app *app, cloud_app_write_fn *write, void *ctx);

/* Puts what was seen and is due to be written among the writes. Any thread. */
void cloud_app_flush(struct cloud_app *app);

/* Finishes all work that was accepted; requests that come later get 503. */
void cloud_app_drain(struct cloud_app *app);

void cloud_app_close(struct cloud_app *app);

#endif
