/* SPDX-License-Identifier: Apache-2.0 */
/* One multiplexer with its output, data and events collected, for the tests of it. */
#ifndef MUX_RIG_H
#define MUX_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fota/cmux.h"

#define BYTES(...) (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ })
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

enum { SABM = 0x3f, UA = 0x73, DM = 0x1f, DISC = 0x53, UIH = 0xef };

struct mux_rig {
	struct cmux mux;
	struct cmux_cfg cfg;
	uint8_t out[8192];
	size_t out_len;
	char story[4096]; /* data and events */
	uint64_t now_ms;
};

extern struct mux_rig mux_rig;

/* Begins anew with frames of this size, 0 for the default; mux_start is that as a setup. */
void mux_begin(uint16_t info_bytes);
int mux_start(void **state);
/* A frame of either side; gives its length. */
size_t mux_frame(uint8_t *to, unsigned channel, bool cr, uint8_t control, const void *info, size_t len);
void mux_feed(const uint8_t *bytes, size_t len);
void mux_host_sends(unsigned channel, uint8_t control, const void *info, size_t len);
void mux_host_says(unsigned channel, const char *text);
/* Forgets what came out; each assertion does too. */
void mux_clear(void);
void assert_out(const uint8_t *bytes, size_t len);
/* Exactly one frame of the module came. */
void assert_frame(unsigned channel, bool cr, uint8_t control, const void *info, size_t len);
void assert_story(const char *text);
void mux_open_channel(unsigned channel);
/* The check sum of a frame. */
uint8_t mux_check_of(const uint8_t *bytes, size_t len);

#endif
