/* SPDX-License-Identifier: Apache-2.0 */
/* The CBOR cursor: what is well-formed and deterministic is read and skipped, everything
 * else is refused; the writer makes what the reader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/cbor.h"

/* Bytes with their length: strings in C end at 0. */
#define B(literal)                                              \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static enum fota_err skip_all(struct fota_bytes bytes)
{
	struct fota_rd rd;

	fota_rd_init(&rd, bytes);
	fota_rd_skip(&rd);
	return fota_rd_finish(&rd);
}

/* On a copy of exactly the size, so that a sanitizer sees a byte too many. */
static enum fota_err skip_copy(struct fota_bytes bytes)
{
	uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
	enum fota_err err;

	if (bytes.len) { memcpy(copy, bytes.ptr, bytes.len); }
	err = skip_all((struct fota_bytes) { copy, bytes.len });
	free(copy);
	return err;
}

static const struct {
	const char *name;
	struct fota_bytes bytes;
} good_rows[] = {
	{ "0", B("\x00") },
	{ "23", B("\x17") },
	{ "24", B("\x18\x18") },
	{ "255", B("\x18\xff") },
	{ "256", B("\x19\x01\x00") },
	{ "65535", B("\x19\xff\xff") },
	{ "65536", B("\x1a\x00\x01\x00\x00") },
	{ "2^32-1", B("\x1a\xff\xff\xff\xff") },
	{ "2^32", B("\x1b\x00\x00\x00\x01\x00\x00\x00\x00") },
	{ "2^64-1", B("\x1b\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ "-1", B("\x20") },
	{ "-2^64", B("\x3b\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ "empty bytes", B("\x40") },
	{ "bytes", B("\x43\x00\xff\x80") },
	{ "24 bytes", B("\x58\x18"
			"123456789012345678901234") },
	{ "empty text", B("\x60") },
	{ "text", B("\x63\x61\x62\x63") },
	{ "two-byte character", B("\x62\xc3\xbc") },
	{ "U+0080", B("\x62\xc2\x80") },
	{ "U+0800", B("\x63\xe0\xa0\x80") },
	{ "U+D7FF", B("\x63\xed\x9f\xbf") },
	{ "U+E000", B("\x63\xee\x80\x80") },
	{ "U+10000", B("\x64\xf0\x90\x80\x80") },
	{ "U+10FFFF", B("\x64\xf4\x8f\xbf\xbf") },
	{ "U+0000", B("\x61\x00") },
	{ "empty list", B("\x80") },
	{ "list", B("\x83\x01\x02\x03") },
	{ "empty map", B("\xa0") },
	{ "map", B("\xa2\x01\x02\x03\x04") },
	{ "map of texts", B("\xa2\x61\x61\x00\x61\x62\x00") },
	{ "keys by length, then bytes", B("\xa4\x0a\x00\x18\x64\x00\x20\x00\x61\x7a\x00") },
	{ "false", B("\xf4") },
	{ "true", B("\xf5") },
	{ "null", B("\xf6") },
	{ "tag", B("\xc1\x00") },
	{ "three levels", B("\x81\x81\x81\x00") },
	{ "three kinds of levels", B("\xa1\x01\xc1\x81\x00") },
	{ "lists side by side", B("\x84\x81\x00\x81\x00\x80\xa0") },
	{ "key that is a list", B("\xa1\x81\x00\x00") },
};

static const struct {
	const char *name;
	struct fota_bytes bytes;
} bad_rows[] = {
	{ "nothing", B("") },
	{ "trailing byte", B("\x00\x00") },
	/* not the shortest form */
	{ "0 in 1 byte", B("\x18\x00") },
	{ "23 in 1 byte", B("\x18\x17") },
	{ "255 in 2 bytes", B("\x19\x00\xff") },
	{ "65535 in 4 bytes", B("\x1a\x00\x00\xff\xff") },
	{ "2^32-1 in 8 bytes", B("\x1b\x00\x00\x00\x00\xff\xff\xff\xff") },
	{ "-1 in 1 byte", B("\x38\x00") },
	{ "bytes, long length", B("\x58\x01\x00") },
	{ "bytes, very long length", B("\x59\x00\x01\x00") },
	{ "text, long length", B("\x78\x01\x61") },
	{ "list, long length", B("\x98\x01\x00") },
	{ "map, long length", B("\xb8\x01\x00\x00") },
	{ "tag, long number", B("\xd8\x11\x00") },
	/* reserved and indefinite */
	{ "info 28", B("\x1c") },
	{ "info 29", B("\x1d") },
	{ "info 30", B("\x1e") },
	{ "info 31", B("\x1f") },
	{ "indefinite bytes", B("\x5f\x41\x00\xff") },
	{ "indefinite text", B("\x7f\x61\x61\xff") },
	{ "indefinite list", B("\x9f\x00\xff") },
	{ "indefinite map", B("\xbf\x00\x00\xff") },
	{ "break alone", B("\xff") },
	{ "break in a list", B("\x81\xff") },
	/* floats and simple values */
	{ "half float", B("\xf9\x3c\x00") },
	{ "float", B("\xfa\x3f\x80\x00\x00") },
	{ "double", B("\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00") },
	{ "NaN", B("\xf9\x7e\x00") },
	{ "undefined", B("\xf7") },
	{ "simple 0", B("\xe0") },
	{ "simple 19", B("\xf3") },
	{ "simple 24", B("\xf8\x18") },
	{ "simple 255", B("\xf8\xff") },
	/* order of keys */
	{ "key twice", B("\xa2\x01\x00\x01\x00") },
	{ "keys descending", B("\xa2\x02\x00\x01\x00") },
	{ "long key first", B("\xa2\x18\x64\x00\x0a\x00") },
	{ "text before number", B("\xa2\x61\x61\x00\x01\x00") },
	{ "text twice", B("\xa2\x61\x61\x00\x61\x61\x00") },
	{ "texts descending", B("\xa2\x61\x62\x00\x61\x61\x00") },
	{ "long text first", B("\xa2\x62\x61\x61\x00\x61\x62\x00") },
	{ "inner keys descending", B("\xa1\x01\xa2\x02\x00\x01\x00") },
	{ "list keys descending", B("\xa2\x81\x01\x00\x81\x00\x00") },
	/* UTF-8 */
	{ "lone continuation", B("\x61\x80") },
	{ "cut character", B("\x61\xc3") },
	{ "overlong slash, 2 bytes", B("\x62\xc0\xaf") },
	{ "overlong slash, 3 bytes", B("\x63\xe0\x80\xaf") },
	{ "overlong slash, 4 bytes", B("\x64\xf0\x80\x80\xaf") },
	{ "overlong U+007F", B("\x62\xc1\xbf") },
	{ "overlong U+07FF", B("\x63\xe0\x9f\xbf") },
	{ "overlong U+FFFF", B("\x64\xf0\x8f\xbf\xbf") },
	{ "surrogate U+D800", B("\x63\xed\xa0\x80") },
	{ "surrogate U+DFFF", B("\x63\xed\xbf\xbf") },
	{ "beyond U+10FFFF", B("\x64\xf4\x90\x80\x80") },
	{ "0xf5", B("\x64\xf5\x80\x80\x80") },
	{ "0xfe", B("\x61\xfe") },
	{ "0xff in text", B("\x61\xff") },
	{ "second byte missing its bit", B("\x63\xe1\x80\x00") },
	{ "text in a key", B("\xa1\x61\x80\x00") },
	/* lengths beyond the end */
	{ "bytes beyond the end", B("\x41") },
	{ "bytes, huge", B("\x5b\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ "text, huge", B("\x7b\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ "list, huge", B("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00") },
	{ "map, huge", B("\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00") },
	{ "map, half of 2^64", B("\xbb\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00") },
	{ "list, one missing", B("\x82\x00") },
	{ "map, value missing", B("\xa1\x00") },
	{ "tag of nothing", B("\xc1") },
	/* nesting */
	{ "five lists", B("\x81\x81\x81\x81\x81\x00") },
	{ "five maps", B("\xa1\x00\xa1\x00\xa1\x00\xa1\x00\xa1\x00\x00") },
	{ "five tags", B("\xc1\xc1\xc1\xc1\xc1\x00") },
};

static void every_deterministic_form_is_skipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++) {
		if (skip_copy(good_rows[i].bytes)) { fail_msg("refused: %s", good_rows[i].name); }
	}
}

static void every_other_form_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		if (skip_copy(bad_rows[i].bytes) != FOTA_ERR_FORMAT) { fail_msg("taken: %s", bad_rows[i].name); }
	}
}

static void an_item_that_is_cut_anywhere_or_followed_by_more_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++) {
		uint8_t more[64];
		size_t len = good_rows[i].bytes.len;

		for (size_t cut = 0; cut < len; cut++) {
			struct fota_bytes part = { good_rows[i].bytes.ptr, cut };

			if (!skip_copy(part)) { fail_msg("taken: %s up to %zu", good_rows[i].name, cut); }
		}
		memcpy(more, good_rows[i].bytes.ptr, len);
		more[len] = 0;
		assert_int_equal(skip_copy((struct fota_bytes) { more, len + 1 }), FOTA_ERR_FORMAT);
	}
}

/* All messages of 1 and 2 bytes, and of 3 that begin with a container. */
static void short_messages_never_lead_out_of_their_bytes(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			uint8_t two[2] = { (uint8_t)a, (uint8_t)b };

			(void)skip_copy((struct fota_bytes) { two, 1 });
			(void)skip_copy((struct fota_bytes) { two, 2 });
		}
	}
}

/* ---- typed readers ---- */

static void a_reader_takes_its_own_type_alone(void **state)
{
	/* one item of each major type */
	static const struct fota_bytes items[] = { B("\x05"), B("\x25"), B("\x41\x61"), B("\x61\x61"),
						   B("\x80"), B("\xa0"), B("\xc5\x00"), B("\xf5") };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct fota_rd rd;
		struct fota_rd_map map;

		fota_rd_init(&rd, items[i]);
		(void)fota_rd_uint(&rd);
		assert_int_equal(rd.err, i == 0 ? FOTA_ERR_OK : FOTA_ERR_FORMAT);
		fota_rd_init(&rd, items[i]);
		(void)fota_rd_bstr(&rd);
		assert_int_equal(rd.err, i == 2 ? FOTA_ERR_OK : FOTA_ERR_FORMAT);
		fota_rd_init(&rd, items[i]);
		(void)fota_rd_text(&rd);
		assert_int_equal(rd.err, i == 3 ? FOTA_ERR_OK : FOTA_ERR_FORMAT);
		fota_rd_init(&rd, items[i]);
		(void)fota_rd_array(&rd);
		assert_int_equal(rd.err, i == 4 ? FOTA_ERR_OK : FOTA_ERR_FORMAT);
		fota_rd_init(&rd, items[i]);
		fota_rd_map(&rd, &map);
		assert_int_equal(rd.err, i == 5 ? FOTA_ERR_OK : FOTA_ERR_FORMAT);
		fota_rd_init(&rd, items[i]);
		(void)fota_rd_tag(&rd);
		assert_int_equal(rd.err, i == 6 ? FOTA_ERR_OK : FOTA_ERR_FORMAT);
	}
}

static void after_an_error_readers_give_zero_values_and_keep_the_first_error(void **state)
{
	static const struct fota_bytes bytes = B("\x01\x02\x41\x61");
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key = 99;

	(void)state;
	fota_rd_init(&rd, bytes);
	assert_int_equal(fota_rd_uint(&rd), 1);
	fota_rd_fail(&rd, FOTA_ERR_RANGE);
	fota_rd_fail(&rd, FOTA_ERR_AUTH);
	assert_int_equal(fota_rd_uint(&rd), 0);
	assert_int_equal(fota_rd_bstr(&rd).len, 0);
	assert_int_equal(fota_rd_text(&rd).len, 0);
	assert_int_equal(fota_rd_array(&rd), 0);
	fota_rd_map(&rd, &map);
	assert_false(fota_rd_key(&rd, &map, &key));
	assert_int_equal(key, 99);
	fota_rd_skip(&rd);
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_RANGE);
}

static void keys_come_in_order_and_odd_ones_can_be_skipped(void **state)
{
	/* { 1: 10, -1: 11, "a": 12 } and 2^63 as a key */
	static const struct fota_bytes bytes =
		B("\xa4\x01\x0a\x1b\x80\x00\x00\x00\x00\x00\x00\x00\x0d\x20\x0b\x61\x61\x0c");
	static const int64_t keys[] = { 1, FOTA_CBOR_KEY_OTHER, -1, FOTA_CBOR_KEY_OTHER };
	static const uint64_t values[] = { 10, 13, 11, 12 };
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;
	size_t count = 0;

	(void)state;
	fota_rd_init(&rd, bytes);
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		assert_true(count < 4 && key == keys[count]);
		assert_int_equal(fota_rd_uint(&rd), values[count]);
		count++;
	}
	assert_int_equal(count, 4);
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_OK);
}

static void keys_out_of_order_end_the_reading_of_a_map(void **state)
{
	static const struct fota_bytes rows[] = { B("\xa2\x01\x00\x01\x00"), B("\xa2\x02\x00\x01\x00"),
						  B("\xa2\x20\x00\x01\x00"), B("\xa2\x61\x61\x00\x05\x00") };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fota_rd rd;
		struct fota_rd_map map;
		int64_t key;
		size_t count = 0;

		fota_rd_init(&rd, rows[i]);
		fota_rd_map(&rd, &map);
		while (fota_rd_key(&rd, &map, &key)) {
			(void)fota_rd_uint(&rd);
			count++;
		}
		assert_int_equal(count, 1);
		assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_FORMAT);
	}
}

static void text_keys_are_texts(void **state)
{
	static const struct fota_bytes good = B("\xa2\x61\x61\x01\x61\x62\x02"), bad = B("\xa1\x41\x61\x01");
	struct fota_rd rd;
	struct fota_rd_map map;
	struct fota_bytes key;

	(void)state;
	fota_rd_init(&rd, good);
	fota_rd_map(&rd, &map);
	assert_true(fota_rd_text_key(&rd, &map, &key) && fota_bytes_is_equal(key, fota_bytes_of("a")));
	assert_int_equal(fota_rd_uint(&rd), 1);
	assert_true(fota_rd_text_key(&rd, &map, &key) && fota_bytes_is_equal(key, fota_bytes_of("b")));
	assert_int_equal(fota_rd_uint(&rd), 2);
	assert_false(fota_rd_text_key(&rd, &map, &key));
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_OK);
	fota_rd_init(&rd, bad);
	fota_rd_map(&rd, &map);
	assert_false(fota_rd_text_key(&rd, &map, &key));
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_FORMAT);
}

static void a_key_may_be_a_list_and_is_shown_as_it_is_encoded(void **state)
{
	/* { 1: 2, [h'00']: 3 } */
	static const struct fota_bytes good = B("\xa2\x01\x02\x81\x41\x00\x03"), bad = B("\xa1\xa1\x01\x02\x03");
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;

	(void)state;
	fota_rd_init(&rd, good);
	fota_rd_map(&rd, &map);
	assert_true(fota_rd_key(&rd, &map, &key) && key == 1);
	assert_int_equal(fota_rd_uint(&rd), 2);
	assert_true(fota_rd_key(&rd, &map, &key) && key == FOTA_CBOR_KEY_OTHER);
	assert_true(fota_bytes_is_equal(map.last_key, (struct fota_bytes)B("\x81\x41\x00")));
	assert_int_equal(fota_rd_uint(&rd), 3);
	assert_false(fota_rd_key(&rd, &map, &key));
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_OK);
	fota_rd_init(&rd, bad); /* a map is no key */
	fota_rd_map(&rd, &map);
	assert_false(fota_rd_key(&rd, &map, &key));
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_FORMAT);
}

static void a_signed_number_is_read_to_both_ends_of_its_range(void **state)
{
	static const struct {
		struct fota_bytes bytes;
		int64_t value;
		enum fota_err err;
	} rows[] = {
		{ B("\x00"), 0, FOTA_ERR_OK },
		{ B("\x20"), -1, FOTA_ERR_OK },
		{ B("\x2f"), -16, FOTA_ERR_OK },
		{ B("\x1b\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX, FOTA_ERR_OK },
		{ B("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MIN, FOTA_ERR_OK },
		{ B("\x1b\x80\x00\x00\x00\x00\x00\x00\x00"), 0, FOTA_ERR_FORMAT },
		{ B("\x3b\x80\x00\x00\x00\x00\x00\x00\x00"), 0, FOTA_ERR_FORMAT },
		{ B("\x40"), 0, FOTA_ERR_FORMAT },
		{ B("\xf4"), 0, FOTA_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_rd rd;

		fota_rd_init(&rd, rows[i].bytes);
		assert_true(fota_rd_int(&rd) == rows[i].value);
		assert_int_equal(fota_rd_finish(&rd), rows[i].err);
	}
}

static void an_item_is_shown_with_its_head(void **state)
{
	static const struct fota_bytes list = B("\x83\x41\x07\x82\x01\x02\xf6"), cut = B("\x82\x01");
	struct fota_rd rd;

	(void)state;
	fota_rd_init(&rd, list);
	assert_int_equal(fota_rd_array(&rd), 3);
	assert_true(fota_bytes_is_equal(fota_rd_item(&rd), (struct fota_bytes)B("\x41\x07")));
	assert_true(fota_bytes_is_equal(fota_rd_item(&rd), (struct fota_bytes)B("\x82\x01\x02")));
	assert_true(fota_bytes_is_equal(fota_rd_item(&rd), (struct fota_bytes)B("\xf6")));
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_OK);
	fota_rd_init(&rd, cut);
	assert_int_equal(fota_rd_item(&rd).len, 0);
	assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_FORMAT);
}

/* ---- writer ---- */

static void a_string_around_what_is_written_is_like_one_written_at_once(void **state)
{
	static const uint8_t content[300] = { 1, 2, 3 };
	uint8_t one[400], other[400];

	(void)state;
	for (size_t len = 0; len <= sizeof(content); len++) {
		struct fota_wr wr, plain;
		struct fota_bytes got, wanted;
		size_t outer, inner;

		fota_wr_init(&plain, (struct fota_room) { one, sizeof(one) });
		fota_wr_bstr(&plain, (struct fota_bytes) { content, len });
		assert_int_equal(fota_wr_finish(&plain, &wanted), FOTA_ERR_OK);
		for (size_t cap = 0; cap <= wanted.len + 4; cap++) { /* inside another one */
			fota_wr_init(&wr, (struct fota_room) { other, cap });
			outer = fota_wr_bstr_begin(&wr);
			inner = fota_wr_bstr_begin(&wr);
			fota_wr_raw(&wr, (struct fota_bytes) { content, len });
			fota_wr_bstr_end(&wr, inner);
			fota_wr_bstr_end(&wr, outer);
			if (fota_wr_finish(&wr, &got) == FOTA_ERR_OK) { break; }
			assert_true(cap < wanted.len + 3);
		}
		{
			struct fota_rd rd;

			fota_rd_init(&rd, got);
			assert_true(fota_bytes_is_equal(fota_rd_bstr(&rd), wanted));
			assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_OK);
		}
	}
}

static const uint64_t edges[] = {
	0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX
};

static void write_all(struct fota_wr *wr, uint64_t value)
{
	fota_wr_array(wr, 8);
	fota_wr_uint(wr, value);
	fota_wr_int(wr, (int64_t)(value >> 1));
	fota_wr_int(wr, -1 - (int64_t)(value >> 1));
	fota_wr_bstr(wr, (struct fota_bytes)B("\x00\xff"));
	fota_wr_text(wr, (struct fota_bytes)B("g\xc3\xbc"));
	fota_wr_tag(wr, value);
	fota_wr_map(wr, 1);
	fota_wr_uint(wr, value);
	fota_wr_bstr_head(wr, 3);
	fota_wr_raw(wr, (struct fota_bytes)B("abc"));
	fota_wr_bstr(wr, (struct fota_bytes) { NULL, 0 });
	fota_wr_map(wr, 0);
}

static void read_all(struct fota_rd *rd, uint64_t value)
{
	struct fota_rd_map map;
	int64_t key;

	assert_int_equal(fota_rd_array(rd), 8);
	assert_true(fota_rd_uint(rd) == value);
	assert_true(fota_rd_uint(rd) == value >> 1);
	fota_rd_skip(rd);
	assert_true(fota_bytes_is_equal(fota_rd_bstr(rd), (struct fota_bytes)B("\x00\xff")));
	assert_true(fota_bytes_is_equal(fota_rd_text(rd), (struct fota_bytes)B("g\xc3\xbc")));
	assert_true(fota_rd_tag(rd) == value);
	fota_rd_map(rd, &map);
	assert_true(fota_rd_key(rd, &map, &key));
	assert_true(key == (value < INT64_MAX ? (int64_t)value : FOTA_CBOR_KEY_OTHER));
	assert_true(fota_bytes_is_equal(fota_rd_bstr(rd), (struct fota_bytes)B("abc")));
	assert_false(fota_rd_key(rd, &map, &key));
	assert_int_equal(fota_rd_bstr(rd).len, 0);
	fota_rd_map(rd, &map);
	assert_false(fota_rd_key(rd, &map, &key));
}

static void what_is_written_is_read_and_skipped_for_every_length_of_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		uint8_t room[128];
		struct fota_wr wr;
		struct fota_rd rd;
		struct fota_bytes out;

		fota_wr_init(&wr, (struct fota_room) { room, sizeof(room) });
		write_all(&wr, edges[i]);
		assert_int_equal(fota_wr_finish(&wr, &out), FOTA_ERR_OK);
		fota_rd_init(&rd, out);
		read_all(&rd, edges[i]);
		assert_int_equal(fota_rd_finish(&rd), FOTA_ERR_OK);
		assert_int_equal(skip_copy(out), FOTA_ERR_OK);
	}
}

static void a_writer_that_is_full_stays_so_and_writes_nothing_outside(void **state)
{
	uint8_t whole[128];
	struct fota_wr wr;
	struct fota_bytes out;
	size_t len;

	(void)state;
	fota_wr_init(&wr, (struct fota_room) { whole, sizeof(whole) });
	write_all(&wr, UINT64_MAX);
	assert_int_equal(fota_wr_finish(&wr, &out), FOTA_ERR_OK);
	len = out.len;
	for (size_t cap = 0; cap <= len; cap++) {
		uint8_t *small = malloc(cap ? cap : 1);

		fota_wr_init(&wr, (struct fota_room) { small, cap });
		write_all(&wr, UINT64_MAX);
		assert_int_equal(fota_wr_finish(&wr, &out), cap == len ? FOTA_ERR_OK : FOTA_ERR_FULL);
		assert_int_equal(out.len, cap == len ? len : 0);
		free(small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_deterministic_form_is_skipped),
		cmocka_unit_test(every_other_form_is_refused),
		cmocka_unit_test(an_item_that_is_cut_anywhere_or_followed_by_more_is_refused),
		cmocka_unit_test(short_messages_never_lead_out_of_their_bytes),
		cmocka_unit_test(a_reader_takes_its_own_type_alone),
		cmocka_unit_test(after_an_error_readers_give_zero_values_and_keep_the_first_error),
		cmocka_unit_test(keys_come_in_order_and_odd_ones_can_be_skipped),
		cmocka_unit_test(keys_out_of_order_end_the_reading_of_a_map),
		cmocka_unit_test(text_keys_are_texts),
		cmocka_unit_test(a_key_may_be_a_list_and_is_shown_as_it_is_encoded),
		cmocka_unit_test(a_signed_number_is_read_to_both_ends_of_its_range),
		cmocka_unit_test(an_item_is_shown_with_its_head),
		cmocka_unit_test(a_string_around_what_is_written_is_like_one_written_at_once),
		cmocka_unit_test(what_is_written_is_read_and_skipped_for_every_length_of_number),
		cmocka_unit_test(a_writer_that_is_full_stays_so_and_writes_nothing_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
