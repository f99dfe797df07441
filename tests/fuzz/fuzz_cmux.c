/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the multiplexer with a host's bytes and with whole frames, time and data of
 * the module.
 *
 * The first byte chooses the frame size. Then each byte is one of the line, but for OP,
 * which takes the next byte as an operation: the low two bits choose it, the high six
 * are its argument.
 *
 * Properties: data and events only of channels that are open; what the module sends is
 * whole frames with good check sums, in which nothing is longer than agreed; time moves on;
 * after a pause a host can always begin anew. */
#include <stdio.h>
#include <stdlib.h>

#include "fota/cmux.h"

#define OP 0xfe

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct {
	struct cmux mux;
	struct cmux_cfg cfg;
	uint64_t now_ms;
	bool is_open[CMUX_CHANNEL_MAX + 1]; /* as events told */
	uint8_t out[1u << 16];
	size_t out_len;
} rig;

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

/* ---- the module's side ---- */

static void on_write(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	require(len <= sizeof(rig.out) - rig.out_len, "output is bounded");
	memcpy(rig.out + rig.out_len, bytes, len);
	rig.out_len += len;
}

static void on_data(void *ctx, unsigned channel, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	require(channel >= 1 && channel <= CMUX_CHANNEL_MAX && rig.is_open[channel], "data of an open channel");
	require(len > 0 && len <= CMUX_INFO_MAX, "data has a size");
	(void)cmux_send(&rig.mux, channel, (struct fota_bytes) { bytes, len });
}

static void on_event(void *ctx, unsigned channel, enum cmux_event event)
{
	(void)ctx;
	require(channel <= CMUX_CHANNEL_MAX, "a channel that exists");
	require(event == CMUX_EVENT_OPEN || event == CMUX_EVENT_END || rig.is_open[channel],
		"an event of an open channel");
	if (event == CMUX_EVENT_OPEN) { rig.is_open[channel] = true; }
	if (event == CMUX_EVENT_CLOSE) { rig.is_open[channel] = false; }
}

/* ---- what the module sent ---- */

static uint8_t check_of(const uint8_t *bytes, size_t len)
{
	uint8_t check = 0xff;

	for (size_t i = 0; i < len; i++) {
		check ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			check = (uint8_t)(check & 1 ? (check >> 1) ^ 0xe0 : check >> 1);
		}
	}
	return (uint8_t)(0xff - check);
}

/* The frame at `off`, behind its opening flag; gives the place behind its closing one. */
static size_t check_frame(size_t off)
{
	const uint8_t *at = rig.out + off;
	size_t left = rig.out_len - off;
	size_t head = 3, len;

	require(left >= 5, "a frame is whole");
	require((at[0] & 1) && at[0] >> 2 < 64, "an address of one octet");
	len = at[2] >> 1;
	if (!(at[2] & 1)) { len |= (size_t)at[head++] << 7; }
	require(len <= CMUX_INFO_MAX, "data of the agreed size");
	require(left >= head + len + 2, "the length is true");
	require(at[head + len] == check_of(at, head), "the check sum is good");
	require(at[head + len + 1] == 0xf9, "a flag is at the end");
	return off + head + len + 2;
}

static void check_out(void)
{
	size_t off = 0;

	while (off < rig.out_len) {
		require(rig.out[off++] == 0xf9, "a flag is at the beginning");
		if (off < rig.out_len && rig.out[off] != 0xf9) { off = check_frame(off); }
	}
	rig.out_len = 0;
}

static void check_state(void)
{
	check_out();
	for (unsigned i = 1; i <= CMUX_CHANNEL_MAX; i++) {
		require(rig.is_open[i] == cmux_is_open(&rig.mux, i), "events tell what is open");
	}
}

/* ---- input ---- */

static void feed(const uint8_t *bytes, size_t len)
{
	bool was_ended = cmux_is_ended(&rig.mux);
	size_t taken = cmux_feed(&rig.mux, bytes, len, rig.now_ms);

	require(taken == len || cmux_is_ended(&rig.mux), "all bytes are taken before the end");
	require(taken == 0 || !was_ended, "none is taken behind it");
	check_state();
}

/* Frames that are right but for their order, so that the states behind them are reached. */
static void feed_frame(unsigned channel, uint8_t control, const uint8_t *info, size_t len)
{
	uint8_t bytes[32] = { 0xf9, (uint8_t)(channel << 2 | 3), control, (uint8_t)(len << 1 | 1) };

	memcpy(bytes + 4, info, len);
	bytes[4 + len] = check_of(bytes + 1, 3);
	bytes[5 + len] = 0xf9;
	feed(bytes, 6 + len);
}

static void op_frame(unsigned arg)
{
	static const uint8_t controls[] = { 0x3f, 0x53, 0x73, 0x1f, 0xef, 0xff, 0x2f, 0x03 };

	feed_frame(arg & 7, controls[arg >> 3], (const uint8_t *)"data", (arg >> 3) == 4 ? 4 : 0);
}

static void op_message(unsigned arg)
{
	uint8_t info[] = { (uint8_t)(arg << 4 | 3), 17, 7, 0x0d, 3, 0, 0x40, 0, 0x7f, 0 };

	feed_frame(0, 0xef, info, sizeof(info));
}

static void op_wait(unsigned arg)
{
	rig.now_ms += (uint64_t)arg * 50;
	cmux_tick(&rig.mux, rig.now_ms);
	require(cmux_next_ms(&rig.mux, rig.now_ms) > 0, "a tick leaves nothing to do now");
	check_state();
}

static void op_module(unsigned arg)
{
	static const uint8_t text[64] = "module";

	if (arg == 63) {
		cmux_end(&rig.mux);
	} else if (arg & 8) {
		cmux_set_signals(&rig.mux, arg & 7, (uint8_t)(arg << 2));
	} else {
		size_t sent = cmux_send(&rig.mux, arg & 7, (struct fota_bytes) { text, sizeof(text) });

		require(sent == (cmux_is_ready(&rig.mux, arg & 7) ? sizeof(text) : 0), "all or nothing is sent");
	}
	check_state();
}

static void (*const operations[4])(unsigned arg) = { op_frame, op_message, op_wait, op_module };

/* Whatever came before, after a pause a host is answered. */
static void check_alive(void)
{
	if (cmux_is_ended(&rig.mux)) { return; }
	rig.now_ms += CMUX_SILENCE_MS;
	(void)cmux_feed(&rig.mux, (const uint8_t[]) { 0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9 }, 6, rig.now_ms);
	require(cmux_is_open(&rig.mux, 0), "a host can begin");
	require(rig.out_len >= 6 && rig.out[rig.out_len - 4] == 0x73, "and is answered");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0) { return 0; }
	memset(&rig, 0, sizeof(rig));
	rig.now_ms = 1;
	rig.cfg = (struct cmux_cfg) { .write = on_write, .data = on_data, .event = on_event, .info_bytes = data[0] };
	require(cmux_init(&rig.mux, &rig.cfg) == FOTA_ERR_OK, "the rig starts");
	for (size_t i = 1; i < len; i++) {
		if (data[i] == OP && i + 1 < len) {
			i++;
			operations[data[i] & 3](data[i] >> 2);
		} else {
			feed(data + i, 1);
		}
	}
	check_alive();
	return 0;
}
