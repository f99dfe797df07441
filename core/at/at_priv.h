/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the AT server share: edit (characters become a line), line (a
 * line becomes commands), out (answers), urc (the queue), server (time and order). */
#ifndef AT_PRIV_H
#define AT_PRIV_H

#include "fota/at.h"

enum at_state {
	AT_STATE_HUNT,    /* between lines */
	AT_STATE_A,       /* an 'A' was received */
	AT_STATE_BODY,    /* behind the prefix */
	AT_STATE_RUNNING, /* a line runs; only seen from inside handlers */
	AT_STATE_WAITING, /* a command is pending */
};

enum { AT_BS = 8, AT_DEL = 127 };

/* at_edit.c */
enum at_edit_event { AT_EDIT_MORE, AT_EDIT_LINE };
/* Takes a character while no line runs; LINE: at->line is to be run now. */
enum at_edit_event at_edit_char(struct at_server *at, uint8_t c);
/* Forgets a line that is being entered, with all that it held. */
void at_edit_drop(struct at_server *at);
/* Makes the line that is being entered one that will be refused as too long. */
void at_edit_damage(struct at_server *at);
bool at_edit_is_typing(const struct at_server *at);

/* at_line.c */
/* Prepares the line that was just entered. */
void at_line_begin(struct at_server *at);
/* Runs the commands that are left; the result of the line, or PENDING. */
enum at_result at_line_run(struct at_server *at);
/* The row of a name in any case, or NULL; *ctx is that of its table. */
const struct at_command *at_line_find(const struct at_server *at, struct fota_bytes name, void **ctx);

/* at_out.c */
void at_out_bytes(struct at_server *at, const void *bytes, size_t len);
void at_out_char(struct at_server *at, uint8_t c);
/* The final result of a line. */
void at_out_result(struct at_server *at, enum at_result result);
/* A result in words: an unsolicited one, or +CME ERROR. */
void at_out_words(struct at_server *at, struct fota_bytes text);

#define AT_UINT_DIGITS 20u
/* Writes the decimal digits, without a final 0; their count. */
size_t at_out_format(char digits[AT_UINT_DIGITS], uint64_t number);

/* How a string constant shows a character: itself, or \HH; its length. */
bool at_out_is_escaped(uint8_t c);
size_t at_out_escape(char text[3], uint8_t c);

/* at_basic.c */
/* The lines Manufacturer, Model, Revision and IMEI of ATI. */
void at_show_identity(struct at_server *at);
/* OK: what a byte stream, or a module without calls, does not have. */
enum at_result at_run_nothing(struct at_server *at, const struct at_call *call);
/* Shows or sets an S register; the row's tag is the value. */
enum at_result at_run_register(struct at_server *at, const struct at_call *call);

/* at_server.c */
/* Between lines, and the last final result is long enough ago. */
bool at_is_idle(const struct at_server *at);

/* at_urc.c */
void at_urc_flush(struct at_server *at);

#endif
