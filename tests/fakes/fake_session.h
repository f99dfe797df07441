/* SPDX-License-Identifier: Apache-2.0 */
/* A FOTA session that works without network and storage: it takes the commands by
 * the rules of fota/session.h, and the test tells what happens to it. Linked in
 * place of core/session. */
#ifndef FAKE_SESSION_H
#define FAKE_SESSION_H

#include "fota/session.h"

struct fake_session {
	void (*notify)(void *ctx, const struct fota_notice *notice);
	void *notify_ctx;
	bool is_without_model; /* 403 */
	struct fota_session_info info;
	bool is_check_only;
	enum fota_code stop_code; /* asked for, told at the next turn */
	uint32_t origin;
	char target[FOTA_VERSION_MAX_BYTES];
	char secret[FOTA_SECRET_MAX_BYTES]; /* what came through */
	size_t secret_len;
	unsigned install_count;
	unsigned kept_count, rolled_back_count; /* AT+FOTACONFIRM */
};

/* What the commands get as their session. */
struct fota_session *fake_session_handle(struct fake_session *fake);

/* The session meets this result code. All but 2 and 4 end it. */
void fake_session_meet(struct fake_session *fake, enum fota_code code, const char *step);
/* The end of a check that found the target. */
void fake_session_offer(struct fake_session *fake, uint64_t size_bytes, uint8_t encoding);
/* An installation went so; 0 leaves the new version on trial. */
void fake_session_result(struct fake_session *fake, enum fota_code code, const char *old_version,
			 const char *new_version);
void fake_session_receive(struct fake_session *fake, uint64_t received_bytes, uint64_t total_bytes);
/* A notice that is for the log only. */
void fake_session_retry(struct fake_session *fake);
/* A turn of the loop: a cancelled session ends. */
void fake_session_turn(struct fake_session *fake);

#endif
