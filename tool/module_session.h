/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware upgrade as the host sees it: brings the line into a known state, sends
 * AT+CAPFOTA and AT+CSCFOTA, follows the result codes, cancels on demand, and puts
 * back what it changed. A state machine that owns no port, timer or heap: bytes and
 * time go in, events come out. Works with any module that has the two commands;
 * what goes beyond them (progress) is asked for and done without if it is refused. */
#ifndef TOOL_MODULE_SESSION_H
#define TOOL_MODULE_SESSION_H

#include "at_text.h"
#include "fota/bytes.h"

/* Text of the five parameters. `secret` is in no event but in the bytes to send. */
struct module_request {
	const char *oem;
	const char *model;
	const char *product;
	const char *secret;
	const char *target;
};

/* Zero takes the default in brackets. */
struct module_limits {
	uint32_t sync_ms;    /* for the answer to one AT while synchronising [1000] */
	uint32_t sync_tries; /* [10] */
	uint32_t settle_ms;  /* silence that ends the answers to earlier tries [300] */
	uint32_t answer_ms;  /* for the answer to any other command [9000, SIMCom's limit] */
	uint32_t silence_ms; /* without a byte, before the module is asked for a sign of life [60000] */
	uint32_t cancel_ms;  /* from the cancellation to the final code [10000] */
	uint32_t partial_ms; /* from code 4 to the final code [15000] */
	uint32_t session_ms; /* from the first byte to the end [3900000] */
};

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
	struct module_request request; /* the texts must outlive the session */
	struct module_limits limits;
	/* Called from inside the functions below; must not call them. */
	void (*event)(void *ctx, const struct module_event *event);
	void *event_ctx;
};

enum module_step {
	MODULE_STEP_SYNC,
	MODULE_STEP_SETTLE,
	MODULE_STEP_ERRORS_READ,
	MODULE_STEP_ERRORS_ON,
	MODULE_STEP_PROGRESS_ON,
	MODULE_STEP_SERVICE_ON,
	MODULE_STEP_START,
	MODULE_STEP_FOLLOW,
	MODULE_STEP_PROBE,
	MODULE_STEP_CANCEL,
	MODULE_STEP_SERVICE_OFF,
	MODULE_STEP_CANCEL_WAIT,
	MODULE_STEP_PROGRESS_OFF,
	MODULE_STEP_ERRORS_BACK,
	MODULE_STEP_END,
};

struct module_session {
	/* private */
	struct module_session_cfg cfg;
	struct at_reader reader;
	struct at_command sent;
	char refusal[128];
	enum module_step step;
	const char *failed_step;
	unsigned tries;
	unsigned resyncs;
	unsigned silent_probes;
	uint64_t now_ms;
	uint64_t deadline_ms; /* of the step */
	uint64_t session_deadline_ms;
	uint64_t cmee; /* as it was found */
	bool is_cmee_changed;
	bool has_progress;
	bool is_stopping; /* cancelled or out of time: nothing new is begun */
	enum module_outcome outcome;
	enum module_outcome stop_reason;
	int code;
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
