/* SPDX-License-Identifier: Apache-2.0 */
/* The line editor (V.250 5.2): finds the prefix, edits and echoes the body.
 *
 * `line_len` counts what was entered, also beyond the room, so that a host that
 * deletes the surplus gets its line back; what was not stored is never run, because
 * a line longer than the room is refused as a whole.
 *
 * The body stays after its run, for A/. The next prefix wipes it first: the line
 * may hold a product secret. Noise in front of a prefix and control characters are
 * not echoed (V.250 5.2.3 leaves it open). */
#include "at/at_priv.h"

static void echo(struct at_server *at, const void *bytes, size_t len)
{
	if (at->values[AT_VALUE_E]) { at_out_bytes(at, bytes, len); }
}

static void wipe_line(struct at_server *at)
{
	memset(at->line, 0, at->line_len < AT_LINE_BYTES ? at->line_len : AT_LINE_BYTES);
	at->line_len = 0;
}

static bool is_letter(uint8_t c, char upper)
{
	return c == (uint8_t)upper || c == (uint8_t)(upper | 0x20);
}

static enum at_edit_event hunt(struct at_server *at, uint8_t c)
{
	if (c != at->values[AT_VALUE_S3] && is_letter(c, 'A')) {
		echo(at, &c, 1);
		at->state = AT_STATE_A;
	} else {
		at->state = AT_STATE_HUNT;
	}
	return AT_EDIT_MORE;
}

static enum at_edit_event after_a(struct at_server *at, uint8_t c)
{
	if (c == at->values[AT_VALUE_S3]) {
		at->state = AT_STATE_HUNT;
	} else if (is_letter(c, 'T')) {
		echo(at, &c, 1);
		wipe_line(at);
		at->state = AT_STATE_BODY;
	} else if (c == '/') {
		echo(at, &c, 1);
		return AT_EDIT_LINE; /* the line before is still there */
	} else {
		return hunt(at, c);
	}
	return AT_EDIT_MORE;
}

static void delete_last(struct at_server *at)
{
	static const uint8_t rub_out[] = { AT_BS, ' ', AT_BS };

	/* At UINT16_MAX the count is no longer known: the line stays too long. */
	if (at->line_len == 0 || at->line_len == UINT16_MAX) { return; }
	at->line_len--;
	if (at->line_len < AT_LINE_BYTES) { at->line[at->line_len] = 0; }
	echo(at, rub_out, sizeof(rub_out));
}

static void append(struct at_server *at, uint8_t c)
{
	if (at->line_len < AT_LINE_BYTES) { at->line[at->line_len] = c; }
	if (at->line_len < UINT16_MAX) { at->line_len++; }
	echo(at, &c, 1);
}

/* The order of the checks is that of V.250 5.2.2: S3, S5, the rest. */
static enum at_edit_event body(struct at_server *at, uint8_t c)
{
	if (c == at->values[AT_VALUE_S3]) {
		echo(at, &c, 1);
		return AT_EDIT_LINE;
	}
	if (c == at->values[AT_VALUE_S5] || (c == AT_DEL && at->profile->is_del_editing)) {
		delete_last(at);
	} else if (c >= ' ') {
		append(at, c);
	}
	return AT_EDIT_MORE;
}

enum at_edit_event at_edit_char(struct at_server *at, uint8_t c)
{
	switch (at->state) {
	case AT_STATE_A:
		return after_a(at, c);
	case AT_STATE_BODY:
		return body(at, c);
	default:
		return hunt(at, c);
	}
}

bool at_edit_is_typing(const struct at_server *at)
{
	return at->state == AT_STATE_A || at->state == AT_STATE_BODY;
}

void at_edit_drop(struct at_server *at)
{
	if (at->state == AT_STATE_BODY) { wipe_line(at); }
	at->state = AT_STATE_HUNT;
}

void at_edit_damage(struct at_server *at)
{
	wipe_line(at);
	at->state = AT_STATE_BODY;
	at->line_len = UINT16_MAX;
}
