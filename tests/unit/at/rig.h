/* SPDX-License-Identifier: Apache-2.0 */
/* Two ports over one session, with their output collected, for the tests of the AT
 * server. Besides the product's commands there are some that show what handlers can
 * do (names +T...):
 *
 *   +TSET=<string>[,<5-10>[,<string>]]  shows its values; the number is 7 by default
 *   +TCME=<n>                           fails with this number
 *   +TMULTI, ATJ                        two lines of information text
 *   +TURC                               raises an unsolicited result, then a line of text
 *   +TWAIT                              pending until rig_complete
 *   +TSTOP                              the same, can be aborted
 *   +TINT=<0-4294967295>                shows it */
#ifndef AT_RIG_H
#define AT_RIG_H

#include "fake_session.h"
#include "fota/at_fota.h"
#include "fota/at_network.h"

#define RIG_PORTS 2
#define RIG_OUT   65536

struct rig_port {
	struct at_server at;
	struct at_cfg cfg;
	char out[RIG_OUT];
	size_t out_len;
};

struct rig {
	struct rig_port ports[RIG_PORTS];
	struct at_table tables[5];
	struct fota_identity identity;
	const char *fields[4]; /* by enum fota_identity_field */
	struct fake_session session;
	struct fota_clock clock;
	struct at_fota_cfg fota_cfg;
	struct at_fota fota;
	struct at_network_cfg network_cfg;
	struct at_network network;
	uint64_t now_ms;
	uint64_t unix_s;
	unsigned restart_count; /* asked for by commands */
	unsigned abort_count;   /* calls of the handler of +TSTOP */
};

/* False if something cannot be initialised. Keeps *rig in place. */
bool rig_init(struct rig *rig, const char *profile);
/* The same, with the echo of port 0 switched off. */
bool rig_start_quiet(struct rig *rig, const char *profile);

/* On port 0. */
void rig_feed(struct rig *rig, const char *text);
void rig_feed_bytes(struct rig *rig, unsigned port, const void *bytes, size_t len);
void rig_wait(struct rig *rig, uint64_t ms);
void rig_urc(struct rig *rig, enum at_urc_class urc_class, const char *text);
void rig_complete(struct rig *rig, enum at_result result);

/* The counters of port 0. */
struct at_stats rig_stats(const struct rig *rig);

/* What came out of port 0 since the last call. */
const char *rig_out(struct rig *rig);
const char *rig_port_out(struct rig *rig, unsigned port);

#endif
