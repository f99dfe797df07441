/* SPDX-License-Identifier: Apache-2.0 */
/* The multiplexer against frames written down byte by byte. Their check sums come from a
 * second, bitwise implementation below and from examples that are published with AT+CMUX. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "fota/cmux.h"

#define BYTES(...) (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ })
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

enum { SABM = 0x3f, UA = 0x73, DM = 0x1f, DISC = 0x53, UIH = 0xef };

static struct {
	struct cmux mux;
	struct cmux_cfg cfg;
	uint8_t out[8192];
	size_t out_len;
	char story[4096]; /* data and events */
	uint64_t now_ms;
} rig;

/* ---- the rig ---- */

static void on_write(void *ctx, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(ctx, &rig);
	assert_true(len <= sizeof(rig.out) - rig.out_len);
	memcpy(rig.out + rig.out_len, bytes, len);
	rig.out_len += len;
}

static void tell(const char *format, ...)
{
	size_t used = strlen(rig.story);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(rig.story + used, sizeof(rig.story) - used, format, args);
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

static void begin(uint16_t info_bytes)
{
	memset(&rig, 0, sizeof(rig));
	rig.now_ms = 1000;
	rig.cfg = (struct cmux_cfg) {
		.write = on_write, .data = on_data, .event = on_event, .ctx = &rig, .info_bytes = info_bytes
	};
	assert_int_equal(cmux_init(&rig.mux, &rig.cfg), FOTA_ERR_OK);
}

static int start(void **state)
{
	(void)state;
	begin(0);
	return 0;
}

/* Bitwise, over the polynomial of the standard. */
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

/* A frame of either side; gives its length. */
static size_t frame(uint8_t *to, unsigned channel, bool cr, uint8_t control, const void *info, size_t len)
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
	to[at++] = check_of(to + 1, head - 1);
	to[at++] = 0xf9;
	return at;
}

static void feed(const uint8_t *bytes, size_t len)
{
	assert_int_equal(cmux_feed(&rig.mux, bytes, len, rig.now_ms), len);
}

static void host_sends(unsigned channel, uint8_t control, const void *info, size_t len)
{
	uint8_t bytes[2048];

	feed(bytes, frame(bytes, channel, true, control, info, len));
}

static void host_says(unsigned channel, const char *text)
{
	host_sends(channel, UIH, text, strlen(text));
}

static void clear(void)
{
	rig.out_len = 0;
	rig.story[0] = 0;
}

static void assert_out(const uint8_t *bytes, size_t len)
{
	assert_int_equal(rig.out_len, len);
	assert_memory_equal(rig.out, bytes, len);
	rig.out_len = 0;
}

/* Exactly one frame of the module came. */
static void assert_frame(unsigned channel, bool cr, uint8_t control, const void *info, size_t len)
{
	uint8_t bytes[2048];

	assert_out(bytes, frame(bytes, channel, cr, control, info, len));
}

static void assert_story(const char *text)
{
	assert_string_equal(rig.story, text);
	rig.story[0] = 0;
}

static void open_channel(unsigned channel)
{
	host_sends(0, SABM, NULL, 0);
	host_sends(channel, SABM, NULL, 0);
	assert_true(cmux_is_open(&rig.mux, channel));
	host_sends(0, UIH, BYTES(0xe1, 0x05, (uint8_t)(channel << 2 | 3), 0x0d)); /* its status is answered */
	clear();
}

/* ---- golden frames ---- */

static void the_first_frame_of_every_host_gets_its_published_answer(void **state)
{
	(void)state;
	feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9));
	assert_out(BYTES(0xf9, 0x03, 0x73, 0x01, 0xd7, 0xf9));
	assert_story("");
}

static void a_channel_opens_and_the_module_tells_its_signals(void **state)
{
	(void)state;
	feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9));
	rig.out_len = 0;
	feed(BYTES(0xf9, 0x07, 0x3f, 0x01, 0xde, 0xf9));
	assert_out(BYTES(0xf9, 0x07, 0x73, 0x01, 0x15, 0xf9,                           /* UA */
			 0xf9, 0x01, 0xef, 0x09, 0xe3, 0x05, 0x07, 0x0d, 0x9a, 0xf9)); /* MSC: RTC, RTR */
	assert_story("open1 ");
}

static void data_goes_both_ways(void **state)
{
	(void)state;
	open_channel(1);
	feed(BYTES(0xf9, 0x07, 0xef, 0x07, 'A', 'T', '\r', 0xd3, 0xf9));
	assert_story("1:AT\r ");
	assert_int_equal(cmux_send(&rig.mux, 1, fota_bytes_of("\r\nOK\r\n")), 6);
	assert_out(
		BYTES(0xf9, 0x05, 0xef, 0x0d, '\r', '\n', 'O', 'K', '\r', '\n', check_of(BYTES(5, 0xef, 0x0d)), 0xf9));
}

static void a_closing_flag_may_open_the_next_frame_and_flags_fill_gaps(void **state)
{
	uint8_t bytes[64];
	size_t len;

	(void)state;
	open_channel(2);
	len = frame(bytes, 2, true, UIH, "a", 1);
	len += frame(bytes + len - 1, 2, true, UIH, "b", 1) - 1;
	feed(bytes, len);
	feed(BYTES(0xf9, 0xf9, 0xf9));
	host_says(2, "c");
	assert_story("2:a 2:b 2:c ");
}

static void frames_work_byte_by_byte_and_split_at_each_position(void **state)
{
	uint8_t bytes[256];
	size_t len = frame(bytes, 0, true, SABM, NULL, 0);

	(void)state;
	len += frame(bytes + len, 3, true, SABM, NULL, 0);
	len += frame(bytes + len, 3, true, UIH, "with \xf9 a flag inside", 20);
	len += frame(bytes + len, 0, true, UIH, BYTES(0x23, 0x05, 'h', 'i'));
	for (size_t split = 0; split <= len; split++) {
		static uint8_t whole[256];
		static size_t whole_len;

		begin(0);
		feed(bytes, split);
		for (size_t i = split; i < len; i++) {
			feed(bytes + i, 1);
		}
		assert_story("open3 3:with \xf9 a flag inside ");
		if (split == 0) { memcpy(whole, rig.out, whole_len = rig.out_len); }
		assert_out(whole, whole_len);
	}
}

static void lengths_on_both_sides_of_127_have_one_and_two_octets(void **state)
{
	static uint8_t data[CMUX_INFO_MAX];
	static const size_t lens[] = { 1, 126, 127, 128, 129, 255, 256, 1509, CMUX_INFO_MAX };

	(void)state;
	memset(data, 'x', sizeof(data));
	for (size_t i = 0; i < COUNT(lens); i++) {
		begin(CMUX_INFO_MAX);
		open_channel(1);
		host_sends(1, UIH, data, lens[i]);
		assert_int_equal(strlen(rig.story), lens[i] + 3);
		assert_int_equal(cmux_send(&rig.mux, 1, (struct fota_bytes) { data, lens[i] }), lens[i]);
		assert_frame(1, false, UIH, data, lens[i]);
	}
}

static void answers_are_cut_to_the_agreed_size(void **state)
{
	(void)state;
	begin(4);
	open_channel(1);
	assert_int_equal(cmux_send(&rig.mux, 1, fota_bytes_of("123456789")), 9);
	assert_int_equal(rig.out_len, 3 * 6 + 9);
	assert_memory_equal(rig.out + 4, "1234", 4);
	assert_memory_equal(rig.out + 14, "5678", 4);
	assert_int_equal(rig.out[24], '9');
}

/* ---- channels ---- */

static void no_channel_opens_before_the_control_channel(void **state)
{
	(void)state;
	host_sends(1, SABM, NULL, 0);
	assert_frame(1, true, DM, NULL, 0);
	assert_story("");
}

static void channels_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(CMUX_CHANNEL_MAX + 1, SABM, NULL, 0);
	assert_frame(CMUX_CHANNEL_MAX + 1, true, DM, NULL, 0);
	host_says(63, "x");
	assert_frame(63, true, DM, NULL, 0);
	assert_story("");
}

static void four_channels_are_open_at_once(void **state)
{
	(void)state;
	host_sends(0, SABM, NULL, 0);
	for (unsigned i = 1; i <= CMUX_CHANNEL_MAX; i++) {
		host_sends(i, SABM, NULL, 0);
	}
	host_says(4, "d");
	host_says(1, "a");
	assert_story("open1 open2 open3 open4 4:d 1:a ");
}

/* Every frame type on a channel that is closed and on one that is open. */
static void each_frame_has_its_answer_in_each_state(void **state)
{
	static const struct {
		uint8_t control;
		bool is_open;
		uint8_t answer; /* 0: none */
		const char *story;
		bool is_open_then;
	} rows[] = {
		{ SABM, false, UA, "open2 ", true }, { SABM, true, UA, "open2 ", true },
		{ DISC, false, DM, "", false },      { DISC, true, UA, "close2 ", false },
		{ UIH, false, DM, "", false },       { UIH, true, 0, "2:x ", true },
		{ DM, false, 0, "", false },         { DM, true, 0, "close2 ", false },
		{ UA, false, 0, "", false },         { UA, true, 0, "", true },
		{ 0x03, false, 0, "", false },       { 0x03, true, 0, "", true }, /* UI is not subset 0 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(0);
		open_channel(rows[i].is_open ? 2 : 1);
		host_sends(2, rows[i].control, "x", rows[i].control == UIH ? 1 : 0);
		assert_story(rows[i].story);
		assert_int_equal(cmux_is_open(&rig.mux, 2), rows[i].is_open_then);
		if (rows[i].control == SABM) { rig.out_len = 6; }
		if (rows[i].answer) {
			assert_frame(2, true, rows[i].answer, NULL, 0);
		} else {
			assert_int_equal(rig.out_len, 0);
		}
	}
}

static void answers_of_the_host_are_not_taken_for_commands(void **state)
{
	uint8_t bytes[16];

	(void)state;
	feed(bytes, frame(bytes, 0, false, SABM, NULL, 0));
	assert_int_equal(rig.out_len, 0);
	assert_false(cmux_is_open(&rig.mux, 0));
}

static void a_second_start_of_the_host_closes_its_channels(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(0, SABM, NULL, 0);
	assert_frame(0, true, UA, NULL, 0);
	assert_story("close1 ");
	assert_true(cmux_is_open(&rig.mux, 0));
}

static void a_closed_channel_takes_no_data(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(1, DISC, NULL, 0);
	clear();
	assert_int_equal(cmux_send(&rig.mux, 1, fota_bytes_of("x")), 0);
	assert_int_equal(cmux_send(&rig.mux, 0, fota_bytes_of("x")), 0);
	assert_int_equal(cmux_send(&rig.mux, 99, fota_bytes_of("x")), 0);
	assert_int_equal(rig.out_len, 0);
}

/* ---- messages ---- */

static void commands_on_the_control_channel_have_their_answers(void **state)
{
	static const struct {
		const char *name, *command, *answer;
		size_t command_len, answer_len;
	} rows[] = {
		{ "test", "\x23\x09ping", "\x21\x09ping", 6, 6 },
		{ "empty test", "\x23\x01", "\x21\x01", 2, 2 },
		{ "power saving", "\x43\x01", "\x41\x01", 2, 2 },
		{ "flow on", "\xa3\x01", "\xa1\x01", 2, 2 },
		{ "modem status", "\xe3\x05\x07\x8d", "\xe1\x05\x07\x8d", 4, 4 },
		{ "modem status with break", "\xe3\x07\x07\x8d\x03", "\xe1\x07\x07\x8d\x03", 5, 5 },
		{ "port, asked", "\x93\x03\x07", "\x91\x11\x07\x03\x03\x00\x00\x00\x7f\x00", 3, 10 },
		{ "port, set", "\x93\x11\x07\x05\x03\x00\x00\x00\x7f\x00", "\x91\x11\x07\x05\x03\x00\x00\x00\x7f\x00",
		  10, 10 },
		{ "line status", "\x53\x05\x07\x01", "\x51\x05\x07\x01", 4, 4 },
		{ "parameters", "\x83\x11\x02\x10\x07\x0a\x40\x00\x03\x02", "\x81\x11\x02\x00\x07\x0a\x40\x00\x03\x02",
		  10, 10 },
		{ "parameters beyond the room", "\x83\x11\x02\x00\x07\x0a\xff\x7f\x03\x02",
		  "\x81\x11\x02\x00\x07\x0a\x04\x06\x03\x02", 10, 10 },
		{ "service negotiation", "\xd3\x05\x07\x01", "\x11\x03\xd3", 4, 3 },
		{ "an unknown one", "\x33\x01", "\x11\x03\x33", 2, 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		begin(0);
		open_channel(1);
		host_sends(0, UIH, rows[i].command, rows[i].command_len);
		assert_frame(0, false, UIH, rows[i].answer, rows[i].answer_len);
	}
}

static void a_long_test_comes_back_whole(void **state)
{
	uint8_t bytes[3 + 300] = { 0x23, 300 % 128 << 1, 300 / 128 << 1 | 1 };

	(void)state;
	memset(bytes + 3, 'p', 300);
	open_channel(1);
	host_sends(0, UIH, bytes, sizeof(bytes));
	bytes[0] = 0x21;
	assert_frame(0, false, UIH, bytes, sizeof(bytes));
}

static void messages_that_are_cut_off_are_not_answered(void **state)
{
	static const char *const rows[] = { "\x23",     "\x23\x09pin",  "\x23\x08",     "\x22\x01",
					    "\x93\x01", "\x83\x03\x02", "\xe3\x03\x07", "\x53\x03\x07" };

	(void)state;
	open_channel(1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		host_says(0, rows[i]);
		assert_int_equal(rig.out_len, 0);
	}
	assert_story("");
}

static void two_messages_in_one_frame_are_both_answered(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(0, UIH, BYTES(0x23, 0x03, 'a', 0x23, 0x03, 'b'));
	assert_int_equal(rig.out_len, 2 * (6 + 3));
}

static void the_status_is_repeated_until_it_is_answered(void **state)
{
	(void)state;
	host_sends(0, SABM, NULL, 0);
	host_sends(1, SABM, NULL, 0);
	clear();
	assert_int_equal(cmux_next_ms(&rig.mux, 1000), 300);
	cmux_tick(&rig.mux, 1299);
	assert_int_equal(rig.out_len, 0);
	cmux_tick(&rig.mux, 1300);
	assert_frame(0, false, UIH, BYTES(0xe3, 0x05, 0x07, 0x0d));
	rig.now_ms = 1400;
	host_sends(0, UIH, BYTES(0xe1, 0x05, 0x07, 0x0d));
	cmux_tick(&rig.mux, 9000);
	assert_int_equal(rig.out_len, 0);
	assert_int_equal(cmux_next_ms(&rig.mux, 9000), UINT32_MAX);
}

static void a_status_without_an_answer_is_given_up(void **state)
{
	(void)state;
	host_sends(0, SABM, NULL, 0);
	host_sends(1, SABM, NULL, 0);
	clear();
	for (unsigned i = 0; i < 10; i++) {
		cmux_tick(&rig.mux, 2000 + i * 1000);
	}
	assert_int_equal(rig.out_len, 3 * 10);
	assert_int_equal(cmux_next_ms(&rig.mux, 20000), UINT32_MAX);
	assert_true(cmux_is_ready(&rig.mux, 1));
}

static void signals_of_the_module_are_told(void **state)
{
	(void)state;
	open_channel(1);
	cmux_set_signals(&rig.mux, 1, CMUX_SIGNAL_RTC | CMUX_SIGNAL_DV);
	assert_frame(0, false, UIH, BYTES(0xe3, 0x05, 0x07, 0x85));
	cmux_set_signals(&rig.mux, 2, CMUX_SIGNAL_RTC);
	assert_int_equal(rig.out_len, 0);
}

/* ---- flow control ---- */

static void a_stopped_channel_takes_no_data_and_the_others_do(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(2, SABM, NULL, 0);
	clear();
	host_sends(0, UIH, BYTES(0xe3, 0x05, 0x07, 0x0f)); /* FC */
	assert_story("signal1 ");
	assert_true(cmux_get_signals(&rig.mux, 1) & CMUX_SIGNAL_FC);
	assert_int_equal(cmux_send(&rig.mux, 1, fota_bytes_of("x")), 0);
	assert_int_equal(cmux_send(&rig.mux, 2, fota_bytes_of("x")), 1);
	host_sends(0, UIH, BYTES(0xe3, 0x05, 0x07, 0x0d));
	assert_int_equal(cmux_send(&rig.mux, 1, fota_bytes_of("x")), 1);
}

static void flow_off_stops_all_channels_until_flow_on(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(0, UIH, BYTES(0x63, 0x01));
	assert_frame(0, false, UIH, BYTES(0x61, 0x01));
	assert_false(cmux_is_ready(&rig.mux, 1));
	host_sends(0, UIH, BYTES(0xa3, 0x01));
	assert_true(cmux_is_ready(&rig.mux, 1));
}

/* ---- sleep ---- */

static void a_sleeping_multiplexer_answers_flags_and_wakes_with_flags(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(0, UIH, BYTES(0x43, 0x01));
	clear();
	feed(BYTES(0xf9, 0xf9));
	assert_out(BYTES(0xf9, 0xf9));
	assert_int_equal(cmux_send(&rig.mux, 1, fota_bytes_of("x")), 1);
	assert_int_equal(rig.out_len, 4 + 7);
	clear();
	feed(BYTES(0xf9));
	assert_int_equal(rig.out_len, 0);
}

/* ---- the end ---- */

static void close_down_gives_the_line_back(void **state)
{
	uint8_t bytes[64];
	size_t len = frame(bytes, 0, true, UIH, "\xc3\x01", 2);

	(void)state;
	open_channel(1);
	memcpy(bytes + len, "AT\r", 3);
	assert_int_equal(cmux_feed(&rig.mux, bytes, len + 3, rig.now_ms), len);
	assert_frame(0, false, UIH, BYTES(0xc1, 0x01));
	assert_story("close1 end0 ");
	assert_true(cmux_is_ended(&rig.mux));
	assert_int_equal(cmux_feed(&rig.mux, bytes, len, rig.now_ms), 0);
}

static void messages_behind_close_down_are_not_taken(void **state)
{
	(void)state;
	open_channel(1);
	host_sends(0, UIH, BYTES(0xc3, 0x01, 0x23, 0x01));
	assert_frame(0, false, UIH, BYTES(0xc1, 0x01));
}

static void the_end_of_the_control_channel_is_the_end(void **state)
{
	(void)state;
	open_channel(2);
	host_sends(0, DISC, NULL, 0);
	assert_frame(0, true, UA, NULL, 0);
	assert_story("close2 end0 ");
}

static void the_module_ends_it_with_close_down(void **state)
{
	(void)state;
	open_channel(1);
	cmux_end(&rig.mux);
	assert_frame(0, false, UIH, BYTES(0xc3, 0x01));
	assert_story("close1 ");
	cmux_end(&rig.mux);
	assert_int_equal(rig.out_len, 0);
}

/* ---- bad frames ---- */

enum damage { LOST, DOUBLED, WRONG, DAMAGE_COUNT };

static size_t damage(uint8_t *to, const uint8_t *good, size_t len, size_t at, enum damage kind)
{
	size_t out = at;

	memcpy(to, good, at);
	if (kind == DOUBLED) { to[out++] = good[at]; }
	if (kind != LOST) { to[out++] = kind == WRONG ? (uint8_t)(good[at] ^ 0x11) : good[at]; }
	memcpy(to + out, good + at + 1, len - at - 1);
	return out + len - at - 1;
}

static void each_byte_of_a_frame_may_be_lost_doubled_or_wrong(void **state)
{
	uint8_t good[64], bytes[128];
	size_t good_len = frame(good, 1, true, UIH, "damaged", 7);

	(void)state;
	for (size_t i = 0; i < DAMAGE_COUNT * good_len; i++) {
		begin(0);
		open_channel(1);
		feed(bytes, damage(bytes, good, good_len, i / DAMAGE_COUNT, (enum damage)(i % DAMAGE_COUNT)));
		rig.now_ms += CMUX_SILENCE_MS; /* where the length itself was hurt */
		clear();
		host_says(1, "next");
		assert_story("1:next ");
	}
}

/* Without any pause, with flags of their own: at most the next frame is lost as well. */
static void a_lost_byte_costs_at_most_the_next_frame_of_its_size(void **state)
{
	uint8_t good[64], bytes[256];
	size_t good_len = frame(good, 1, true, UIH, "damaged", 7);

	(void)state;
	for (size_t at = 0; at < good_len; at++) {
		size_t len = damage(bytes, good, good_len, at, LOST);

		begin(0);
		open_channel(1);
		len += frame(bytes + len, 1, true, UIH, "perhaps", 7);
		len += frame(bytes + len, 1, true, UIH, "surely", 6);
		feed(bytes, len);
		assert_non_null(strstr(rig.story, "1:surely "));
	}
}

static void a_wrong_check_sum_is_counted_and_nothing_happens(void **state)
{
	struct cmux_stats stats;

	(void)state;
	feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1d, 0xf9));
	assert_int_equal(rig.out_len, 0);
	cmux_get_stats(&rig.mux, &stats);
	assert_int_equal(stats.bad_frame_count, 1);
	assert_int_equal(stats.frame_count, 0);
	feed(BYTES(0x03, 0x3f, 0x01, 0x1c, 0xf9)); /* the flag before was its opening one too */
	assert_int_equal(rig.out_len, 6);
}

static void noise_before_the_first_flag_is_passed_over(void **state)
{
	struct cmux_stats stats;

	(void)state;
	feed((const uint8_t *)"AT\r\n", 4);
	feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9));
	assert_int_equal(rig.out_len, 6);
	cmux_get_stats(&rig.mux, &stats);
	assert_int_equal(stats.lost_byte_count, 4);
}

static void a_frame_that_breaks_off_is_forgotten_after_a_second(void **state)
{
	(void)state;
	open_channel(1);
	feed(BYTES(0xf9, 0x07, 0xef, 0x7f, 'x'));
	rig.now_ms += CMUX_SILENCE_MS;
	host_says(1, "fresh");
	assert_story("1:fresh ");
}

static void a_length_beyond_the_room_is_no_frame(void **state)
{
	(void)state;
	open_channel(1);
	feed(BYTES(0xf9, 0x07, 0xef, 0xfe, 0xff));
	host_says(1, "fresh");
	assert_story("1:fresh ");
}

static void wrong_configurations_are_refused(void **state)
{
	struct cmux_cfg cfg = { .write = on_write, .data = on_data, .event = on_event };

	(void)state;
	cfg.info_bytes = CMUX_INFO_MAX + 1;
	assert_int_equal(cmux_init(&rig.mux, &cfg), FOTA_ERR_RANGE);
	cfg = (struct cmux_cfg) { .write = on_write, .data = on_data };
	assert_int_equal(cmux_init(&rig.mux, &cfg), FOTA_ERR_CONTRACT);
	assert_int_equal(cmux_init(&rig.mux, NULL), FOTA_ERR_CONTRACT);
}

#define T(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_first_frame_of_every_host_gets_its_published_answer),
		T(a_channel_opens_and_the_module_tells_its_signals),
		T(data_goes_both_ways),
		T(a_closing_flag_may_open_the_next_frame_and_flags_fill_gaps),
		T(frames_work_byte_by_byte_and_split_at_each_position),
		T(lengths_on_both_sides_of_127_have_one_and_two_octets),
		T(answers_are_cut_to_the_agreed_size),
		T(no_channel_opens_before_the_control_channel),
		T(channels_that_do_not_exist_are_refused),
		T(four_channels_are_open_at_once),
		T(each_frame_has_its_answer_in_each_state),
		T(answers_of_the_host_are_not_taken_for_commands),
		T(a_second_start_of_the_host_closes_its_channels),
		T(a_closed_channel_takes_no_data),
		T(commands_on_the_control_channel_have_their_answers),
		T(a_long_test_comes_back_whole),
		T(messages_that_are_cut_off_are_not_answered),
		T(two_messages_in_one_frame_are_both_answered),
		T(the_status_is_repeated_until_it_is_answered),
		T(a_status_without_an_answer_is_given_up),
		T(signals_of_the_module_are_told),
		T(a_stopped_channel_takes_no_data_and_the_others_do),
		T(flow_off_stops_all_channels_until_flow_on),
		T(a_sleeping_multiplexer_answers_flags_and_wakes_with_flags),
		T(close_down_gives_the_line_back),
		T(messages_behind_close_down_are_not_taken),
		T(the_end_of_the_control_channel_is_the_end),
		T(the_module_ends_it_with_close_down),
		T(each_byte_of_a_frame_may_be_lost_doubled_or_wrong),
		T(a_lost_byte_costs_at_most_the_next_frame_of_its_size),
		T(a_wrong_check_sum_is_counted_and_nothing_happens),
		T(noise_before_the_first_flag_is_passed_over),
		T(a_frame_that_breaks_off_is_forgotten_after_a_second),
		T(a_length_beyond_the_room_is_no_frame),
		T(wrong_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
