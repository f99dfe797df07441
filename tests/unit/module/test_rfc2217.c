/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 2217 as bytes: what a client sends, what data is in it, what it is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "rfc2217.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(text)  (text), sizeof(text) - 1

static struct rfc2217 it;

static int start(void **state)
{
	(void)state;
	rfc2217_init(&it);
	return 0;
}

static void take(const char *bytes, size_t len, const char *data, size_t data_len)
{
	uint8_t room[RFC2217_TAKE_MAX];

	memcpy(room, bytes, len);
	assert_int_equal(rfc2217_take(&it, room, len), data_len);
	assert_memory_equal(room, data, data_len);
}

static void assert_replies(const char *bytes, size_t len)
{
	uint8_t room[RFC2217_REPLY_MAX];

	assert_int_equal(rfc2217_get_replies(&it, room, sizeof(room)), len);
	assert_memory_equal(room, bytes, len);
	assert_false(rfc2217_has_replies(&it));
}

struct row {
	const char *name, *in;
	size_t in_len;
	const char *out;
	size_t out_len;
};

static void play(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", rows[i].name);
		rfc2217_init(&it);
		take(rows[i].in, rows[i].in_len, "", 0);
		assert_replies(rows[i].out, rows[i].out_len);
	}
}

static void options_are_agreed_to_once_and_others_refused(void **state)
{
	static const struct row rows[] = {
		{ "they binary", S("\xff\xfd\x00"), S("\xff\xfb\x00") },
		{ "we binary", S("\xff\xfb\x00"), S("\xff\xfd\x00") },
		{ "asked twice", S("\xff\xfd\x03\xff\xfd\x03"), S("\xff\xfb\x03") },
		{ "on and off", S("\xff\xfd\x01\xff\xfe\x01"), S("\xff\xfb\x01\xff\xfc\x01") },
		{ "off already", S("\xff\xfe\x01\xff\xfc\x00"), S("") },
		{ "terminal type", S("\xff\xfd\x18"), S("\xff\xfc\x18") },
		{ "window size", S("\xff\xfb\x1f"), S("\xff\xfe\x1f") },
		{ "an unknown one is off already", S("\xff\xfe\x18\xff\xfc\x18"), S("") },
		{ "com port tells the modem's state", S("\xff\xfb\x2c"),
		  S("\xff\xfd\x2c\xff\xfa\x2c\x6b\x33\xff\xf0") },
	};

	(void)state;
	play(rows, COUNT(rows));
}

#define Q(text) S("\xff\xfa\x2c" text "\xff\xf0")

static void questions_are_acknowledged_with_what_is_in_force(void **state)
{
	static const struct row rows[] = {
		{ "signature", Q("\x00"),
		  Q("\x64"
		    "atfotad") },
		{ "signature of the client",
		  Q("\x00"
		    "client"),
		  S("") },
		{ "baud asked", Q("\x01\x00\x00\x00\x00"), Q("\x65\x00\x01\xc2\x00") },
		{ "baud set", Q("\x01\x00\x00\x25\x80"), Q("\x65\x00\x00\x25\x80") },
		{ "baud with octets of IAC", Q("\x01\x00\x00\xff\xff\x01"), Q("\x65\x00\x00\xff\xff\x01") },
		{ "baud cut off", Q("\x01\x00"), S("") },
		{ "data size", Q("\x02\x07"), Q("\x66\x07") },
		{ "a data size that is none", Q("\x02\x09"), Q("\x66\x08") },
		{ "parity", Q("\x03\x02"), Q("\x67\x02") },
		{ "parity asked", Q("\x03\x00"), Q("\x67\x01") },
		{ "stop size", Q("\x04\x02"), Q("\x68\x02") },
		{ "hardware flow control", Q("\x05\x03"), Q("\x69\x03") },
		{ "flow control asked", Q("\x05\x00"), Q("\x69\x01") },
		{ "break", Q("\x05\x05"), Q("\x69\x05") },
		{ "DTR off", Q("\x05\x09"), Q("\x69\x09") },
		{ "DTR asked", Q("\x05\x07"), Q("\x69\x08") },
		{ "RTS asked", Q("\x05\x0a"), Q("\x69\x0b") },
		{ "flow control in asked", Q("\x05\x0d"), Q("\x69\x0e") },
		{ "DCD flow control", Q("\x05\x11"), Q("\x69\x11") },
		{ "a control that is none", Q("\x05\x14"), S("") },
		{ "line state asked", Q("\x06"), Q("\x6a\x60") },
		{ "modem state asked", Q("\x07"), Q("\x6b\x30") },
		{ "line mask", Q("\x0a\x60"), Q("\x6e\x60\xff\xf0\xff\xfa\x2c\x6a\x60") },
		{ "line mask of nothing", Q("\x0a\x00"), Q("\x6e\x00") },
		{ "modem mask", Q("\x0b\xff\xff"), Q("\x6f\xff\xff\xff\xf0\xff\xfa\x2c\x6b\x30") },
		{ "purge both", Q("\x0c\x03"), Q("\x70\x03") },
		{ "a purge that is none", Q("\x0c\x04"), S("") },
		{ "an unknown question", Q("\x0d\x01"), S("") },
		{ "another option's", S("\xff\xfa\x18\x01\xff\xf0"), S("") },
	};

	(void)state;
	play(rows, COUNT(rows));
}

static void a_setting_is_remembered(void **state)
{
	(void)state;
	take(Q("\x05\x09"), "", 0);
	take(Q("\x01\x00\x00\x25\x80"), "", 0);
	assert_replies(S("\xff\xfa\x2c\x69\x09\xff\xf0\xff\xfa\x2c\x65\x00\x00\x25\x80\xff\xf0"));
	take(Q("\x05\x07"), "", 0);
	assert_replies(Q("\x69\x09"));
}

static void data_stands_between_commands_split_at_each_position(void **state)
{
	static const char in[] = "A\xff\xfd\x03T\xff\xff\xff\xfa\x2c\x05\x03\xff\xf0\r\0\xff\xf1\n";
	static const char data[] = "AT\xff\r\0\n";

	(void)state;
	for (size_t split = 0; split < sizeof(in); split++) {
		uint8_t room[sizeof(in)];
		size_t len;

		rfc2217_init(&it);
		memcpy(room, in, sizeof(in) - 1);
		len = rfc2217_take(&it, room, split);
		memmove(room + len, room + split, sizeof(in) - 1 - split);
		len += rfc2217_take(&it, room + len, sizeof(in) - 1 - split);
		assert_int_equal(len, sizeof(data) - 1);
		assert_memory_equal(room, data, len);
		assert_replies(S("\xff\xfb\x03\xff\xfa\x2c\x69\x03\xff\xf0"));
	}
}

static void a_command_inside_a_question_ends_it(void **state)
{
	(void)state;
	take(S("\xff\xfa\x2c\x05\x03\xff\xfd\x03"
	       "data"),
	     S("data"));
	assert_replies(S("\xff\xfb\x03"));
}

static void a_question_beyond_its_room_is_cut(void **state)
{
	char in[200] = "\xff\xfa\x2c";

	(void)state;
	memset(in + 3, 1, sizeof(in) - 3);
	take(in, sizeof(in), "", 0);
	take(S("\xff\xf0"
	       "data"),
	     S("data"));
	assert_replies(S(""));
}

static void data_is_suspended_and_resumed(void **state)
{
	(void)state;
	assert_false(rfc2217_is_suspended(&it));
	take(Q("\x08"), "", 0);
	assert_true(rfc2217_is_suspended(&it));
	take(Q("\x09"), "", 0);
	assert_false(rfc2217_is_suspended(&it));
}

static void a_purge_of_what_the_client_receives_is_told_once(void **state)
{
	(void)state;
	take(Q("\x0c\x02"), "", 0);
	assert_false(rfc2217_get_purge(&it));
	take(Q("\x0c\x01"), "", 0);
	assert_true(rfc2217_get_purge(&it));
	assert_false(rfc2217_get_purge(&it));
}

static void escapes_are_never_cut(void **state)
{
	uint8_t to[4];
	size_t taken;

	(void)state;
	assert_int_equal(rfc2217_escape(to, 3, (const uint8_t *)"\xff\xff", 2, &taken), 2);
	assert_int_equal(taken, 1);
	assert_int_equal(rfc2217_escape(to, 4,
					(const uint8_t *)"a\xff"
							 "b",
					3, &taken),
			 4);
	assert_int_equal(taken, 3);
	assert_memory_equal(to,
			    "a\xff\xff"
			    "b",
			    4);
}

/* The worst questions, as many as one call takes: no answer is lost. */
static void answers_of_a_full_call_fit(void **state)
{
	static const struct {
		const char *in;
		size_t in_len, out_len;
	} rows[] = {
		{ Q("\x00"), 13 },        { Q("\x0b\x30"), 14 }, { S("\xff\xfb\x2c\xff\xfc\x2c"), 13 },
		{ S("\xff\xfd\x18"), 3 }, { Q("\x06"), 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t in[RFC2217_TAKE_MAX], out[RFC2217_REPLY_MAX];
		size_t count = sizeof(in) / rows[i].in_len;

		rfc2217_init(&it);
		for (size_t n = 0; n < count; n++) {
			memcpy(in + n * rows[i].in_len, rows[i].in, rows[i].in_len);
		}
		(void)rfc2217_take(&it, in, count * rows[i].in_len);
		assert_int_equal(rfc2217_get_replies(&it, out, sizeof(out)), count * rows[i].out_len);
	}
}

#define T(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(options_are_agreed_to_once_and_others_refused),
		T(questions_are_acknowledged_with_what_is_in_force),
		T(a_setting_is_remembered),
		T(data_stands_between_commands_split_at_each_position),
		T(a_command_inside_a_question_ends_it),
		T(a_question_beyond_its_room_is_cut),
		T(data_is_suspended_and_resumed),
		T(a_purge_of_what_the_client_receives_is_told_once),
		T(escapes_are_never_cut),
		T(answers_of_a_full_call_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
