/* SPDX-License-Identifier: Apache-2.0 */
/* An upgrade by the host helper (host/fota_host.h) with what a tool for people needs
 * around it: whole commands, a transcript without the secret, parameters that were
 * checked for their length. Bytes and time go in, events come out. */
#ifndef TOOL_MODULE_SESSION_H
#define TOOL_MODULE_SESSION_H

#include "at_text.h"
#include "fota/bytes.h"
#include "fota_host.h"

enum module_outcome {
	MODULE_OUTCOME_NONE,      /* it is still running */
	MODULE_OUTCOME_CODE,      /* the session ended with `code` */
	MODULE_OUTCOME_REFUSED,   /* a command was refused: `code` 0 if the module gave no number */
	MODULE_OUTCOME_NO_ANSWER, /* the module is silent */
	MODULE_OUTCOME_RESTARTED, /* the module restarted and lost the session */
	MODULE_OUTCOME_GONE,      /* the port failed or was closed */
	MODULE_OUTCOME_TIMEOUT,   /* session_ms is over; the module was told to stop */
	MODULE_OUTCOME_CANCELLED, /* cancelled by the caller, without a code of the module */
	MODULE_OUTCOME_TOO_LONG,  /* the parameters do not fit into a command */
};

enum module_event_kind {
	MODULE_EVENT_SEND,     /* `send` goes to the module; `text` is the same without secret, to be shown */
	MODULE_EVENT_LINE,     /* `text` came from the module, without secret; echoes are left out */
	MODULE_EVENT_CODE,     /* +CSCFOTA: `code` */
	MODULE_EVENT_PROGRESS, /* `received_bytes` of `total_bytes` are on the module */
	MODULE_EVENT_END,      /* `outcome`, `code`, `text` (the line of the refusal) and `step`; the last event */
};

/* Pointers are borrowed for the call. */
struct module_event {
	enum module_event_kind kind;
	struct fota_bytes send;
	const char *text;
	const char *step; /* END: constant text, what was being done */
	int code;
	uint64_t received_bytes;
	uint64_t total_bytes;
	enum module_outcome outcome;
};

struct module_session_cfg {
	struct fota_host_request request; /* the texts must outlive the session; `secret` is only in bytes to send */
	struct fota_host_limits limits;
	/* Called from inside the functions below; must not call them. */
	void (*event)(void *ctx, const struct module_event *event);
	void *event_ctx;
};

struct module_session {
	/* private */
	struct module_session_cfg cfg;
	struct fota_host host;
	struct at_command sent; /* the command that is being sent */
	bool is_too_long;       /* nothing was begun */
};

/* Prepares *s and sends the first command. Keeps the texts of the request. */
void module_session_init(struct module_session *s, const struct module_session_cfg *cfg, uint64_t now_ms);

/* Bytes from the module. */
void module_session_feed(struct module_session *s, struct fota_bytes bytes, uint64_t now_ms);

/* Lets time pass; call it when module_session_wait_ms is over, at the latest. */
void module_session_tick(struct module_session *s, uint64_t now_ms);

/* Ends the session on the module, then here. A second call changes nothing. */
void module_session_cancel(struct module_session *s, uint64_t now_ms);

/* The port failed or was closed: the end, at once. */
void module_session_gone(struct module_session *s);

/* The caller waits no longer: the end, at once, without a word to the module. */
void module_session_abandon(struct module_session *s);

/* Milliseconds until module_session_tick has something to do. */
uint64_t module_session_wait_ms(const struct module_session *s, uint64_t now_ms);

bool module_session_is_ended(const struct module_session *s);

#endif
