/* SPDX-License-Identifier: Apache-2.0 */
/* An AT command server (ITU-T V.250, 3GPP TS 27.007) for one port. Bytes and time
 * come in, bytes go out through a sink; nothing blocks, nothing is allocated.
 *
 * Several servers live side by side, each with its own settings, line and A/
 * memory. A server is not locked: the caller serialises all calls to it. None of
 * the functions may be called from inside the sink; handlers may call only those
 * that say so. */
#ifndef FOTA_AT_H
#define FOTA_AT_H

#include "fota/bytes.h"
#include "fota/err.h"
#include "fota/port.h"

/* Characters of a command line after its prefix. A line that is longer is answered
 * with ERROR once. A size at build time: define it for the whole build. */
#ifndef AT_LINE_BYTES
#define AT_LINE_BYTES 512u
#endif
#define AT_ARG_MAX        9u   /* values of one command */
#define AT_NAME_MAX_BYTES 17u  /* "+" and 16 characters */
#define AT_INPUT_BYTES    96u  /* kept while a command is pending */
#define AT_URC_MAX        16u  /* unsolicited results that wait */
#define AT_URC_BYTES      256u /* room for their texts, 1 byte each on top: 16 of 15 characters */
#define AT_URC_TEXT_BYTES 127u /* the longest one */

#define AT_ABORT_GUARD_MS 125u   /* from the terminator on; characters within it do not abort */
#define AT_TYPING_MS      1000u  /* without a character: an unsolicited result no longer waits for the line */
#define AT_LINE_IDLE_MS   30000u /* without a character: an incomplete line is dropped */

/* Settings of a port; Z and &F restore those of the profile. */
enum at_value {
	AT_VALUE_E,
	AT_VALUE_V,
	AT_VALUE_Q,
	AT_VALUE_X,
	AT_VALUE_S3,
	AT_VALUE_S4,
	AT_VALUE_S5,
	AT_VALUE_CMEE,
	AT_VALUE_S0, /* from here on those of calls: kept, and that is all */
	AT_VALUE_S6,
	AT_VALUE_S7,
	AT_VALUE_S8,
	AT_VALUE_S10,
	AT_VALUE_COUNT,
};

/* How a module family behaves. Constant data. */
struct at_profile {
	const char *name;
	const char *manufacturer;
	const char *model;               /* if identity has none */
	uint8_t values[AT_VALUE_COUNT];  /* at start, and after Z and &F */
	uint8_t bare[AT_VALUE_X + 1];    /* what a bare ATE, ATV, ATQ, ATX sets */
	bool has_revision_prefix;        /* "+CGMR: <revision>" instead of "<revision>" */
	bool is_del_editing;             /* 0x7f edits like S5 */
	bool is_success_ended_with_zero; /* "+CSCFOTA: 0" after "+CSCFOTA: 3" */
};

/* By name: "strict", "sim7600" (the default), "a7600"; NULL for another one. */
const struct at_profile *at_profile_find(const char *name);
/* All of them, the default first; *count is set. */
const struct at_profile *at_profile_list(size_t *count);

/* ---- commands ---- */

/* How the command runs that a row of a table describes. */
enum at_form {
	AT_ACTION = 1, /* AT+NAME */
	AT_SET = 2,    /* AT+NAME=values; for a basic command also ATE1 and ATE */
	AT_READ = 4,   /* AT+NAME? */
	AT_TEST = 8,   /* AT+NAME=?, answered by the server from `test_text` */
	AT_DIAL = 16,  /* a basic command that takes the rest of the line as it is, and ignores it */
};

enum at_result {
	AT_OK,
	AT_OK_LAST, /* OK, and the rest of the line is dropped */
	AT_ERROR,
	AT_CME,     /* with the number of at_cme */
	AT_PENDING, /* at_complete follows; the port takes no other command until then */
	AT_NO_CARRIER,
};

enum at_kind { AT_UINT, AT_STRING };

/* One value of a command. A value outside the bounds never reaches the handler. */
struct at_param {
	enum at_kind kind;
	bool is_optional;
	uint32_t min, max;     /* of the number, or of the bytes of the string after unescaping */
	uint32_t default_uint; /* of an optional number that is left out */
};

/* A parsed value. */
struct at_arg {
	bool is_given;          /* false: `number` is the default, `text` is empty */
	uint32_t number;        /* AT_UINT */
	struct fota_bytes text; /* AT_STRING, unescaped; valid inside the handler only */
	uint16_t raw_len;       /* private */
};

struct at_server;
struct at_command;

/* One run of a command. Borrowed for the handler. */
struct at_call {
	const struct at_command *cmd;
	void *ctx; /* of the table */
	enum at_form form;
	const struct at_arg *args; /* SET: cmd->param_count values; else none */
};

/* A row of a table; constant data. Basic commands are "E", "&F", S registers "S3",
 * extended ones begin with one of + # $ * ^ % _. Names are in upper case. */
struct at_command {
	const char *name;
	uint8_t forms;       /* enum at_form, or-ed */
	uint8_t param_count; /* at most AT_ARG_MAX */
	uint8_t tag;         /* for the handler, so that one serves several rows */
	uint16_t value_cme;  /* of values that break `params`; 0: plain ERROR */
	const struct at_param *params;
	const char *test_text; /* after "+NAME: "; NULL: the answer is OK alone */
	/* Runs forms ACTION, SET and READ. May call at_info_*, at_cme, at_get_*,
	 * at_urc (which waits until the line has ended) and at_set_value. */
	enum at_result (*run)(struct at_server *at, const struct at_call *call);
	/* NULL: cannot be aborted. Else called when a character aborts the pending
	 * command, or by at_reset: it must stop the work, and at_complete must not
	 * follow. May call what `run` may. */
	void (*abort)(struct at_server *at, const struct at_call *call);
};

/* Rows and what their handlers get. The first table with a name wins. */
struct at_table {
	const struct at_command *rows;
	size_t count;
	void *ctx;
};

/* E V Q X Z &F &V I S3 S4 S5 &C &D, +GMI +GMM +GMR +GSN +GOI +GCAP, +CGMI +CGMM +CGMR +CGSN
 * +CMEE +CLAC. */
struct at_table at_basic_table(void);

/* ---- the server ---- */

/* Keeps *cfg and what it names until the last use of the server. */
struct at_cfg {
	/* Takes the bytes of an answer, in small pieces: collect them. What it cannot
	 * take is its loss. Must not call the server. */
	void (*write)(void *ctx, const uint8_t *bytes, size_t len);
	void *write_ctx;
	const struct at_profile *profile; /* NULL: the default */
	const struct at_table *tables;
	size_t table_count;
	const struct fota_identity *identity;
	uint32_t port; /* a number that names the port; origin of its sessions */
	/* From a final result to an unsolicited one that comes in behind it, for hosts that read an
	 * answer in one piece; 0: none. */
	uint32_t pause_ms;
};

enum at_urc_class {
	AT_URC_PROGRESS, /* the oldest of them goes when the queue is full */
	AT_URC_RESULT,   /* is never thrown out once it is in the queue */
};

struct at_stats {
	uint32_t long_line_count;    /* lines that did not fit */
	uint32_t dropped_byte_count; /* input that arrived while a command was pending, beyond the room */
	uint32_t lost_urc_count;     /* thrown out of the full queue, or not taken */
	uint32_t aborted_count;      /* commands */
	uint32_t dropped_line_count; /* left incomplete */
	uint32_t reset_count;        /* calls of at_reset */
};

struct at_server {
	/* private */
	const struct at_cfg *cfg;
	const struct at_profile *profile;
	const struct at_command *running; /* the pending command */
	void *running_ctx;
	uint64_t now_ms;    /* the latest time that was told */
	uint64_t char_ms;   /* of the last character */
	uint64_t run_ms;    /* when the line was terminated */
	uint64_t result_ms; /* when the last line had its final result */
	struct at_stats stats;
	uint8_t values[AT_VALUE_COUNT];
	uint8_t state;
	uint8_t running_form;
	bool is_info_begun; /* this command has sent information text */
	bool is_input_lost; /* `input` was too small */
	bool is_lost_ended; /* the last lost byte was a terminator */
	uint16_t cme;
	uint16_t line_len; /* characters received; more than AT_LINE_BYTES: too long */
	uint16_t line_off; /* of the next command */
	uint16_t urc_len;
	uint8_t urc_count;
	uint8_t input_len;
	uint8_t line[AT_LINE_BYTES];
	uint8_t input[AT_INPUT_BYTES];
	uint8_t urc[AT_URC_BYTES];
};

/* Besides the line, a port costs at most 512 bytes of RAM. */
_Static_assert(sizeof(struct at_server) - AT_LINE_BYTES <= 512, "a port takes too much RAM");
_Static_assert(AT_LINE_BYTES >= 80 && AT_LINE_BYTES < UINT16_MAX, "V.250 5.2.1: at least 80 characters");

/* Makes *at ready, with the values of the profile. Writes nothing. OK, or CONTRACT
 * if the configuration lacks sink, tables or identity, or a row has no handler or too many
 * values. */
FOTA_MUST_CHECK enum fota_err at_init(struct at_server *at, const struct at_cfg *cfg);

/* Another host on the same port (a connection was closed): settings, line, A/
 * memory and waiting unsolicited results go, the counters stay. A pending command is
 * aborted; of one that has no `abort` the caller must not report the end any more. */
void at_reset(struct at_server *at);

/* The host went away, and the next one goes on with its settings (a terminal was closed): a line
 * that was not ended does not become the beginning of the next one. Results that waited for it
 * leave with the next at_tick. */
void at_drop_line(struct at_server *at);

/* Characters from the host. Answers and handlers run inside this call. `now_ms`
 * never goes back; it is the time when the last of the bytes was received. */
void at_feed(struct at_server *at, const uint8_t *bytes, size_t len, uint64_t now_ms);

/* Lets time pass. Call it when at_next_ms is over. */
void at_tick(struct at_server *at, uint64_t now_ms);

/* Milliseconds until at_tick has something to do; UINT32_MAX: nothing. */
uint32_t at_next_ms(const struct at_server *at, uint64_t now_ms);

/* Ends the command that returned PENDING, with any other result; information text
 * may be sent before. Goes on with the line and with what was kept. No effect if no
 * command is pending. Not from inside a handler. */
void at_complete(struct at_server *at, enum at_result result, uint64_t now_ms);

/* An unsolicited result: `text` without framing, 1 to AT_URC_TEXT_BYTES bytes. Sent
 * at once if the port is idle; by at_tick if a final result was sent less than
 * pause_ms ago; else after the line that runs or is being typed, in
 * order. At most AT_TYPING_MS after the last typed character it no longer waits. With
 * Q1 it is dropped when its turn comes. False if it was not taken (counted). */
bool at_urc(struct at_server *at, enum at_urc_class urc_class, struct fota_bytes text);

void at_get_stats(const struct at_server *at, struct at_stats *stats);
const struct at_cfg *at_get_cfg(const struct at_server *at);
const struct at_profile *at_get_profile(const struct at_server *at);
uint8_t at_get_value(const struct at_server *at, enum at_value value);
void at_set_value(struct at_server *at, enum at_value value, uint8_t number);
/* The values of the profile. */
void at_restore_values(struct at_server *at);

/* ---- for handlers ---- */

/* Information text: begin, any number of pieces, end; that makes one line. Framing
 * is that of V.250 6.2.6 with the settings in force now; several lines of one command
 * make one block. Quoted writes what AT reads back: '"', '\' and control characters
 * as \HH. */
void at_info_begin(struct at_server *at);
void at_info_text(struct at_server *at, const char *text);
void at_info_bytes(struct at_server *at, struct fota_bytes bytes);
void at_info_uint(struct at_server *at, uint64_t number);
void at_info_quoted(struct at_server *at, struct fota_bytes bytes);
void at_info_end(struct at_server *at);
/* Begin and "+NAME: ". */
void at_info_begin_named(struct at_server *at, const char *name);
/* A whole line. */
void at_info_line(struct at_server *at, const char *text);

/* The result `+CME ERROR` with this number (TS 27.007 9.2, or a FOTA code), or ERROR
 * with CMEE=0. Returns AT_CME, so that a handler ends with `return at_cme(at, n);`. */
enum at_result at_cme(struct at_server *at, unsigned number);
/* Constant text of such a number: TS 27.007 first, then fota/code.h; else "unknown". */
const char *at_cme_text(unsigned number);

#endif
