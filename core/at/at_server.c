/* SPDX-License-Identifier: Apache-2.0 */
/* One port: time, order, and what happens while a command is pending.
 *
 * What arrives then either aborts the command or is kept for later, without echo; the
 * echo comes when its turn comes, so that it never stands inside an answer. If
 * the room is not enough, the line in which bytes were lost must not run as if it were
 * whole: it is answered with ERROR once.
 *
 * Unsolicited results leave at four points only: when they come in while the port is
 * idle; behind a final result, if they waited for it; cfg->pause_ms behind it, if they came
 * within that pause; and when a line has seen no character for a while. The pause is for
 * hosts that read an answer in one piece and would take a code that stands right behind OK for
 * a part of it. It holds nothing back that waited before, so that a host that asks without end
 * still hears them. */
#include "at/at_priv.h"

static void set_now(struct at_server *at, uint64_t now_ms)
{
	if (now_ms > at->now_ms) { at->now_ms = now_ms; }
}

static uint64_t since(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* What is left of the pause behind a final result. */
static uint32_t pause_ms(const struct at_server *at, uint64_t now_ms)
{
	uint64_t passed_ms = since(now_ms, at->result_ms);

	return passed_ms < at->cfg->pause_ms ? (uint32_t)(at->cfg->pause_ms - passed_ms) : 0;
}

bool at_is_idle(const struct at_server *at)
{
	return at->state == AT_STATE_HUNT && pause_ms(at, at->now_ms) == 0;
}

/* ---- running a line ---- */

/* The line has its result, or waits for it. */
static void settle(struct at_server *at, enum at_result result)
{
	if (result == AT_PENDING) {
		at->state = AT_STATE_WAITING;
		return;
	}
	at_out_result(at, result);
	at->state = AT_STATE_HUNT;
	at->result_ms = at->now_ms;
	at_urc_flush(at);
}

static void run(struct at_server *at)
{
	at->state = AT_STATE_RUNNING;
	at->run_ms = at->now_ms;
	at_line_begin(at);
	settle(at, at_line_run(at));
}

static void edit(struct at_server *at, uint8_t c)
{
	if (at_edit_char(at, c) == AT_EDIT_LINE) { run(at); }
}

/* ---- while a command is pending ---- */

/* A character that cannot be kept. Control characters would be ignored anyway, such
 * as the LF of CR LF. Once something is lost all that follows is lost too, for
 * it would be joined to the wrong place. */
static void lose(struct at_server *at, uint8_t c)
{
	bool is_end = c == at->values[AT_VALUE_S3];

	if (c < ' ' && !is_end) { return; }
	at->is_input_lost = true;
	at->is_lost_ended = is_end;
	at->stats.dropped_byte_count++;
}

static void keep(struct at_server *at, uint8_t c)
{
	if (at->is_input_lost || at->input_len == AT_INPUT_BYTES) {
		lose(at, c);
	} else {
		at->input[at->input_len++] = c;
	}
}

static void feed_kept(struct at_server *at)
{
	uint8_t done = 0;

	while (done < at->input_len && at->state != AT_STATE_WAITING) {
		edit(at, at->input[done++]);
	}
	memmove(at->input, at->input + done, (size_t)(at->input_len - done));
	memset(at->input + at->input_len - done, 0, done);
	at->input_len = (uint8_t)(at->input_len - done);
}

static void drain(struct at_server *at)
{
	feed_kept(at);
	if (at->state == AT_STATE_WAITING || !at->is_input_lost) { return; }
	at->is_input_lost = false;
	at_edit_damage(at);
	if (at->is_lost_ended) { edit(at, at->values[AT_VALUE_S3]); }
}

static void call_abort(struct at_server *at)
{
	const struct at_command *cmd = at->running;
	struct at_call call = { cmd, at->running_ctx, (enum at_form)at->running_form, NULL };

	at->running = NULL;
	cmd->abort(at, &call);
}

static void abort_running(struct at_server *at)
{
	at->stats.aborted_count++;
	call_abort(at);
	settle(at, at_cme(at, 52));
	drain(at);
}

/* V.250 5.6.1: characters close behind the terminator do not abort. */
static bool is_aborting(const struct at_server *at)
{
	return at->running->abort && since(at->now_ms, at->run_ms) >= AT_ABORT_GUARD_MS;
}

static void take(struct at_server *at, uint8_t c)
{
	if (at->state != AT_STATE_WAITING) {
		edit(at, c);
	} else if (is_aborting(at)) {
		abort_running(at); /* consumes the character */
	} else {
		keep(at, c);
	}
}

void at_complete(struct at_server *at, enum at_result result, uint64_t now_ms)
{
	if (at->state != AT_STATE_WAITING || result == AT_PENDING) { return; }
	set_now(at, now_ms);
	at->running = NULL;
	at->state = AT_STATE_RUNNING;
	settle(at, result == AT_OK ? at_line_run(at) : result);
	drain(at);
}

/* ---- bytes and time ---- */

void at_feed(struct at_server *at, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	if (len == 0) { return; }
	at_tick(at, now_ms);
	at->char_ms = at->now_ms;
	for (size_t i = 0; i < len; i++) {
		take(at, bytes[i]);
	}
	/* Noise that began like a prefix has held them back. */
	if (at_is_idle(at)) { at_urc_flush(at); }
}

void at_tick(struct at_server *at, uint64_t now_ms)
{
	uint64_t idle_ms;

	set_now(at, now_ms);
	if (at_is_idle(at)) { at_urc_flush(at); }
	if (!at_edit_is_typing(at)) { return; }
	idle_ms = since(at->now_ms, at->char_ms);
	if (idle_ms >= AT_LINE_IDLE_MS) { at_drop_line(at); }
	if (idle_ms >= AT_TYPING_MS) { at_urc_flush(at); }
}

uint32_t at_next_ms(const struct at_server *at, uint64_t now_ms)
{
	uint64_t idle_ms = since(now_ms, at->char_ms);
	uint32_t limit_ms = at->urc_count > 0 ? AT_TYPING_MS : AT_LINE_IDLE_MS;

	if (at->state == AT_STATE_HUNT && at->urc_count > 0) { return pause_ms(at, now_ms); }
	if (!at_edit_is_typing(at)) { return UINT32_MAX; }
	return idle_ms < limit_ms ? (uint32_t)(limit_ms - idle_ms) : 0;
}

void at_drop_line(struct at_server *at)
{
	if (!at_edit_is_typing(at)) { return; }
	at->stats.dropped_line_count++;
	at_edit_drop(at);
}

/* ---- life ---- */

static bool is_row_usable(const struct at_command *row)
{
	return row->name && row->run && row->param_count <= AT_ARG_MAX && (row->param_count == 0 || row->params);
}

static bool is_table_usable(const struct at_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		if (!is_row_usable(&table->rows[i])) { return false; }
	}
	return true;
}

static bool is_usable(const struct at_cfg *cfg)
{
	if (!cfg || !cfg->write || !cfg->tables || !cfg->identity || !cfg->identity->get) { return false; }
	for (size_t t = 0; t < cfg->table_count; t++) {
		if (!is_table_usable(&cfg->tables[t])) { return false; }
	}
	return cfg->table_count > 0;
}

enum fota_err at_init(struct at_server *at, const struct at_cfg *cfg)
{
	size_t count;

	if (!is_usable(cfg)) { return FOTA_ERR_CONTRACT; }
	memset(at, 0, sizeof(*at));
	at->cfg = cfg;
	at->profile = cfg->profile ? cfg->profile : at_profile_list(&count);
	at_restore_values(at);
	return FOTA_ERR_OK;
}

void at_reset(struct at_server *at)
{
	const struct at_cfg *cfg = at->cfg;
	const struct at_profile *profile = at->profile;
	struct at_stats stats = at->stats;
	uint64_t now_ms = at->now_ms;

	if (at->state == AT_STATE_WAITING && at->running->abort) { call_abort(at); }
	memset(at, 0, sizeof(*at));
	at->cfg = cfg;
	at->profile = profile;
	at->stats = stats;
	at->stats.reset_count++;
	at->now_ms = now_ms;
	at_restore_values(at);
}

void at_get_stats(const struct at_server *at, struct at_stats *stats)
{
	*stats = at->stats;
}

const struct at_cfg *at_get_cfg(const struct at_server *at)
{
	return at->cfg;
}

const struct at_profile *at_get_profile(const struct at_server *at)
{
	return at->profile;
}

uint8_t at_get_value(const struct at_server *at, enum at_value value)
{
	return at->values[value];
}

void at_set_value(struct at_server *at, enum at_value value, uint8_t number)
{
	at->values[value] = number;
}

void at_restore_values(struct at_server *at)
{
	memcpy(at->values, at->profile->values, sizeof(at->values));
}
