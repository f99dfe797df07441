/* SPDX-License-Identifier: Apache-2.0 */
/* Everything here is a function of its arguments. Lines are C strings: a NUL has no
 * meaning in an answer and is dropped as noise on the way in. */
#include "at_text.h"

#include <stdio.h>
#include <string.h>

/* Shorter pieces of a secret give nothing away and would hide ordinary text. */
#define MASK_MIN_BYTES 8u

void at_reader_init(struct at_reader *reader)
{
	reader->len = 0;
	reader->line[0] = '\0';
}

static bool is_noise(const struct at_reader *reader, uint8_t byte)
{
	if (byte < 0x20 || byte == 0x7f) { return true; }
	return reader->len == 0 && (byte == ' ' || byte >= 0x80);
}

bool at_reader_feed(struct at_reader *reader, uint8_t byte)
{
	if (byte == '\r' || byte == '\n') {
		bool is_line = reader->len > 0;

		reader->line[reader->len] = '\0';
		reader->len = 0;
		return is_line;
	}
	if (is_noise(reader, byte) || reader->len == AT_LINE_MAX_BYTES) { return false; }
	reader->line[reader->len++] = (char)byte;
	return false;
}

struct final_row {
	const char *text;
	bool is_prefix;
	enum at_final final;
};

static const struct final_row final_rows[] = {
	{ "OK", false, AT_FINAL_OK },
	{ "ERROR", false, AT_FINAL_ERROR },
	{ "+CME ERROR:", true, AT_FINAL_CME },
	{ "+CMS ERROR:", true, AT_FINAL_CME },
	{ "CONNECT", true, AT_FINAL_CONNECT },
	{ "NO CARRIER", false, AT_FINAL_NO_CARRIER },
	{ "NO DIALTONE", false, AT_FINAL_NO_CARRIER },
	{ "NO ANSWER", false, AT_FINAL_NO_CARRIER },
	{ "BUSY", false, AT_FINAL_NO_CARRIER },
};

static bool is_row(const struct final_row *row, const char *line)
{
	size_t len = strlen(row->text);

	if (strncmp(line, row->text, len) != 0) { return false; }
	return row->is_prefix || line[len] == '\0';
}

/* Digits up to 2^63; no sign, no blank inside. Moves *text behind them. */
static bool read_number(const char **text, uint64_t *number)
{
	const char *at = *text;

	*number = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (*number > UINT64_MAX / 32) { return false; }
		*number = *number * 10 + (uint64_t)(*at - '0');
	}
	if (at == *text) { return false; }
	*text = at;
	return true;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " ");
}

static int cme_number(const char *line)
{
	const char *at = skip_blanks(strchr(line, ':') + 1);
	uint64_t number;

	if (!read_number(&at, &number) || *skip_blanks(at) != '\0' || number > 9999) { return -1; }
	return (int)number;
}

enum at_final at_final_of(const char *line, int *number)
{
	if (number) { *number = -1; }
	for (size_t i = 0; i < sizeof final_rows / sizeof *final_rows; i++) {
		if (!is_row(&final_rows[i], line)) { continue; }
		if (number && final_rows[i].final == AT_FINAL_CME) { *number = cme_number(line); }
		return final_rows[i].final;
	}
	return AT_FINAL_NONE;
}

void at_command_init(struct at_command *command, const char *text)
{
	*command = (struct at_command) { 0 };
	at_command_add(command, text);
}

static void add_bytes(struct at_command *command, const char *bytes, size_t len)
{
	if (len > AT_COMMAND_MAX_BYTES - command->len) {
		command->is_full = true;
		return;
	}
	memcpy(command->text + command->len, bytes, len);
	command->len += len;
	command->text[command->len] = '\0';
}

void at_command_add(struct at_command *command, const char *text)
{
	add_bytes(command, text, strlen(text));
}

void at_command_add_string(struct at_command *command, const char *value)
{
	at_command_add(command, "\"");
	for (const char *at = value; *at; at++) {
		unsigned char byte = (unsigned char)*at;
		char escape[4];

		if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
			add_bytes(command, at, 1);
			continue;
		}
		snprintf(escape, sizeof escape, "\\%02X", byte);
		at_command_add(command, escape);
	}
	at_command_add(command, "\"");
}

/* How many bytes at `text` are a piece of `secret`: the longest such piece. */
static size_t common_len(const char *text, const char *secret)
{
	size_t best = 0;

	for (const char *start = secret; *start; start++) {
		size_t len = 0;

		while (text[len] != '\0' && text[len] == start[len]) {
			len++;
		}
		best = len > best ? len : best;
	}
	return best;
}

static void mask_form(char *text, const char *secret)
{
	size_t limit = strlen(secret) < MASK_MIN_BYTES ? strlen(secret) : MASK_MIN_BYTES;

	if (limit == 0) { return; }
	while (*text) {
		size_t len = common_len(text, secret);

		if (len < limit) {
			text++;
			continue;
		}
		memset(text, '*', len);
		text += len;
	}
}

void at_mask(char *text, const char *secret)
{
	struct at_command escaped;

	mask_form(text, secret);
	at_command_init(&escaped, "");
	at_command_add_string(&escaped, secret);
	escaped.text[escaped.len - 1] = '\0'; /* the quotes may be shown */
	mask_form(text, escaped.text + 1);
	explicit_bzero(&escaped, sizeof escaped);
}
