/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an AT line as a host sees it: splitting what a module sends into
 * lines, telling final results from other lines, writing string parameters
 * (ITU-T V.250, 3GPP TS 27.007). Pure: no I/O, no heap, no globals. */
#ifndef TOOL_AT_TEXT_H
#define TOOL_AT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2041 characters is the longest information text of TS 27.007. */
#define AT_LINE_MAX_BYTES 2048u
/* AT+CSCFOTA with five parameters of full length and each octet escaped. */
#define AT_COMMAND_MAX_BYTES 1280u

struct at_reader {
	char line[AT_LINE_MAX_BYTES + 1];
	size_t len;
};

void at_reader_init(struct at_reader *reader);

/* Takes one byte. True when a line that is not empty has ended: reader->line is
 * then its text, valid until the next byte. Lines end at CR and at LF. Other control
 * characters, and noise in front of the first visible character, are dropped. Of a
 * line that is too long the beginning is given. */
bool at_reader_feed(struct at_reader *reader, uint8_t byte);

enum at_final {
	AT_FINAL_NONE, /* not a final result */
	AT_FINAL_OK,
	AT_FINAL_ERROR,
	AT_FINAL_CME,     /* +CME ERROR or +CMS ERROR */
	AT_FINAL_CONNECT, /* the port leaves command mode */
	AT_FINAL_NO_CARRIER,
};

/* What kind of final result a line is. `number` gets the number of +CME ERROR, or -1
 * if there is none; it may be NULL. */
enum at_final at_final_of(const char *line, int *number);

struct at_command {
	char text[AT_COMMAND_MAX_BYTES + 1]; /* without the terminator */
	size_t len;
	bool is_full; /* something did not fit; the text is of no use */
};

void at_command_init(struct at_command *command, const char *text);
void at_command_add(struct at_command *command, const char *text);
/* Adds a string constant with its quotes. Quote, backslash and control characters go
 * as backslash and two hex digits (V.250 5.4.2.2). */
void at_command_add_string(struct at_command *command, const char *value);

/* Overwrites with '*' whatever `text` has in common with `secret`: each piece of 8
 * bytes or more, so that an echo which was damaged on its way tells nothing either.
 * A secret with characters that the line escapes is found in both forms. */
void at_mask(char *text, const char *secret);

#endif
