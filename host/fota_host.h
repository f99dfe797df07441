/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware upgrade as the host sees it, in one header and one source file for any
 * microcontroller or program: sends AT+CAPFOTA and AT+CSCFOTA, follows the result
 * codes, cancels on demand, and puts back what it changed. C11, no heap, no operating
 * system, no global. On a Cortex-M3 at -Os 6 KiB of code (4 KiB without texts) and about
 * 330 bytes of RAM.
 *
 *   struct fota_host host;
 *   fota_host_init(&host, &cfg, now_ms);
 *   while (!fota_host_is_ended(&host)) {
 *       fota_host_feed(&host, bytes, len, now_ms);      what the UART received
 *       fota_host_tick(&host, now_ms);
 *   }
 *
 * Works with every module that has the two commands; what goes beyond them (numbered
 * errors, progress) is asked for and done without if it is refused. Times are milliseconds of
 * a counter of 32 bits that may wrap around. */
#ifndef FOTA_HOST_H
#define FOTA_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes at build time; define them for the whole build. A line of the module that is
 * longer is cut. FOTA_HOST_TEXTS 0 leaves text and advice of the codes out. */
#ifndef FOTA_HOST_LINE_BYTES
#define FOTA_HOST_LINE_BYTES 160u
#endif
#ifndef FOTA_HOST_TEXTS
#define FOTA_HOST_TEXTS 1
#endif

/* The five parameters of AT+CSCFOTA. */
struct fota_host_request {
	const char *oem;
	const char *model;
	const char *product;
	const char *secret;
	const char *target;
};

/* Zero takes the default in brackets. */
struct fota_host_limits {
	uint32_t sync_ms;    /* for the answer to one AT while synchronising [1000] */
	uint32_t sync_tries; /* [10] */
	uint32_t settle_ms;  /* silence that ends the answers to earlier tries [300] */
	uint32_t answer_ms;  /* for the answer to any other command [9000, SIMCom's limit] */
	uint32_t silence_ms; /* without a byte, before the module is asked for a sign of life [60000] */
	uint32_t cancel_ms;  /* from the cancellation to the final code [10000] */
	uint32_t partial_ms; /* from code 4 to the final code [15000] */
	uint32_t session_ms; /* from the first byte to the end [3900000] */
};

/* Classes of result codes. */
#define FOTA_HOST_PROGRESS 'P' /* the session goes on; 3: it is done */
#define FOTA_HOST_NOTHING  'E' /* ended without an upgrade, and that is fine */
#define FOTA_HOST_RETRY    'R' /* try again later, unchanged */
#define FOTA_HOST_CHANGE   'X' /* a person has to change something first */

/* A result code of the manual; constant data. */
struct fota_host_code {
	int16_t number;
	char code_class;
	const char *text;   /* the manual's words */
	const char *advice; /* what a person does next */
};

enum fota_host_outcome {
	FOTA_HOST_RUNNING,
	FOTA_HOST_DONE_CODE, /* the session ended with `code` */
	FOTA_HOST_REFUSED,   /* a command was refused: `code` 0 if the module gave no number */
	FOTA_HOST_NO_ANSWER, /* the module is silent */
	FOTA_HOST_RESTARTED, /* the module restarted and lost the session */
	FOTA_HOST_GONE,      /* the caller said that the port is gone */
	FOTA_HOST_TIMEOUT,   /* session_ms is over; the module was told to stop */
	FOTA_HOST_CANCELLED, /* cancelled by the caller, without a code of the module */
};

enum fota_host_kind {
	FOTA_HOST_LINE,     /* `text` came from the module (echoes are left out); it may hold anything */
	FOTA_HOST_ACCEPTED, /* OK to AT+CSCFOTA: the session runs */
	FOTA_HOST_CODE,     /* +CSCFOTA: `code`; 2 checked, 4 a part is kept, then the final one */
	FOTA_HOST_MOVED,    /* `received_bytes` of `total_bytes` are on the module */
	FOTA_HOST_END,      /* `outcome`, `code`, `text` (the line of a refusal), `step`; the last event */
};

/* Pointers are borrowed for the call. */
struct fota_host_event {
	enum fota_host_kind kind;
	enum fota_host_outcome outcome;
	int code;                          /* 0: none */
	const struct fota_host_code *info; /* CODE, END: the row of `code`; NULL if it is no code of the manual */
	bool is_part_kept;                 /* END: the next session goes on from a part (code 4) */
	const char *text;
	const char *step; /* END: constant text, what was being done */
	uint64_t received_bytes;
	uint64_t total_bytes;
};

struct fota_host_cfg {
	struct fota_host_request request; /* the texts must outlive the session */
	struct fota_host_limits limits;
	/* Called from inside the functions below; must not call them. `write` takes the bytes of a
	 * command in pieces, the last of which ends with CR; what it cannot take is noticed
	 * as the module's silence. `event` may be NULL. */
	void (*write)(void *ctx, const char *bytes, size_t len);
	void (*event)(void *ctx, const struct fota_host_event *event);
	void *ctx;
};

struct fota_host {
	/* private */
	struct fota_host_cfg cfg;
	char line[FOTA_HOST_LINE_BYTES + 1];
	char refusal[64];
	uint16_t line_len;
	uint8_t step;
	uint8_t failed_step;
	uint8_t tries, resyncs, silent_probes;
	uint8_t outcome, stop_reason; /* enum fota_host_outcome */
	int16_t cmee;                 /* as it was found; -1: not known */
	bool is_cmee_changed, has_progress;
	bool is_stopping; /* cancelled or out of time: nothing new is begun */
	bool is_part_kept;
	int code;
	uint32_t now_ms, deadline_ms, session_deadline_ms;
};

/* Prepares *host and sends the first command. Copies *cfg, keeps the texts of the request. */
void fota_host_init(struct fota_host *host, const struct fota_host_cfg *cfg, uint32_t now_ms);

/* Bytes from the module, in any pieces. */
void fota_host_feed(struct fota_host *host, const void *bytes, size_t len, uint32_t now_ms);

/* Lets time pass; call it when fota_host_wait_ms is over, at the latest. */
void fota_host_tick(struct fota_host *host, uint32_t now_ms);

/* Ends the session on the module, then here. A second call changes nothing. */
void fota_host_cancel(struct fota_host *host, uint32_t now_ms);

/* The end, at once and without a word to the module: the port is gone, or the caller
 * waits no longer. */
void fota_host_gone(struct fota_host *host);
void fota_host_abandon(struct fota_host *host);

/* Milliseconds until fota_host_tick has something to do. */
uint32_t fota_host_wait_ms(const struct fota_host *host, uint32_t now_ms);
bool fota_host_is_ended(const struct fota_host *host);

/* What a host does after END: FOTA_HOST_PROGRESS (done), _NOTHING, _RETRY or _CHANGE. */
char fota_host_next(const struct fota_host_event *end);

/* The row of a number, NULL if it is no result code; and all rows, *count is set. */
const struct fota_host_code *fota_host_code_find(int number);
const struct fota_host_code *fota_host_code_list(size_t *count);

#endif
