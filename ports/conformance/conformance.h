/* SPDX-License-Identifier: Apache-2.0 */
/* The suite that every port passes, on the host or on the target: plain C11, no heap, no
 * output of its own. Each function checks one ability against the contracts of
 * fota/port.h and tells each rule that is broken. docs/PORTING.md shows how to run it.
 *
 *   struct conf conf = { .fail = print };
 *   conf_crypto(&conf, &crypto);
 *   conf_random(&conf, &random);
 *   return conf.fail_count != 0; */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "fota/port.h"

struct conf {
	/* A rule is broken: `rule` is constant text, `detail` a number that helps to find
	 * the place (an offset, a length, an error). May be NULL. */
	void (*fail)(void *ctx, const char *rule, long long detail);
	void *ctx;
	unsigned rule_count; /* checked so far */
	unsigned fail_count; /* broken */
};

/* Counts a rule, and tells if it is broken. Gives `is_true` back. */
bool conf_check(struct conf *conf, bool is_true, const char *rule, long long detail);

/* HMAC-SHA-256 by RFC 4231 and SHA-256 by FIPS 180-4: known answers, in one piece and
 * in many, empty input, and a digest that is begun again. SHA-1 by FIPS 180-4; ECDSA on
 * P-256 by RFC 6979 with every byte of key, hash and signature changed, numbers out of
 * range, and points that are not on the curve. */
void conf_crypto(struct conf *conf, const struct fota_crypto *crypto);

/* Fills every length, nothing else, and not with the same bytes twice. A suite cannot
 * show that numbers are random, only that they are not obviously otherwise. */
void conf_random(struct conf *conf, const struct fota_random *random);

/* Never back, in milliseconds and seconds. `sleep_ms` waits by another clock, or is
 * NULL. */
void conf_clock(struct conf *conf, const struct fota_clock *clock, void (*sleep_ms)(uint32_t ms));

/* One area of storage. Its content is lost. */
struct conf_flash {
	const struct fota_flash *flash;
	/* Waits for the operation that answered PENDING and gives its result. NULL if
	 * the port never answers so. */
	enum fota_err (*wait)(void *ctx);
	/* Does what a restart does (close and open, or nothing on bare metal). What was
	 * synced is there afterwards. NULL: not checked. */
	void (*reopen)(void *ctx);
	void *ctx;
	/* At least one erase unit, and 256 bytes. */
	struct fota_room room;
};

void conf_flash(struct conf *conf, const struct conf_flash *area);

/* The HTTP client against ports/conformance/server.py. */
struct conf_http {
	const struct fota_http *http;
	const char *base_url;    /* of the server, without a slash at the end */
	const char *refused_url; /* of a port where nothing listens */
	/* Lets the port work for a moment; events go to conf_http_event from in here. */
	void (*poll)(void *ctx);
	void *ctx;
	/* Calls of `poll` until a request counts as hanging. */
	unsigned poll_max;
	bool has_short_stall; /* the stall limit was set to some seconds at most: it is checked */
	/* private */
	struct conf *conf;
	struct fota_http_event head, end;
	unsigned head_count, end_count;
	uint64_t body_len;
	uint32_t body_sum; /* over bytes and their places */
	bool is_choosy;    /* takes a part of each piece, then BUSY */
	bool is_busy;
	bool is_cancelling; /* cancels from inside the first body event */
};

void conf_http(struct conf *conf, struct conf_http *client);

/* For the port's events, as fota_session_http is. */
enum fota_err conf_http_event(struct conf_http *client, const struct fota_http_event *event, size_t *taken);

#endif
