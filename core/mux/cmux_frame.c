/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the basic option (27.010 5.2.1):
 *
 *   flag F9, address, control, length (1 or 2 octets), data, check sum, flag F9
 *
 * The check sum covers address, control and length alone (UIH; other types that are
 * understood carry no data). Data may contain flags: only the length tells where a frame
 * ends. So a lost byte is noticed at the closing flag, or at the check sum before it;
 * the search for the next flag begins there, and a closing flag counts as the opening one
 * of the next frame. A false start inside data fails the same checks. */
#include "mux/cmux_priv.h"

#define CHECK_START 0xff
#define CHECK_GOOD  0xcf /* of a frame with its check sum */

enum state { HUNT, ADDRESS, CONTROL, LENGTH, LENGTH_2, DATA, CHECK, CLOSE, STATE_COUNT };

/* CRC-8 with the polynomial x^8 + x^2 + x + 1, bits reversed (27.010 annex B), four bits
 * at a time: frames have 4 octets that are checked, a table of 256 would not pay. */
static uint8_t check_add(uint8_t check, uint8_t c)
{
	static const uint8_t table[16] = { 0x00, 0x1c, 0x38, 0x24, 0x70, 0x6c, 0x48, 0x54,
					   0xe0, 0xfc, 0xd8, 0xc4, 0x90, 0x8c, 0xa8, 0xb4 };

	check ^= c;
	check = (uint8_t)((check >> 4) ^ table[check & 15]);
	return (uint8_t)((check >> 4) ^ table[check & 15]);
}

/* ---- out ---- */

void cmux_frame_send(struct cmux *mux, unsigned channel, uint8_t control, bool is_command, struct fota_bytes info)
{
	/* The host began the multiplexer: its commands and their answers have C/R 1. */
	uint8_t head[5] = { CMUX_FLAG, (uint8_t)(channel << 2 | (is_command ? 0 : CMUX_CR) | CMUX_EA), control };
	uint8_t tail[2] = { CHECK_START, CMUX_FLAG };
	size_t len = 4;

	head[3] = (uint8_t)(info.len << 1);
	if (info.len > 127) {
		head[4] = (uint8_t)(info.len >> 7);
		len++;
	} else {
		head[3] |= CMUX_EA;
	}
	for (size_t i = 1; i < len; i++) {
		tail[0] = check_add(tail[0], head[i]);
	}
	tail[0] = (uint8_t)(0xff - tail[0]);
	mux->cfg->write(mux->cfg->ctx, head, len);
	if (info.len > 0) { mux->cfg->write(mux->cfg->ctx, info.ptr, info.len); }
	mux->cfg->write(mux->cfg->ctx, tail, sizeof(tail));
}

/* ---- in ---- */

static void hunt(struct cmux *mux)
{
	mux->stats.bad_frame_count++;
	mux->state = HUNT;
}

static void take_hunt(struct cmux *mux, uint8_t c)
{
	if (c == CMUX_FLAG) {
		mux->state = ADDRESS;
	} else {
		mux->stats.lost_byte_count++;
	}
}

/* Any number of flags may stand between frames. Addresses of more octets do not exist
 * in 27.010. */
static void take_address(struct cmux *mux, uint8_t c)
{
	if (c == CMUX_FLAG) { return; }
	if (!(c & CMUX_EA)) {
		hunt(mux);
		return;
	}
	mux->address = c;
	mux->check = check_add(CHECK_START, c);
	mux->state = CONTROL;
}

static void take_control(struct cmux *mux, uint8_t c)
{
	mux->control = c;
	mux->check = check_add(mux->check, c);
	mux->state = LENGTH;
}

static void begin_data(struct cmux *mux)
{
	mux->info_got = 0;
	if (mux->info_len > CMUX_INFO_MAX) {
		hunt(mux);
		return;
	}
	mux->state = mux->info_len > 0 ? DATA : CHECK;
}

static void take_length(struct cmux *mux, uint8_t c)
{
	mux->check = check_add(mux->check, c);
	mux->info_len = c >> 1;
	if (c & CMUX_EA) {
		begin_data(mux);
	} else {
		mux->state = LENGTH_2;
	}
}

static void take_length_2(struct cmux *mux, uint8_t c)
{
	mux->check = check_add(mux->check, c);
	mux->info_len = (uint16_t)(mux->info_len | c << 7);
	begin_data(mux);
}

static void take_data(struct cmux *mux, uint8_t c)
{
	mux->info[mux->info_got++] = c;
	if (mux->info_got == mux->info_len) { mux->state = CHECK; }
}

static void take_check(struct cmux *mux, uint8_t c)
{
	mux->check = check_add(mux->check, c);
	mux->state = CLOSE;
}

static void take_close(struct cmux *mux, uint8_t c)
{
	if (c != CMUX_FLAG) {
		hunt(mux);
		return;
	}
	mux->state = ADDRESS;
	if (mux->check == CHECK_GOOD) {
		mux->stats.frame_count++;
	} else {
		mux->stats.bad_frame_count++;
	}
}

bool cmux_frame_take(struct cmux *mux, uint8_t c)
{
	static void (*const take[STATE_COUNT])(struct cmux *, uint8_t) = {
		[HUNT] = take_hunt,         [ADDRESS] = take_address, [CONTROL] = take_control, [LENGTH] = take_length,
		[LENGTH_2] = take_length_2, [DATA] = take_data,       [CHECK] = take_check,     [CLOSE] = take_close,
	};
	uint8_t before = mux->state;

	take[before](mux, c);
	return before == CLOSE && mux->state == ADDRESS && mux->check == CHECK_GOOD;
}

bool cmux_frame_is_inside(const struct cmux *mux)
{
	return mux->state > ADDRESS;
}

void cmux_frame_drop(struct cmux *mux)
{
	if (cmux_frame_is_inside(mux)) { hunt(mux); }
}
