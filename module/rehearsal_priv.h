/* SPDX-License-Identifier: Apache-2.0 */
/* The player's one struct, for the files that play sessions and installations. */
#ifndef MODULE_REHEARSAL_PRIV_H
#define MODULE_REHEARSAL_PRIV_H

#include "rehearsal.h"
#include "sign_key.h"
#include "sim_flash.h"
#include "sim_http.h"

#define PART          "rehearsal" /* in the log */
#define SLOT_BYTES    (16u * 1024u * 1024u)
#define JOURNAL_BYTES (128u * 1024u)
#define ERASE_BYTES   4096u
#define KEY_MAX_BYTES 64u
#define ROW_MAX       32u
#define REPORT_MS     10u
#define DOWN_MS       200u /* from the last code to the end of power */
#define SESSION_MS    3600000u
#define OTHER_PORT    UINT32_MAX /* origin of sessions that no host sees */

struct rehearsal {
	struct rehearsal_cfg cfg;
	struct sim_http http;
	struct sim_flash slot_flash[FOTA_SLOT_COUNT], journal_flash;
	struct sim_fault slots[FOTA_SLOT_COUNT], journal;
	uint8_t *memory;
	struct fota_clock clock;
	struct fota_crypto crypto;
	struct fota_identity identity;
	struct fota_installer installer;
	uint64_t clock_ahead_ms;
	uint8_t key[KEY_MAX_BYTES];
	size_t key_len;
	struct sign_key signer;
	uint64_t sequence;                   /* of the last manifest */
	char model[FOTA_NAME_MAX_BYTES + 1]; /* that the command names */
	uint8_t lost_fields;                 /* bits: enum fota_identity_field that are lost for now */
	bool is_other_model;
	struct at_table inner;
	struct at_command rows[ROW_MAX]; /* of `inner`, run by us */
	unsigned played_count;
	struct rehearsal_session play; /* the session that runs */
	uint16_t install_code;         /* of the package that is stored */
	bool is_install_due;           /* the installer has the package */
	uint64_t trial_end_ms;         /* the clock jumps then to the end of the trial; 0: never */
	bool is_end_due;               /* it has told its final code: clean up behind it */
	bool is_restart_due;
	uint64_t restart_ms;
};

/* The rehearsed time. */
uint64_t rehearsal_now(const struct rehearsal *rehearsal);

/* ---- rehearsal_install.c ---- */
void rehearsal_init_install(struct rehearsal *rehearsal);
void rehearsal_go_on_with_install(struct rehearsal *rehearsal);

#endif
