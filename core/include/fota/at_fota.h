/* SPDX-License-Identifier: Apache-2.0 */
/* The FOTA commands of the AT server: one session behind any number of ports.
 * spec: docs/at-commands.md.
 *
 *   struct at_fota fota;
 *   at_fota_init(&fota, &fota_cfg);
 *   tables[] = { at_basic_table(), at_fota_table(&fota) };   each port's at_cfg
 *   at_fota_add_port(&fota, &server);                        after its at_init
 *   session_cfg.notify = at_fota_notice; session_cfg.notify_ctx = &fota;
 */
#ifndef FOTA_AT_FOTA_H
#define FOTA_AT_FOTA_H

#include "fota/at.h"
#include "fota/session.h"

#ifndef AT_FOTA_PORT_MAX
#define AT_FOTA_PORT_MAX 8u
#endif
#define AT_FOTA_INTERVAL_MAX_S 3600u

struct at_fota_cfg {
	struct fota_session *session; /* may be initialised later than at_fota, but before a port is fed */
	const struct fota_clock *clock;
	bool is_code_for_all; /* +CSCFOTA goes to all ports; default: to the one that started the session */
};

struct at_fota_port {
	/* private */
	struct at_server *at;
	uint64_t sent_ms;
	uint32_t reset_count; /* of the server when the interval was set */
	uint16_t interval_s;  /* of AT+FOTAPROG; 0 off */
	bool is_sent;         /* a line was sent in this session, at sent_ms */
	bool is_unsent;       /* the last movement was not shown */
};

struct at_fota {
	/* private */
	const struct at_fota_cfg *cfg;
	uint64_t received_bytes, total_bytes;
	size_t port_count;
	struct at_fota_port ports[AT_FOTA_PORT_MAX];
};

/* Keeps *cfg. OK, or CONTRACT if session or clock are missing. */
FOTA_MUST_CHECK enum fota_err at_fota_init(struct at_fota *fota, const struct at_fota_cfg *cfg);

/* A port takes part: its notices come, AT+FOTAPROG works. Keeps *at. OK, FULL, or
 * CONTRACT if another server has the same port number. */
FOTA_MUST_CHECK enum fota_err at_fota_add_port(struct at_fota *fota, struct at_server *at);

/* The port goes; unknown ones are ignored. A session that it started goes on. */
void at_fota_remove_port(struct at_fota *fota, const struct at_server *at);

/* +CAPFOTA +CSCFOTA +FOTACHECK +FOTASTATE +FOTALAST +FOTAPROG +FOTACANCEL +FOTASTAT. */
struct at_table at_fota_table(struct at_fota *fota);

/* Turns a notice of the session into unsolicited results: for
 * fota_session_cfg.notify, with the struct at_fota as context. */
void at_fota_notice(void *ctx, const struct fota_notice *notice);

#endif
