/* SPDX-License-Identifier: Apache-2.0 */
/* Deterministic CBOR (RFC 8949 4.2.1), both directions.
 *
 * Every read goes through take(), which is the only place that moves the offset;
 * lengths are compared as `len > left`, so that no sum can wrap. Keys of a map are
 * checked against the one before them by comparing their encoded bytes, which is the
 * order that the RFC demands and finds duplicates on the way.
 *
 * Left out on purpose: floats, indefinite lengths, bignums, simple values beyond
 * false, true and null. */
#include "fota/cbor.h"

enum major { MAJOR_UINT, MAJOR_NINT, MAJOR_BSTR, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };

/* What is skipped stands in a map, which is a level already. */
#define SKIP_LEVELS (FOTA_CBOR_NESTING_MAX - 1)

#define HEAD_MAX     9u /* initial byte and argument */
#define SIMPLE_FALSE 20u
#define SIMPLE_NULL  22u

void fota_rd_init(struct fota_rd *rd, struct fota_bytes bytes)
{
	*rd = (struct fota_rd) { .ptr = bytes.ptr, .len = bytes.len };
}

void fota_rd_fail(struct fota_rd *rd, enum fota_err err)
{
	if (!rd->err) { rd->err = err; }
}

static struct fota_bytes take(struct fota_rd *rd, uint64_t len)
{
	struct fota_bytes slice;

	if (!rd->err && len > rd->len - rd->off) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
	if (rd->err) { return (struct fota_bytes) { NULL, 0 }; }
	slice = (struct fota_bytes) { rd->ptr + rd->off, (size_t)len };
	rd->off += (size_t)len;
	return slice;
}

/* The argument that follows an initial byte with `info` below 28; refused unless it
 * is the shortest form. */
static uint64_t argument(struct fota_rd *rd, unsigned info)
{
	static const uint64_t least[4] = { 24, 0x100, 0x10000, 0x100000000 };
	struct fota_bytes bytes;
	uint64_t value = 0;

	if (info < 24) { return info; }
	bytes = take(rd, (uint64_t)1 << (info - 24));
	for (size_t i = 0; i < bytes.len; i++) {
		value = value << 8 | bytes.ptr[i];
	}
	if (value < least[info - 24]) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
	return value;
}

static uint64_t head(struct fota_rd *rd, unsigned *major)
{
	struct fota_bytes initial = take(rd, 1);
	unsigned info;
	uint64_t value;

	*major = MAJOR_SIMPLE;
	if (rd->err) { return 0; }
	*major = initial.ptr[0] >> 5;
	info = initial.ptr[0] & 31;
	if (info > 27 || (*major == MAJOR_SIMPLE && (info < SIMPLE_FALSE || info > SIMPLE_NULL))) {
		fota_rd_fail(rd, FOTA_ERR_FORMAT);
		return 0;
	}
	value = argument(rd, info);
	return rd->err ? 0 : value;
}

static uint64_t head_of(struct fota_rd *rd, unsigned wanted)
{
	unsigned major;
	uint64_t value = head(rd, &major);

	if (major != wanted) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
	return rd->err ? 0 : value;
}

uint64_t fota_rd_uint(struct fota_rd *rd)
{
	return head_of(rd, MAJOR_UINT);
}

static int64_t signed_value(struct fota_rd *rd, unsigned major, uint64_t value)
{
	if ((major != MAJOR_UINT && major != MAJOR_NINT) || value > INT64_MAX) {
		fota_rd_fail(rd, FOTA_ERR_FORMAT);
		return 0;
	}
	return major == MAJOR_UINT ? (int64_t)value : -1 - (int64_t)value;
}

int64_t fota_rd_int(struct fota_rd *rd)
{
	unsigned major;
	uint64_t value = head(rd, &major);

	return signed_value(rd, major, value);
}

struct fota_bytes fota_rd_bstr(struct fota_rd *rd)
{
	return take(rd, head_of(rd, MAJOR_BSTR));
}

/* The length of the UTF-8 sequence at `p`, or 0 if it is not one (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t first, last, len, low, high; /* low, high: bounds of the second byte */
	} rows[] = {
		{ 0x00, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
		{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
		{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		if (p[0] < rows[r].first || p[0] > rows[r].last) { continue; }
		if (rows[r].len > left) { return 0; }
		if (rows[r].len > 1 && (p[1] < rows[r].low || p[1] > rows[r].high)) { return 0; }
		for (size_t i = 2; i < rows[r].len; i++) {
			if ((p[i] & 0xc0) != 0x80) { return 0; }
		}
		return rows[r].len;
	}
	return 0;
}

bool fota_cbor_is_text(struct fota_bytes text)
{
	size_t off = 0;

	while (off < text.len) {
		size_t len = utf8_len(text.ptr + off, text.len - off);

		if (!len) { return false; }
		off += len;
	}
	return true;
}

struct fota_bytes fota_rd_text(struct fota_rd *rd)
{
	struct fota_bytes text = take(rd, head_of(rd, MAJOR_TEXT));

	if (!fota_cbor_is_text(text)) {
		fota_rd_fail(rd, FOTA_ERR_FORMAT);
		return (struct fota_bytes) { NULL, 0 };
	}
	return text;
}

uint64_t fota_rd_array(struct fota_rd *rd)
{
	return head_of(rd, MAJOR_ARRAY);
}

uint64_t fota_rd_tag(struct fota_rd *rd)
{
	return head_of(rd, MAJOR_TAG);
}

void fota_rd_map(struct fota_rd *rd, struct fota_rd_map *map)
{
	*map = (struct fota_rd_map) { .left = head_of(rd, MAJOR_MAP) };
}

/* Bytewise lexicographic order of encoded keys; the shorter of two that begin alike
 * cannot occur, since no encoding is the beginning of another. */
static bool is_ascending(struct fota_bytes before, struct fota_bytes after)
{
	size_t len = before.len < after.len ? before.len : after.len;

	return before.len == 0 || memcmp(before.ptr, after.ptr, len) < 0;
}

static void end_key(struct fota_rd *rd, struct fota_rd_map *map, size_t start)
{
	struct fota_bytes key = { rd->ptr + start, rd->off - start };

	if (!is_ascending(map->last_key, key)) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
	map->last_key = key;
	map->left--;
}

/* Maps and tags as keys are refused: nobody sends them. */
static int64_t key_value(struct fota_rd *rd)
{
	size_t start = rd->off;
	unsigned major;
	uint64_t value = head(rd, &major);

	if (major == MAJOR_ARRAY) {
		rd->off = start;
		fota_rd_skip(rd);
		return FOTA_CBOR_KEY_OTHER;
	}
	if (major == MAJOR_BSTR || major == MAJOR_TEXT) {
		(void)take(rd, value);
		return FOTA_CBOR_KEY_OTHER;
	}
	if (value > INT64_MAX - 1 && major <= MAJOR_NINT) { return FOTA_CBOR_KEY_OTHER; }
	return signed_value(rd, major, value);
}

bool fota_rd_key(struct fota_rd *rd, struct fota_rd_map *map, int64_t *key)
{
	size_t start = rd->off;

	if (rd->err || map->left == 0) { return false; }
	*key = key_value(rd);
	if (!rd->err) { end_key(rd, map, start); }
	return !rd->err;
}

bool fota_rd_text_key(struct fota_rd *rd, struct fota_rd_map *map, struct fota_bytes *key)
{
	size_t start = rd->off;

	if (rd->err || map->left == 0) { return false; }
	*key = fota_rd_text(rd);
	if (!rd->err) { end_key(rd, map, start); }
	return !rd->err;
}

/* Where a skip stands inside one container. */
struct level {
	uint64_t left; /* items still to come, keys and values counted apart */
	bool is_map;
	bool is_at_key;
	size_t key_start;
	struct fota_bytes last_key;
};

/* Opens the container that was just read; false if there is none or it is empty. */
static bool open_level(struct level *level, unsigned major, uint64_t value)
{
	*level = (struct level) { .left = value, .is_map = major == MAJOR_MAP, .is_at_key = major == MAJOR_MAP };
	if (major == MAJOR_MAP) { level->left = value > UINT64_MAX / 2 ? UINT64_MAX : value * 2; }
	if (major == MAJOR_TAG) { level->left = 1; }
	return (major == MAJOR_ARRAY || major == MAJOR_MAP || major == MAJOR_TAG) && level->left > 0;
}

/* An item of `level` is complete: checks the order if it was a key. */
static void end_item(struct fota_rd *rd, struct level *level)
{
	level->left--;
	if (!level->is_map) { return; }
	if (level->is_at_key) {
		struct fota_bytes key = { rd->ptr + level->key_start, rd->off - level->key_start };

		if (!is_ascending(level->last_key, key)) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
		level->last_key = key;
	}
	level->is_at_key = !level->is_at_key;
}

/* Reads one head and the bytes of a string. */
static uint64_t skip_head(struct fota_rd *rd, unsigned *major)
{
	size_t start = rd->off;
	uint64_t value = head(rd, major);

	if (*major == MAJOR_BSTR) { (void)take(rd, value); }
	if (*major == MAJOR_TEXT) {
		rd->off = rd->err ? rd->off : start;
		(void)fota_rd_text(rd);
	}
	return value;
}

/* Depth is bounded by the array of levels, work by the bytes: each turn takes one. */
void fota_rd_skip(struct fota_rd *rd)
{
	struct level levels[SKIP_LEVELS];
	size_t depth = 0;

	do {
		struct level inner;
		unsigned major;
		uint64_t value;

		if (depth && levels[depth - 1].is_at_key) { levels[depth - 1].key_start = rd->off; }
		value = skip_head(rd, &major);
		if (rd->err) { return; }
		if (open_level(&inner, major, value)) {
			if (depth == SKIP_LEVELS) {
				fota_rd_fail(rd, FOTA_ERR_FORMAT);
				return;
			}
			inner.key_start = rd->off;
			levels[depth++] = inner;
			continue;
		}
		/* the item is complete, and with it perhaps the containers around it */
		while (depth) {
			end_item(rd, &levels[depth - 1]);
			if (levels[depth - 1].left) { break; }
			depth--;
		}
	} while (depth && !rd->err);
}

struct fota_bytes fota_rd_item(struct fota_rd *rd)
{
	size_t start = rd->off;

	fota_rd_skip(rd);
	return rd->err ? (struct fota_bytes) { NULL, 0 } : (struct fota_bytes) { rd->ptr + start, rd->off - start };
}

enum fota_err fota_rd_finish(struct fota_rd *rd)
{
	if (!rd->err && rd->off != rd->len) { rd->err = FOTA_ERR_FORMAT; }
	return rd->err;
}

void fota_wr_init(struct fota_wr *wr, struct fota_room room)
{
	*wr = (struct fota_wr) { .ptr = room.ptr, .cap = room.cap };
}

void fota_wr_raw(struct fota_wr *wr, struct fota_bytes bytes)
{
	if (wr->err) { return; }
	if (bytes.len > wr->cap - wr->len) {
		wr->err = FOTA_ERR_FULL;
		return;
	}
	if (bytes.len) { memcpy(wr->ptr + wr->len, bytes.ptr, bytes.len); }
	wr->len += bytes.len;
}

static void put_head(struct fota_wr *wr, unsigned major, uint64_t value)
{
	uint8_t bytes[HEAD_MAX];
	size_t size = 0; /* of the argument: 0, 1, 2, 4, 8 */
	unsigned info = (unsigned)value;

	if (value >= 24) {
		info = 24;
		size = 1;
		while (size < 8 && value >> (8 * size)) {
			size *= 2;
			info++;
		}
	}
	bytes[0] = (uint8_t)(major << 5 | info);
	for (size_t i = 0; i < size; i++) {
		bytes[1 + i] = (uint8_t)(value >> (8 * (size - 1 - i)));
	}
	fota_wr_raw(wr, (struct fota_bytes) { bytes, 1 + size });
}

void fota_wr_uint(struct fota_wr *wr, uint64_t value)
{
	put_head(wr, MAJOR_UINT, value);
}

void fota_wr_int(struct fota_wr *wr, int64_t value)
{
	if (value < 0) {
		put_head(wr, MAJOR_NINT, (uint64_t)(-(value + 1)));
		return;
	}
	put_head(wr, MAJOR_UINT, (uint64_t)value);
}

void fota_wr_bstr_head(struct fota_wr *wr, size_t len)
{
	put_head(wr, MAJOR_BSTR, len);
}

void fota_wr_bstr(struct fota_wr *wr, struct fota_bytes bytes)
{
	put_head(wr, MAJOR_BSTR, bytes.len);
	fota_wr_raw(wr, bytes);
}

size_t fota_wr_bstr_begin(const struct fota_wr *wr)
{
	return wr->len;
}

/* The head's length depends on the content's: it is written behind the content and then
 * brought before it. */
void fota_wr_bstr_end(struct fota_wr *wr, size_t begin)
{
	size_t end = wr->len;
	uint8_t bytes[HEAD_MAX];
	size_t len;

	put_head(wr, MAJOR_BSTR, end - begin);
	if (wr->err) { return; }
	len = wr->len - end;
	memcpy(bytes, wr->ptr + end, len);
	memmove(wr->ptr + begin + len, wr->ptr + begin, end - begin);
	memcpy(wr->ptr + begin, bytes, len);
}

void fota_wr_text(struct fota_wr *wr, struct fota_bytes text)
{
	put_head(wr, MAJOR_TEXT, text.len);
	fota_wr_raw(wr, text);
}

void fota_wr_array(struct fota_wr *wr, size_t count)
{
	put_head(wr, MAJOR_ARRAY, count);
}

void fota_wr_map(struct fota_wr *wr, size_t count)
{
	put_head(wr, MAJOR_MAP, count);
}

void fota_wr_tag(struct fota_wr *wr, uint64_t tag)
{
	put_head(wr, MAJOR_TAG, tag);
}

enum fota_err fota_wr_finish(const struct fota_wr *wr, struct fota_bytes *out)
{
	*out = (struct fota_bytes) { wr->ptr, wr->err ? 0 : wr->len };
	return wr->err;
}
