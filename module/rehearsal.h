/* SPDX-License-Identifier: Apache-2.0 */
/* Plays sessions without a platform: the real session and the real AT commands over
 * storage, network, clock and identity in memory, which fail as a file says.
 *
 * The platform signs its offers with a key that is made at the start, and that the module
 * trusts for as long as the rehearsal lasts.
 *
 * What is told is caused: a rehearsal never writes a code to the host, but for the few
 * that docs/rehearsal.md names. Each AT+CSCFOTA that the module would accept, or
 * that is to be refused, plays the next session of the file. */
#ifndef MODULE_REHEARSAL_H
#define MODULE_REHEARSAL_H

#include "fota/at_fota.h"
#include "log.h"
#include "rehearsal_file.h"

struct rehearsal;

struct rehearsal_cfg {
	const struct rehearsal_file *file;
	struct fota_session *session; /* over the ports below; may be initialised later */
	const struct log *log;
	/* The real ones, in front of which the rehearsal stands. */
	struct fota_clock clock;
	struct fota_crypto crypto;
	struct fota_identity identity; /* what it does not know is made up */
	/* Goes to fota_session_http. */
	enum fota_err (*http_event)(void *ctx, const struct fota_http_event *event, size_t *taken);
	void *http_ctx;
};

/* For the session. Valid until close. */
struct rehearsal_ports {
	const struct fota_http *http;
	const struct fota_flash *slots[FOTA_SLOT_COUNT], *journal;
	const struct fota_flash *boot_slots[FOTA_SLOT_COUNT], *boot_journal; /* without failures */
	const struct fota_trusted_key *key;
	const struct fota_installer *installer;
	const struct fota_clock *clock;
	const struct fota_crypto *crypto;
	const struct fota_identity *identity;
};

/* Copies *cfg and keeps what it names. OK; IO if there is no memory or no key. */
FOTA_MUST_CHECK enum fota_err rehearsal_open(struct rehearsal **out, const struct rehearsal_cfg *cfg);
/* NULL is allowed. */
void rehearsal_close(struct rehearsal *rehearsal);
struct rehearsal_ports rehearsal_get_ports(const struct rehearsal *rehearsal);

/* Limits that are 0 become those of a rehearsal: everything is quick, one try more. */
void rehearsal_set_limits(struct fota_session_limits *limits);

/* The FOTA commands with the rehearsal in front: a table instead of `inner`, of at most
 * 32 rows whose commands cannot be aborted. */
struct at_table rehearsal_table(struct rehearsal *rehearsal, struct at_table inner);

/* Around the start of the module: before it looks into the slots, of which `slot` ran, and when it
 * knows what runs. */
void rehearsal_begin_start(struct rehearsal *rehearsal, unsigned slot);
void rehearsal_end_start(struct rehearsal *rehearsal, const struct fota_boot *boot);

/* Sees each notice before the ports do, and may change its code. */
void rehearsal_notice(struct rehearsal *rehearsal, struct fota_notice *notice);

/* Lets the platform go on. Before fota_session_tick, in each turn of the loop. */
void rehearsal_perform(struct rehearsal *rehearsal);
uint32_t rehearsal_next_ms(const struct rehearsal *rehearsal);

/* True once when the module has to restart now: the caller initialises the session anew,
 * resets its ports, and is deaf and mute for *boot_ms. */
bool rehearsal_take_restart(struct rehearsal *rehearsal, uint32_t *boot_ms);
/* The module restarts: what was on its way is gone, storage stays. */
void rehearsal_restart(struct rehearsal *rehearsal);

#endif
