/* SPDX-License-Identifier: Apache-2.0 */
/* Input of a line is fed to its AT server in pieces that end where a line can end, so
 * that the bytes behind AT+CMUX=0 already belong to the multiplexer.
 *
 * Output of a channel waits in a buffer of its own: the server writes small pieces, and a
 * channel that the host has stopped must not hold up the others. Frames are made only
 * while the line has room for them whole, for half a frame would cost two. */
#include "mux.h"

#include <string.h>

#define PART        "mux"
#define CHUNK_BYTES 1024u
/* Seven bytes on the line for each of data, with frames of one byte. */
#define CHUNK_ROOM (7u * CHUNK_BYTES)

enum { CME_NOT_ALLOWED = 3 };

_Static_assert(CHUNK_ROOM < LINE_OUT_BYTES, "a chunk fits the line");

/* ---- ports ---- */

static void keep_answer(void *ctx, const uint8_t *bytes, size_t len)
{
	struct mux_port *port = ctx;
	size_t room = sizeof(port->out) - port->out_len;

	if (len > room) {
		port->dropped_bytes += len - room;
		len = room;
	}
	memcpy(port->out + port->out_len, bytes, len);
	port->out_len += len;
}

static void add_server(const struct mux *mux, struct at_server *at)
{
	if (at_fota_add_port(mux->env->fota, at) || at_network_add_port(mux->env->network, at)) {
		log_line(mux->env->log, LOG_LEVEL_ERROR, PART, "%s: no room for one more port", mux->line->name);
	}
}

static void remove_server(const struct mux *mux, const struct at_server *at)
{
	at_fota_remove_port(mux->env->fota, at);
	at_network_remove_port(mux->env->network, at);
}

static void close_port(struct mux *mux, struct mux_port *port)
{
	if (!port->is_added) { return; }
	port->is_added = false;
	port->out_len = 0;
	remove_server(mux, &port->at);
	at_reset(&port->at);
}

static void open_port(struct mux *mux, struct mux_port *port)
{
	close_port(mux, port);
	port->is_added = true;
	add_server(mux, &port->at);
}

/* ---- the multiplexer ---- */

static void on_frame(void *ctx, const uint8_t *bytes, size_t len)
{
	struct mux *mux = ctx;

	line_write(mux->line, bytes, len);
}

static void on_data(void *ctx, unsigned channel, const uint8_t *bytes, size_t len)
{
	struct mux *mux = ctx;

	at_feed(&mux->ports[channel - 1].at, bytes, len, mux->now_ms);
}

static void on_event(void *ctx, unsigned channel, enum cmux_event event)
{
	struct mux *mux = ctx;

	if (event == CMUX_EVENT_OPEN) { open_port(mux, &mux->ports[channel - 1]); }
	if (event == CMUX_EVENT_CLOSE) { close_port(mux, &mux->ports[channel - 1]); }
}

static void start(struct mux *mux)
{
	mux->is_wanted = false;
	mux->cmux_cfg = (struct cmux_cfg) {
		.write = on_frame,
		.data = on_data,
		.event = on_event,
		.ctx = mux,
		.info_bytes = (uint16_t)mux->values[MUX_N1],
		.repeat_ms = (uint16_t)(mux->values[MUX_T2] * 10),
		.repeat_max = (uint8_t)mux->values[MUX_N2],
	};
	if (cmux_init(&mux->cmux, &mux->cmux_cfg)) { return; } /* the command has checked the values */
	mux->is_on = true;
	remove_server(mux, mux->base);
	log_line(mux->env->log, LOG_LEVEL_INFO, PART, "%s: multiplexed, frames of %u bytes", mux->line->name,
		 (unsigned)mux->values[MUX_N1]);
}

static void stop(struct mux *mux)
{
	struct cmux_stats stats;

	if (!mux->is_on) { return; }
	mux->is_on = false;
	for (unsigned i = 0; i < CMUX_CHANNEL_MAX; i++) {
		close_port(mux, &mux->ports[i]);
	}
	add_server(mux, mux->base);
	cmux_get_stats(&mux->cmux, &stats);
	log_line(mux->env->log, LOG_LEVEL_INFO, PART, "%s: no longer multiplexed; %u frames, %u bad ones",
		 mux->line->name, stats.frame_count, stats.bad_frame_count);
}

void mux_end(struct mux *mux)
{
	mux->is_wanted = false;
	if (!mux->is_on) { return; }
	mux_flush(mux);
	cmux_end(&mux->cmux);
	stop(mux);
}

void mux_lose(struct mux *mux)
{
	mux->is_wanted = false;
	stop(mux);
}

/* ---- bytes and time ---- */

/* Up to where a command line may run: its terminator, or the end of A/. */
static size_t piece_of(const struct mux *mux, const uint8_t *bytes, size_t len)
{
	uint8_t end = at_get_value(mux->base, AT_VALUE_S3);

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == end || bytes[i] == '/') { return i + 1; }
	}
	return len;
}

static size_t feed_base(struct mux *mux, const uint8_t *bytes, size_t len)
{
	size_t piece = piece_of(mux, bytes, len);

	at_feed(mux->base, bytes, piece, mux->now_ms);
	if (mux->is_wanted) { start(mux); }
	return piece;
}

static size_t feed_cmux(struct mux *mux, const uint8_t *bytes, size_t len)
{
	size_t done = cmux_feed(&mux->cmux, bytes, len, mux->now_ms);

	if (cmux_is_ended(&mux->cmux)) { stop(mux); }
	return done;
}

void mux_feed(struct mux *mux, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	size_t done = 0;

	mux->now_ms = now_ms;
	while (done < len) {
		done += mux->is_on ? feed_cmux(mux, bytes + done, len - done)
				   : feed_base(mux, bytes + done, len - done);
	}
}

void mux_tick(struct mux *mux, uint64_t now_ms)
{
	mux->now_ms = now_ms;
	if (!mux->is_on) {
		at_tick(mux->base, now_ms);
		return;
	}
	cmux_tick(&mux->cmux, now_ms);
	for (unsigned i = 0; i < CMUX_CHANNEL_MAX; i++) {
		at_tick(&mux->ports[i].at, now_ms);
	}
}

uint32_t mux_next_ms(const struct mux *mux, uint64_t now_ms)
{
	uint32_t least;

	if (!mux->is_on) { return at_next_ms(mux->base, now_ms); }
	least = cmux_next_ms(&mux->cmux, now_ms);
	for (unsigned i = 0; i < CMUX_CHANNEL_MAX; i++) {
		uint32_t at_ms = at_next_ms(&mux->ports[i].at, now_ms);

		if (at_ms < least) { least = at_ms; }
	}
	return least;
}

static void flush_port(struct mux *mux, unsigned channel)
{
	struct mux_port *port = &mux->ports[channel - 1];

	while (port->out_len > 0 && line_get_room(mux->line) >= CHUNK_ROOM) {
		size_t len = port->out_len < CHUNK_BYTES ? port->out_len : CHUNK_BYTES;
		size_t sent = cmux_send(&mux->cmux, channel, (struct fota_bytes) { port->out, len });

		if (sent == 0) { return; }
		port->out_len -= sent;
		memmove(port->out, port->out + sent, port->out_len);
		explicit_bzero(port->out + port->out_len, sent); /* the echo of a secret, perhaps */
	}
}

void mux_flush(struct mux *mux)
{
	for (unsigned i = 1; mux->is_on && i <= CMUX_CHANNEL_MAX; i++) {
		flush_port(mux, i);
	}
}

/* ---- the command ---- */

/* Of the line's own server, or of one of its channels. */
static struct mux *find(const struct mux_set *set, const struct at_server *at)
{
	for (size_t i = 0; i < set->count; i++) {
		struct mux *mux = set->muxes[i];

		if (mux->base == at) { return mux; }
		for (unsigned c = 0; c < CMUX_CHANNEL_MAX; c++) {
			if (&mux->ports[c].at == at) { return mux; }
		}
	}
	return NULL;
}

static void show_values(struct at_server *at, const struct mux *mux)
{
	at_info_begin_named(at, "+CMUX");
	for (unsigned i = 0; i < MUX_VALUE_COUNT; i++) {
		if (i > 0) { at_info_text(at, ","); }
		at_info_uint(at, mux->values[i]);
	}
	at_info_end(at);
}

static enum at_result run_cmux(struct at_server *at, const struct at_call *call)
{
	struct mux *mux = find(call->ctx, at);

	if (!mux) { return AT_ERROR; }
	if (call->form == AT_READ) {
		show_values(at, mux);
		return AT_OK;
	}
	if (mux->base != at) { return at_cme(at, CME_NOT_ALLOWED); } /* a multiplexer inside of one */
	for (unsigned i = 0; i < MUX_VALUE_COUNT; i++) {
		mux->values[i] = call->args[i].number;
	}
	mux->is_wanted = true;
	return AT_OK_LAST; /* what follows on the line is not a command any more */
}

/* TS 27.007 5.7. Speed, T1, T3 and k are taken and shown: a byte stream has no speed, the
 * module opens no channel itself, and k belongs to another mode. */
static const struct at_param params[MUX_VALUE_COUNT] = {
	[MUX_MODE] = { .kind = AT_UINT },
	[MUX_SUBSET] = { .kind = AT_UINT, .is_optional = true },
	[MUX_SPEED] = { .kind = AT_UINT, .is_optional = true, .min = 1, .max = 8, .default_uint = 5 },
	[MUX_N1] = { .kind = AT_UINT, .is_optional = true, .min = 1, .max = CMUX_INFO_MAX, .default_uint = 31 },
	[MUX_T1] = { .kind = AT_UINT, .is_optional = true, .min = 1, .max = 255, .default_uint = 10 },
	[MUX_N2] = { .kind = AT_UINT, .is_optional = true, .max = 100, .default_uint = 3 },
	[MUX_T2] = { .kind = AT_UINT, .is_optional = true, .min = 2, .max = 255, .default_uint = 30 },
	[MUX_T3] = { .kind = AT_UINT, .is_optional = true, .min = 1, .max = 255, .default_uint = 10 },
	[MUX_K] = { .kind = AT_UINT, .is_optional = true, .min = 1, .max = 7, .default_uint = 2 },
};

_Static_assert(CMUX_INFO_MAX == 1540, "the text below says it");

static const struct at_command rows[] = {
	{ "+CMUX", AT_SET | AT_READ | AT_TEST, MUX_VALUE_COUNT, .params = params,
	  .test_text = "(0),(0),(1-8),(1-1540),(1-255),(0-100),(2-255),(1-255),(1-7)", .run = run_cmux },
};

struct at_table mux_table(struct mux_set *set)
{
	return (struct at_table) { rows, sizeof(rows) / sizeof(rows[0]), set };
}

/* ---- life ---- */

static enum fota_err init_port(struct mux *mux, unsigned channel)
{
	struct mux_port *port = &mux->ports[channel - 1];

	port->at_cfg = *at_get_cfg(mux->base);
	port->at_cfg.write = keep_answer;
	port->at_cfg.write_ctx = port;
	port->at_cfg.port += (channel - 1) * MODULE_LINE_MAX;
	return at_init(&port->at, &port->at_cfg);
}

enum fota_err mux_init(struct mux *mux, struct mux_set *set, const struct mux_env *env, struct line *line,
		       struct at_server *base)
{
	enum fota_err err = FOTA_ERR_OK;

	memset(mux, 0, sizeof(*mux));
	mux->env = env;
	mux->line = line;
	mux->base = base;
	for (unsigned i = 0; i < MUX_VALUE_COUNT; i++) {
		mux->values[i] = params[i].default_uint;
	}
	for (unsigned i = 1; !err && i <= CMUX_CHANNEL_MAX; i++) {
		err = init_port(mux, i);
	}
	if (!err) { set->muxes[set->count++] = mux; }
	return err;
}
