/* SPDX-License-Identifier: Apache-2.0 */
/* Check sums come from a bitwise implementation of its own here. */
#include "rig.h"

#include <stdio.h>

struct mux_rig mux_rig;

static void on_write(void *ctx, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(ctx, &mux_rig);
	assert_true(len <= sizeof(mux_rig.out) - mux_rig.out_len);
	memcpy(mux_rig.out + mux_rig.out_len, bytes, len);
	mux_rig.out_len += len;
}

static void tell(const char *format, ...)
{
	size_t used = strlen(mux_rig.story);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(mux_rig.story + used, sizeof(mux_rig.story) - used, format, args);
	va_end(args);
}

static void on_data(void *ctx, unsigned channel, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	tell("%u:%.*s ", channel, (int)len, (const char *)bytes);
}

static void on_event(void *ctx, unsigned channel, enum cmux_event event)
{
	static const char *const names[] = { "open", "close", "signal", "end" };

	(void)ctx;
	tell("%s%u ", names[event], channel);
}

void mux_begin(uint16_t info_bytes)
{
	memset(&mux_rig, 0, sizeof(mux_rig));
	mux_rig.now_ms = 1000;
	mux_rig.cfg = (struct cmux_cfg) {
		.write = on_write, .data = on_data, .event = on_event, .ctx = &mux_rig, .info_bytes = info_bytes
	};
	assert_int_equal(cmux_init(&mux_rig.mux, &mux_rig.cfg), FOTA_ERR_OK);
}

int mux_start(void **state)
{
	(void)state;
	mux_begin(0);
	return 0;
}

uint8_t mux_check_of(const uint8_t *bytes, size_t len)
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

size_t mux_frame(uint8_t *to, unsigned channel, bool cr, uint8_t control, const void *info, size_t len)
{
	size_t at = 0;
	size_t head;

	to[at++] = 0xf9;
	to[at++] = (uint8_t)(channel << 2 | (cr ? 2 : 0) | 1);
	to[at++] = control;
	to[at++] = (uint8_t)(len << 1 | (len < 128 ? 1 : 0));
	if (len >= 128) { to[at++] = (uint8_t)(len >> 7); }
	head = at;
	if (len) { memcpy(to + at, info, len); }
	at += len;
	to[at++] = mux_check_of(to + 1, head - 1);
	to[at++] = 0xf9;
	return at;
}

void mux_feed(const uint8_t *bytes, size_t len)
{
	assert_int_equal(cmux_feed(&mux_rig.mux, bytes, len, mux_rig.now_ms), len);
}

void mux_host_sends(unsigned channel, uint8_t control, const void *info, size_t len)
{
	uint8_t bytes[2048];

	mux_feed(bytes, mux_frame(bytes, channel, true, control, info, len));
}

void mux_host_says(unsigned channel, const char *text)
{
	mux_host_sends(channel, UIH, text, strlen(text));
}

void mux_clear(void)
{
	mux_rig.out_len = 0;
	mux_rig.story[0] = 0;
}

void assert_out(const uint8_t *bytes, size_t len)
{
	assert_int_equal(mux_rig.out_len, len);
	assert_memory_equal(mux_rig.out, bytes, len);
	mux_rig.out_len = 0;
}

void assert_frame(unsigned channel, bool cr, uint8_t control, const void *info, size_t len)
{
	uint8_t bytes[2048];

	assert_out(bytes, mux_frame(bytes, channel, cr, control, info, len));
}

void assert_story(const char *text)
{
	assert_string_equal(mux_rig.story, text);
	mux_rig.story[0] = 0;
}

void mux_open_channel(unsigned channel)
{
	mux_host_sends(0, SABM, NULL, 0);
	mux_host_sends(channel, SABM, NULL, 0);
	assert_true(cmux_is_open(&mux_rig.mux, channel));
	mux_host_sends(0, UIH, BYTES(0xe1, 0x05, (uint8_t)(channel << 2 | 3), 0x0d)); /* its status is answered */
	mux_clear();
}
