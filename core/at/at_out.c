/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: framing by V, S3 and S4 as they are when it is sent (V.250 5.7, 6.2.6).
 *
 *                        V1                    V0
 *   information text     CR LF text CR LF      text CR LF
 *   result               CR LF word CR LF      digit CR
 *   result in words      CR LF text CR LF      text CR        (+CME ERROR, unsolicited)
 *
 * Several lines of information text of one command are one block with one header,
 * as SIMCom's modules send it. */
#include "at/at_priv.h"

#include "fota/code.h"

void at_out_bytes(struct at_server *at, const void *bytes, size_t len)
{
	at->cfg->write(at->cfg->write_ctx, bytes, len);
}

void at_out_char(struct at_server *at, uint8_t c)
{
	at_out_bytes(at, &c, 1);
}

static void out_text(struct at_server *at, const char *text)
{
	at_out_bytes(at, text, strlen(text));
}

static void out_line_end(struct at_server *at)
{
	at_out_char(at, at->values[AT_VALUE_S3]);
	at_out_char(at, at->values[AT_VALUE_S4]);
}

static void out_header(struct at_server *at)
{
	if (at->values[AT_VALUE_V]) { out_line_end(at); }
}

static void out_trailer(struct at_server *at)
{
	at_out_char(at, at->values[AT_VALUE_S3]);
	if (at->values[AT_VALUE_V]) { at_out_char(at, at->values[AT_VALUE_S4]); }
}

/* ---- information text ---- */

void at_info_begin(struct at_server *at)
{
	if (!at->is_info_begun) { out_header(at); }
	at->is_info_begun = true;
}

void at_info_begin_named(struct at_server *at, const char *name)
{
	at_info_begin(at);
	out_text(at, name);
	out_text(at, ": ");
}

void at_info_end(struct at_server *at)
{
	out_line_end(at);
}

void at_info_text(struct at_server *at, const char *text)
{
	out_text(at, text);
}

void at_info_bytes(struct at_server *at, struct fota_bytes bytes)
{
	at_out_bytes(at, bytes.ptr, bytes.len);
}

void at_info_line(struct at_server *at, const char *text)
{
	at_info_begin(at);
	out_text(at, text);
	at_info_end(at);
}

/* Digits first to last; at most 20, the length of UINT64_MAX. */
size_t at_out_format(char digits[AT_UINT_DIGITS], uint64_t number)
{
	char reversed[AT_UINT_DIGITS];
	size_t len = 0;

	do {
		reversed[len++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < len; i++) {
		digits[i] = reversed[len - 1 - i];
	}
	return len;
}

void at_info_uint(struct at_server *at, uint64_t number)
{
	char digits[AT_UINT_DIGITS];

	at_out_bytes(at, digits, at_out_format(digits, number));
}

bool at_out_is_escaped(uint8_t c)
{
	return c < ' ' || c == '"' || c == '\\' || c == AT_DEL;
}

size_t at_out_escape(char text[3], uint8_t c)
{
	static const char hex[] = "0123456789ABCDEF";

	text[0] = (char)c;
	if (!at_out_is_escaped(c)) { return 1; }
	text[0] = '\\';
	text[1] = hex[c >> 4];
	text[2] = hex[c & 15];
	return 3;
}

void at_info_quoted(struct at_server *at, struct fota_bytes bytes)
{
	at_out_char(at, '"');
	for (size_t i = 0; i < bytes.len; i++) {
		char text[3];

		at_out_bytes(at, text, at_out_escape(text, bytes.ptr[i]));
	}
	at_out_char(at, '"');
}

/* ---- results ---- */

static const struct {
	uint8_t number;
	const char *text;
} cme_texts[] = {
	/* TS 27.007 9.2.1 and 9.2.2 */
	{ 0, "phone failure" },
	{ 3, "operation not allowed" },
	{ 4, "operation not supported" },
	{ 10, "SIM not inserted" },
	{ 13, "SIM failure" },
	{ 14, "SIM busy" },
	{ 20, "memory full" },
	{ 21, "invalid index" },
	{ 22, "not found" },
	{ 23, "memory failure" },
	{ 24, "text string too long" },
	{ 25, "invalid characters in text string" },
	{ 30, "no network service" },
	{ 31, "network timeout" },
	{ 50, "incorrect parameters" },
	{ 51, "command implemented but currently disabled" },
	{ 52, "command aborted by user" },
	{ 100, "unknown" },
};

const char *at_cme_text(unsigned number)
{
	const struct fota_code_info *code;

	for (size_t i = 0; i < sizeof(cme_texts) / sizeof(cme_texts[0]); i++) {
		if (cme_texts[i].number == number) { return cme_texts[i].text; }
	}
	code = fota_code_find((int)number);
	return code ? code->text : "unknown";
}

enum at_result at_cme(struct at_server *at, unsigned number)
{
	at->cme = (uint16_t)number;
	return AT_CME;
}

void at_out_words(struct at_server *at, struct fota_bytes text)
{
	out_header(at);
	at_out_bytes(at, text.ptr, text.len);
	out_trailer(at);
}

static void out_cme(struct at_server *at)
{
	out_header(at);
	out_text(at, "+CME ERROR: ");
	if (at->values[AT_VALUE_CMEE] == 1) {
		at_info_uint(at, at->cme);
	} else {
		out_text(at, at_cme_text(at->cme));
	}
	out_trailer(at);
}

/* By enum at_result; PENDING is none. */
static const struct {
	const char *word, *digit;
} results[] = {
	[AT_OK] = { "OK", "0" },
	[AT_OK_LAST] = { "OK", "0" },
	[AT_ERROR] = { "ERROR", "4" },
	[AT_CME] = { "ERROR", "4" },
	[AT_NO_CARRIER] = { "NO CARRIER", "3" },
};

void at_out_result(struct at_server *at, enum at_result result)
{
	if (at->values[AT_VALUE_Q]) { return; }
	if (result == AT_CME && at->values[AT_VALUE_CMEE] != 0) {
		out_cme(at);
		return;
	}
	out_header(at);
	out_text(at, at->values[AT_VALUE_V] ? results[result].word : results[result].digit);
	out_trailer(at);
}
