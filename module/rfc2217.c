/* SPDX-License-Identifier: Apache-2.0 */
/* Telnet (RFC 854, 856, 858) as far as RFC 2217 needs it. The client begins: options
 * are agreed to when it asks. ECHO is agreed to because clients ask for it, and means
 * the echo of the AT server. Data is never translated, with or without BINARY: CR and
 * NUL pass as they are, since clients of serial lines do not translate either.
 *
 * An answer is as long as its question, but for the signature and states that a
 * question causes; RFC2217_REPLY_MAX is enough for RFC2217_TAKE_MAX bytes, shown by a test. */
#include "rfc2217.h"

#include <string.h>

enum telnet {
	SE = 240,
	SB = 250,
	WILL = 251,
	WONT = 252,
	DO = 253,
	DONT = 254,
	IAC = 255,
};

enum state { DATA, COMMAND, OPTION, SUB, SUB_COMMAND };

#define COM_PORT     44
#define SERVER       100 /* between the number of a question and that of its answer */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LINE_EMPTY  0x60 /* both transmitters are empty */
#define MODEM_READY 0x30 /* DSR and CTS */
#define MODEM_NEW   0x03 /* both have changed */

static const uint8_t options[RFC2217_OPTIONS] = { 0 /* BINARY */, 1 /* ECHO */, 3 /* SGA */, COM_PORT };

void rfc2217_init(struct rfc2217 *it)
{
	memset(it, 0, sizeof(*it));
	it->baud = 115200;
	memcpy(it->settings, (const uint8_t[]) { 8, 1, 1 }, 3);
	memcpy(it->controls, (const uint8_t[]) { 1, 6, 8, 11, 14 }, 5); /* no flow control, no break, DTR, RTS */
	it->modem_mask = 0xff;
}

/* ---- answers ---- */

static void reply(struct rfc2217 *it, const uint8_t *bytes, size_t len)
{
	if (len > sizeof(it->replies) - it->reply_len) { return; }
	memcpy(it->replies + it->reply_len, bytes, len);
	it->reply_len += len;
}

static void reply_option(struct rfc2217 *it, uint8_t verb, uint8_t option)
{
	reply(it, (const uint8_t[]) { IAC, verb, option }, 3);
}

static void reply_sub(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	size_t taken, escaped_len;
	uint8_t escaped[2 * RFC2217_SUB_MAX];

	escaped_len = rfc2217_escape(escaped, sizeof(escaped), value, len, &taken);
	reply(it, (const uint8_t[]) { IAC, SB, COM_PORT, (uint8_t)(command + SERVER) }, 4);
	reply(it, escaped, escaped_len);
	reply(it, (const uint8_t[]) { IAC, SE }, 2);
}

static void reply_value(struct rfc2217 *it, uint8_t command, uint8_t value)
{
	reply_sub(it, command, &value, 1);
}

/* ---- options ---- */

/* The four verbs mirrored: whose state it is, and what is answered. */
static const struct {
	uint8_t verb, yes, no;
	bool is_ours, is_on;
} verbs[] = {
	{ DO, WILL, WONT, true, true },
	{ DONT, WONT, WONT, true, false },
	{ WILL, DO, DONT, false, true },
	{ WONT, DONT, DONT, false, false },
};

static uint8_t bit_of(uint8_t option)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		if (options[i] == option) { return (uint8_t)(1u << i); }
	}
	return 0;
}

enum { MODEM_STATE = 7 };

/* RFC 854: what is in force already is not answered, so that nobody answers for ever. */
static void negotiate(struct rfc2217 *it, uint8_t verb, uint8_t option)
{
	const size_t row = (size_t)(verb == DO ? 0 : verb == DONT ? 1 : verb == WILL ? 2 : 3);
	uint8_t bit = bit_of(option);
	uint8_t *set = verbs[row].is_ours ? &it->us : &it->him;

	if (bit == 0) {
		if (verbs[row].is_on) { reply_option(it, verbs[row].no, option); }
		return;
	}
	if (!!(*set & bit) == verbs[row].is_on) { return; }
	*set ^= bit;
	reply_option(it, verbs[row].yes, option);
	if (option == COM_PORT && verb == WILL) { reply_value(it, MODEM_STATE, MODEM_READY | MODEM_NEW); }
}

/* ---- questions of the COM port option ---- */

static void set_signature(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	(void)value;
	if (len == 0) { reply_sub(it, command, (const uint8_t *)"atfotad", 7); }
}

static void set_baud(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	uint32_t baud;
	uint8_t answer[4];

	if (len != 4) { return; }
	baud = (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 | value[3];
	if (baud) { it->baud = baud; }
	for (size_t i = 0; i < 4; i++) {
		answer[i] = (uint8_t)(it->baud >> (24 - 8 * i));
	}
	reply_sub(it, command, answer, 4);
}

/* Data size 5 to 8, parity 1 to 5, stop size 1 to 3; 0 asks. */
static void set_setting(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	static const struct {
		uint8_t min, max;
	} ranges[] = { { 5, 8 }, { 1, 5 }, { 1, 3 } };
	size_t at = command - 2u;

	if (len != 1) { return; }
	if (value[0] >= ranges[at].min && value[0] <= ranges[at].max) { it->settings[at] = value[0]; }
	reply_value(it, command, it->settings[at]);
}

/* Groups of SET-CONTROL, each with the number that asks in front: flow control out (with
 * 17 and 19), break, DTR, RTS, flow control in (with 18). */
static void set_control(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	static const uint8_t groups[] = { 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 0, 4, 0 };
	static const uint8_t questions[] = { 0, 4, 7, 10, 13 };
	uint8_t group;

	if (len != 1 || value[0] >= COUNT(groups)) { return; }
	group = groups[value[0]];
	if (value[0] != questions[group]) { it->controls[group] = value[0]; }
	reply_value(it, command, it->controls[group]);
}

static void tell_line_state(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	(void)value;
	(void)len;
	reply_value(it, command, LINE_EMPTY);
}

static void tell_modem_state(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	(void)value;
	(void)len;
	reply_value(it, command, MODEM_READY);
}

static void suspend(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	(void)value;
	(void)len;
	it->is_suspended = command == 8;
}

/* A new mask tells the state, as far as it is wanted. */
static void set_line_mask(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	if (len != 1) { return; }
	it->line_mask = value[0];
	reply_value(it, command, it->line_mask);
	if (it->line_mask & LINE_EMPTY) { reply_value(it, 6, LINE_EMPTY & it->line_mask); }
}

static void set_modem_mask(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	if (len != 1) { return; }
	it->modem_mask = value[0];
	reply_value(it, command, it->modem_mask);
	if (it->modem_mask & MODEM_READY) { reply_value(it, MODEM_STATE, MODEM_READY & it->modem_mask); }
}

/* 1 what waits for the client, 2 what the client sent (taken at once, nothing waits), 3 both. */
static void purge(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len)
{
	if (len != 1 || value[0] < 1 || value[0] > 3) { return; }
	if (value[0] & 1) { it->is_purged = true; }
	reply_value(it, command, value[0]);
}

static void (*const questions[])(struct rfc2217 *it, uint8_t command, const uint8_t *value, size_t len) = {
	set_signature,    set_baud, set_setting, set_setting,   set_setting,    set_control, tell_line_state,
	tell_modem_state, suspend,  suspend,     set_line_mask, set_modem_mask, purge,
};

static void end_sub(struct rfc2217 *it)
{
	if (it->sub_len < 2 || it->sub[0] != COM_PORT || it->sub[1] >= COUNT(questions)) { return; }
	questions[it->sub[1]](it, it->sub[1], it->sub + 2, it->sub_len - 2u);
}

/* ---- bytes ---- */

static void take_command(struct rfc2217 *it, uint8_t c)
{
	it->state = c >= WILL && c < IAC ? OPTION : DATA;
	if (c == SB) {
		it->state = SUB;
		it->sub_len = 0;
	}
	it->command = c;
}

static void take_sub(struct rfc2217 *it, uint8_t c)
{
	if (it->sub_len < RFC2217_SUB_MAX) { it->sub[it->sub_len++] = c; }
	it->state = SUB;
}

/* IAC IAC is an octet of the value; IAC SE is the end; anything else ends it as well
 * and is a command of its own. */
static void take_sub_command(struct rfc2217 *it, uint8_t c)
{
	if (c == IAC) {
		take_sub(it, c);
	} else if (c == SE) {
		it->state = DATA;
		end_sub(it);
	} else {
		take_command(it, c);
	}
}

/* True if the byte is data. */
static bool take_byte(struct rfc2217 *it, uint8_t c)
{
	switch ((enum state)it->state) {
	case DATA:
		if (c != IAC) { return true; }
		it->state = COMMAND;
		return false;
	case COMMAND:
		take_command(it, c);
		return c == IAC;
	case OPTION:
		it->state = DATA;
		negotiate(it, it->command, c);
		return false;
	case SUB:
		if (c == IAC) {
			it->state = SUB_COMMAND;
		} else {
			take_sub(it, c);
		}
		return false;
	case SUB_COMMAND:
		take_sub_command(it, c);
		return false;
	}
	return false;
}

size_t rfc2217_take(struct rfc2217 *it, uint8_t *bytes, size_t len)
{
	size_t data_len = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = bytes[i];

		if (take_byte(it, c)) { bytes[data_len++] = c; }
	}
	return data_len;
}

bool rfc2217_has_replies(const struct rfc2217 *it)
{
	return it->reply_len > 0;
}

size_t rfc2217_get_replies(struct rfc2217 *it, uint8_t *to, size_t cap)
{
	size_t len = it->reply_len < cap ? it->reply_len : cap;

	memcpy(to, it->replies, len);
	memmove(it->replies, it->replies + len, it->reply_len - len);
	it->reply_len -= len;
	return len;
}

size_t rfc2217_escape(uint8_t *to, size_t cap, const uint8_t *from, size_t len, size_t *taken)
{
	size_t out = 0;

	for (*taken = 0; *taken < len; (*taken)++) {
		uint8_t c = from[*taken];
		size_t needed = c == IAC ? 2 : 1;

		if (needed > cap - out) { break; }
		to[out++] = c;
		if (c == IAC) { to[out++] = c; }
	}
	return out;
}

bool rfc2217_is_suspended(const struct rfc2217 *it)
{
	return it->is_suspended;
}

bool rfc2217_get_purge(struct rfc2217 *it)
{
	bool is_purged = it->is_purged;

	it->is_purged = false;
	return is_purged;
}
