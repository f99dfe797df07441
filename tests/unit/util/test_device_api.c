/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of the device API with one field at a time left out, of another type or
 * outside its bounds. A message is a table of encoded fields, so that the tests do not
 * depend on the encoder they test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/cbor.h"
#include "fota/device_api.h"

enum type { UINT, BSTR, TEXT, LIST, MAP };

/* A field: its type, its bounds (of the number, of the length, of the count), and a
 * value that is fine. */
struct field {
	uint8_t key;
	enum type type;
	uint64_t min, max, good;
	bool is_required;
};

enum kind { CHECK_REQUEST, CHECK_UPDATE, CHECK_REFUSAL, REPORT_REQUEST, REPORT_ANSWER, KIND_COUNT };

#define FIELD_MAX 12

/* docs/device-api.cddl, written down a second time. */
static const struct field messages[KIND_COUNT][FIELD_MAX] = {
	[CHECK_REQUEST] = {
		{ 1, BSTR, 16, 16, 16, true },       { 2, UINT, 0, UINT64_MAX, 1700000000, true },
		{ 3, TEXT, 1, 64, 6, true },         { 4, TEXT, 1, 64, 7, true },
		{ 5, TEXT, 1, 64, 15, true },        { 6, TEXT, 1, 128, 10, true },
		{ 7, TEXT, 1, 128, 11, true },       { 8, UINT, 0, UINT64_MAX, 4096, true },
		{ 9, LIST, 1, 8, 2, true },          { 10, MAP, 0, 16, 3, false },
	},
	[CHECK_UPDATE] = {
		{ 2, UINT, 0, UINT64_MAX, 5, true }, { 11, UINT, 0, UINT64_MAX, 0, true },
		{ 12, TEXT, 1, 64, 5, true },        { 13, BSTR, 0, 2048, 20, true },
		{ 14, TEXT, 1, 255, 30, true },      { 15, UINT, 1, UINT64_MAX, 1000, true },
		{ 16, BSTR, 32, 32, 32, true },      { 17, UINT, 0, UINT64_MAX, 0, true },
		{ 18, UINT, 0, UINT64_MAX, 9, false },
	},
	[CHECK_REFUSAL] = {
		{ 2, UINT, 0, UINT64_MAX, 5, true }, { 11, UINT, 0, UINT64_MAX, 8, true },
		{ 18, UINT, 0, UINT64_MAX, 9, false },
	},
	[REPORT_REQUEST] = {
		{ 1, BSTR, 16, 16, 16, true },       { 2, UINT, 0, UINT64_MAX, 0, true },
		{ 5, TEXT, 1, 64, 15, true },        { 6, TEXT, 1, 128, 10, true },
		{ 12, TEXT, 1, 64, 5, true },        { 19, BSTR, 16, 16, 16, true },
		{ 20, UINT, 1, 8, 7, true },         { 21, UINT, 0, 999, 513, false },
		{ 22, UINT, 0, UINT64_MAX, 7, false },
	},
	[REPORT_ANSWER] = {
		{ 2, UINT, 0, UINT64_MAX, 5, true }, { 11, UINT, 0, UINT64_MAX, 0, true },
		{ 18, UINT, 0, UINT64_MAX, 9, false },
	},
};

static const char *const kind_names[] = { "check request", "update", "refusal", "report request", "report answer" };

union message {
	struct fota_check_request check_request;
	struct fota_check_answer check_answer;
	struct fota_report_request report_request;
	struct fota_report_answer report_answer;
};

static enum fota_err get(enum kind kind, struct fota_bytes payload, union message *msg)
{
	switch (kind) {
	case CHECK_REQUEST:
		return fota_check_request_get(payload, &msg->check_request);
	case REPORT_REQUEST:
		return fota_report_request_get(payload, &msg->report_request);
	case REPORT_ANSWER:
		return fota_report_answer_get(payload, &msg->report_answer);
	default:
		return fota_check_answer_get(payload, &msg->check_answer);
	}
}

static enum fota_err put(enum kind kind, const union message *msg, struct fota_room room, struct fota_bytes *out)
{
	switch (kind) {
	case CHECK_REQUEST:
		return fota_check_request_put(&msg->check_request, room, out);
	case REPORT_REQUEST:
		return fota_report_request_put(&msg->report_request, room, out);
	case REPORT_ANSWER:
		return fota_report_answer_put(&msg->report_answer, room, out);
	default:
		return fota_check_answer_put(&msg->check_answer, room, out);
	}
}

/* ---- writing fields ---- */

/* `len` times the letter x. */
static struct fota_bytes run(uint64_t len)
{
	static char text[2100];

	memset(text, 'x', sizeof(text));
	return (struct fota_bytes) { (const uint8_t *)text, (size_t)len };
}

static void write_value(struct fota_wr *wr, enum type type, uint64_t value)
{
	switch (type) {
	case UINT:
		fota_wr_uint(wr, value);
		break;
	case BSTR:
		fota_wr_bstr(wr, run(value));
		break;
	case TEXT:
		fota_wr_text(wr, run(value));
		break;
	case LIST:
		fota_wr_array(wr, value);
		for (uint64_t i = 0; i < value; i++) {
			fota_wr_uint(wr, i);
		}
		break;
	case MAP:
		fota_wr_map(wr, value);
		for (uint64_t i = 0; i < value; i++) {
			uint8_t name = (uint8_t)('a' + i);

			fota_wr_text(wr, (struct fota_bytes) { &name, 1 });
			fota_wr_text(wr, run(2));
		}
		break;
	}
}

/* What differs from the good message. */
struct change {
	size_t at; /* index of the field */
	bool is_left_out;
	bool has_value;
	uint64_t value;
	bool has_type;
	enum type type;
	const uint8_t *more; /* unknown keys behind all fields */
	size_t more_len, more_count;
};

static size_t field_count(enum kind kind)
{
	size_t count = 0;

	while (count < FIELD_MAX && messages[kind][count].key) {
		count++;
	}
	return count;
}

static struct fota_bytes compose(enum kind kind, const struct change *change, uint8_t *room, size_t cap)
{
	size_t count = field_count(kind);
	struct fota_wr wr;
	struct fota_bytes out;

	fota_wr_init(&wr, (struct fota_room) { room, cap });
	fota_wr_map(&wr, count - change->is_left_out + change->more_count);
	for (size_t i = 0; i < count; i++) {
		const struct field *field = &messages[kind][i];
		bool is_changed = i == change->at;

		if (is_changed && change->is_left_out) { continue; }
		fota_wr_uint(&wr, field->key);
		write_value(&wr, is_changed && change->has_type ? change->type : field->type,
			    is_changed && change->has_value ? change->value : field->good);
	}
	fota_wr_raw(&wr, (struct fota_bytes) { change->more, change->more_len });
	assert_int_equal(fota_wr_finish(&wr, &out), FOTA_ERR_OK);
	return out;
}

static void expect(enum kind kind, const struct change *change, enum fota_err wanted)
{
	uint8_t room[8192];
	union message msg;
	struct fota_bytes payload = compose(kind, change, room, sizeof(room));
	enum fota_err err = get(kind, payload, &msg);

	if (err != wanted) {
		fail_msg("%s, key %u: %d instead of %d", kind_names[kind], messages[kind][change->at].key, err, wanted);
	}
}

/* ---- tests ---- */

static void a_good_message_is_decoded_and_encoded_to_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		uint8_t room[4096], again[4096];
		union message msg;
		struct fota_bytes payload = compose((enum kind)kind, &(struct change) { .at = 99 }, room, sizeof(room));
		struct fota_bytes out;

		assert_int_equal(get((enum kind)kind, payload, &msg), FOTA_ERR_OK);
		assert_int_equal(put((enum kind)kind, &msg, (struct fota_room) { again, sizeof(again) }, &out),
				 FOTA_ERR_OK);
		assert_true(fota_bytes_is_equal(payload, out));
		for (size_t cap = 0; cap < payload.len; cap++) {
			uint8_t *small = malloc(cap ? cap : 1);

			assert_int_equal(put((enum kind)kind, &msg, (struct fota_room) { small, cap }, &out),
					 FOTA_ERR_FULL);
			free(small);
		}
	}
}

static void a_required_field_that_is_not_there_is_missed(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		for (size_t at = 0; at < field_count((enum kind)kind); at++) {
			bool is_required = messages[kind][at].is_required;

			expect((enum kind)kind, &(struct change) { .at = at, .is_left_out = true },
			       is_required ? FOTA_ERR_MISSING : FOTA_ERR_OK);
		}
	}
}

static void a_field_of_another_type_is_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		for (size_t at = 0; at < field_count((enum kind)kind); at++) {
			for (unsigned type = UINT; type <= MAP; type++) {
				struct change change = { .at = at, .has_type = true, .type = (enum type)type };

				if (type == messages[kind][at].type) { continue; }
				if (messages[kind][at].type == UINT) {
					change.has_value = true;
					change.value = 3;
				}
				expect((enum kind)kind, &change, FOTA_ERR_FORMAT);
			}
		}
	}
}

static void each_bound_is_taken_and_what_is_beyond_it_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		for (size_t at = 0; at < field_count((enum kind)kind); at++) {
			const struct field *field = &messages[kind][at];
			struct change change = { .at = at, .has_value = true };

			if (field->key == 11) { continue; } /* decides which fields are required */
			change.value = field->min;
			expect((enum kind)kind, &change, FOTA_ERR_OK);
			change.value = field->max;
			expect((enum kind)kind, &change, FOTA_ERR_OK);
			change.value = field->min - 1;
			if (field->min) { expect((enum kind)kind, &change, FOTA_ERR_RANGE); }
			change.value = field->max + 1;
			if (field->max != UINT64_MAX) { expect((enum kind)kind, &change, FOTA_ERR_RANGE); }
		}
	}
}

static void unknown_keys_are_skipped_whatever_they_hold(void **state)
{
	/* 30: 1, 31: "a", 32: [1, {2: 3}], -1: true, "a": null, and a byte string */
	static const uint8_t more[] =
		"\x18\x1e\x01\x18\x1f\x61\x61\x18\x20\x82\x01\xa1\x02\x03\x20\xf5\x41\x61\xf4\x61\x61\xf6";
	static const uint8_t low[] = "\xa3\x00\x05\x02\x05\x0b\x08";
	union message msg;

	(void)state;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		expect((enum kind)kind,
		       &(struct change) { .at = 99, .more = more, .more_len = sizeof(more) - 1, .more_count = 6 },
		       FOTA_ERR_OK);
	}
	/* before the known ones as well */
	assert_int_equal(get(CHECK_REFUSAL, (struct fota_bytes) { low, sizeof(low) - 1 }, &msg), FOTA_ERR_OK);
	assert_int_equal(msg.check_answer.result, 8);
}

static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		uint8_t room[4096];
		struct fota_bytes payload = compose((enum kind)kind, &(struct change) { .at = 99 }, room, sizeof(room));
		union message msg;

		for (size_t cut = 0; cut < payload.len; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);

			memcpy(copy, room, cut);
			assert_int_equal(get((enum kind)kind, (struct fota_bytes) { copy, cut }, &msg),
					 FOTA_ERR_FORMAT);
			free(copy);
		}
		assert_int_equal(get((enum kind)kind, (struct fota_bytes) { room, payload.len + 1 }, &msg),
				 FOTA_ERR_FORMAT);
	}
}

static struct fota_check_request good_request(void)
{
	return (struct fota_check_request) {
		.nonce = run(16),
		.oem = run(6),
		.model = run(7),
		.device = run(15),
		.version = run(10),
		.target = run(10),
		.accept_count = 1,
	};
}

static void an_encoder_refuses_what_a_decoder_would(void **state)
{
	uint8_t room[4096];
	struct fota_room all = { room, sizeof(room) };
	struct fota_bytes out;
	struct fota_check_request req = good_request();
	struct fota_report_request report = { .nonce = run(16),
					      .device = run(1),
					      .deployment = run(1),
					      .id = run(16),
					      .state = FOTA_REPORT_FAILED,
					      .version = run(1) };
	struct fota_check_answer answer = { .deployment = run(1), .url = run(1), .size_bytes = 1, .digest = run(32) };

	(void)state;
	assert_int_equal(fota_check_request_put(&req, all, &out), FOTA_ERR_OK);
	req.nonce = run(15);
	assert_int_equal(fota_check_request_put(&req, all, &out), FOTA_ERR_RANGE);
	req = good_request();
	req.oem = run(65);
	assert_int_equal(fota_check_request_put(&req, all, &out), FOTA_ERR_RANGE);
	req = good_request();
	req.target = run(0);
	assert_int_equal(fota_check_request_put(&req, all, &out), FOTA_ERR_RANGE);
	req = good_request();
	req.accept_count = 0;
	assert_int_equal(fota_check_request_put(&req, all, &out), FOTA_ERR_RANGE);
	req.accept_count = FOTA_ACCEPT_MAX + 1;
	assert_int_equal(fota_check_request_put(&req, all, &out), FOTA_ERR_RANGE);
	assert_int_equal(fota_report_request_put(&report, all, &out), FOTA_ERR_OK);
	report.state = (enum fota_report_state)9;
	assert_int_equal(fota_report_request_put(&report, all, &out), FOTA_ERR_RANGE);
	report.state = FOTA_REPORT_FAILED;
	report.code = 1000;
	assert_int_equal(fota_report_request_put(&report, all, &out), FOTA_ERR_RANGE);
	assert_int_equal(fota_check_answer_put(&answer, all, &out), FOTA_ERR_OK);
	answer.size_bytes = 0;
	assert_int_equal(fota_check_answer_put(&answer, all, &out), FOTA_ERR_RANGE);
	answer.size_bytes = 1;
	answer.url = run(256);
	assert_int_equal(fota_check_answer_put(&answer, all, &out), FOTA_ERR_RANGE);
}

static void attributes_are_sorted_whatever_order_they_are_given_in(void **state)
{
	static const char *const names[] = { "zz", "a", "é", "operator", "b", "hw", "" };
	uint8_t first[1024], other[1024];
	struct fota_check_request req = good_request(), back;
	struct fota_bytes out_first, out_other;

	(void)state;
	req.attribute_count = 7;
	for (size_t i = 0; i < 7; i++) {
		req.attributes[i] = (struct fota_attribute) { fota_bytes_of(names[i]), fota_bytes_of(names[i]) };
	}
	assert_int_equal(fota_check_request_put(&req, (struct fota_room) { first, sizeof(first) }, &out_first),
			 FOTA_ERR_OK);
	assert_int_equal(fota_check_request_get(out_first, &back), FOTA_ERR_OK);
	assert_int_equal(back.attribute_count, 7);
	for (size_t i = 0; i < 7; i++) {
		req.attributes[6 - i] = (struct fota_attribute) { fota_bytes_of(names[i]), fota_bytes_of(names[i]) };
	}
	assert_int_equal(fota_check_request_put(&req, (struct fota_room) { other, sizeof(other) }, &out_other),
			 FOTA_ERR_OK);
	assert_true(fota_bytes_is_equal(out_first, out_other));
	req.attributes[3] = req.attributes[0]; /* a name twice */
	assert_int_equal(fota_check_request_put(&req, (struct fota_room) { other, sizeof(other) }, &out_other),
			 FOTA_ERR_RANGE);
	req.attributes[3] = (struct fota_attribute) { run(65), run(1) };
	assert_int_equal(fota_check_request_put(&req, (struct fota_room) { other, sizeof(other) }, &out_other),
			 FOTA_ERR_RANGE);
	req.attributes[3] = (struct fota_attribute) { run(1), run(129) };
	assert_int_equal(fota_check_request_put(&req, (struct fota_room) { other, sizeof(other) }, &out_other),
			 FOTA_ERR_RANGE);
	req.attribute_count = FOTA_ATTRIBUTE_MAX + 1;
	assert_int_equal(fota_check_request_put(&req, (struct fota_room) { other, sizeof(other) }, &out_other),
			 FOTA_ERR_RANGE);
}

static void lists_hold_numbers_that_fit_and_attributes_texts_in_their_bounds(void **state)
{
	uint8_t room[4096];
	struct fota_wr wr;
	struct fota_bytes out;
	union message msg;
	static const struct {
		const char *bytes; /* of the value of `accept` */
		size_t len;
		enum fota_err err;
	} rows[] = {
		{ "\x81\x18\xff", 3, FOTA_ERR_OK },
		{ "\x81\x19\x01\x00", 4, FOTA_ERR_RANGE },
		{ "\x81\x61\x61", 3, FOTA_ERR_FORMAT },
		{ "\x81\x20", 2, FOTA_ERR_FORMAT },
		{ "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9, FOTA_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fota_wr_init(&wr, (struct fota_room) { room, sizeof(room) });
		fota_wr_map(&wr, 9);
		for (size_t at = 0; at < 8; at++) {
			fota_wr_uint(&wr, messages[CHECK_REQUEST][at].key);
			write_value(&wr, messages[CHECK_REQUEST][at].type, messages[CHECK_REQUEST][at].good);
		}
		fota_wr_uint(&wr, 9);
		fota_wr_raw(&wr, (struct fota_bytes) { (const uint8_t *)rows[i].bytes, rows[i].len });
		assert_int_equal(fota_wr_finish(&wr, &out), FOTA_ERR_OK);
		assert_int_equal(get(CHECK_REQUEST, out, &msg), rows[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_message_is_decoded_and_encoded_to_the_same_bytes),
		cmocka_unit_test(a_required_field_that_is_not_there_is_missed),
		cmocka_unit_test(a_field_of_another_type_is_refused),
		cmocka_unit_test(each_bound_is_taken_and_what_is_beyond_it_refused),
		cmocka_unit_test(unknown_keys_are_skipped_whatever_they_hold),
		cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(an_encoder_refuses_what_a_decoder_would),
		cmocka_unit_test(attributes_are_sorted_whatever_order_they_are_given_in),
		cmocka_unit_test(lists_hold_numbers_that_fit_and_attributes_texts_in_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
