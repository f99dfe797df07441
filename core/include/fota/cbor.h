/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded cursor over deterministic CBOR (RFC 8949 section 4.2.1) and its
 * writer. One implementation for both ends of the device API.
 *
 * What is not deterministic is refused: integers that are not the shortest form,
 * map keys out of order or twice, indefinite lengths, floats, simple values
 * other than false, true and null, invalid UTF-8, nesting beyond 4.
 *
 * Both cursors keep their first error: after it, readers give zero values and
 * writers write nothing. Ask once, with fota_rd_finish / fota_wr_finish. */
#ifndef FOTA_CBOR_H
#define FOTA_CBOR_H

#include "fota/bytes.h"
#include "fota/err.h"

#define FOTA_CBOR_NESTING_MAX 4u

struct fota_rd {
	/* private */
	const uint8_t *ptr;
	size_t len;
	size_t off;
	enum fota_err err;
};

/* A map while it is being read. */
struct fota_rd_map {
	/* private */
	uint64_t left;
	/* public, to read: the key that was read last, as it is encoded */
	struct fota_bytes last_key;
};

/* A key that is no integer of 64 bits: a larger one, a string or an array. What it is
 * says last_key. */
#define FOTA_CBOR_KEY_OTHER INT64_MIN

/* Borrows `bytes` until the last use of the cursor. */
void fota_rd_init(struct fota_rd *rd, struct fota_bytes bytes);
/* Each reads one item of its type; another type there is FORMAT. Slices point
 * into the message. */
uint64_t fota_rd_uint(struct fota_rd *rd);
int64_t fota_rd_int(struct fota_rd *rd); /* FORMAT for what does not fit */
struct fota_bytes fota_rd_bstr(struct fota_rd *rd);
struct fota_bytes fota_rd_text(struct fota_rd *rd);
uint64_t fota_rd_array(struct fota_rd *rd); /* the number of items that follow */
uint64_t fota_rd_tag(struct fota_rd *rd);
void fota_rd_map(struct fota_rd *rd, struct fota_rd_map *map);
/* Reads the next key. False at the end of the map or after an error. The value
 * must be read or skipped before the next call. */
FOTA_MUST_CHECK bool fota_rd_key(struct fota_rd *rd, struct fota_rd_map *map, int64_t *key);
/* The same for a map whose keys are texts; another key type is FORMAT. */
FOTA_MUST_CHECK bool fota_rd_text_key(struct fota_rd *rd, struct fota_rd_map *map, struct fota_bytes *key);
/* Valid UTF-8 (RFC 3629), as a text must be. */
bool fota_cbor_is_text(struct fota_bytes bytes);
/* Skips one well-formed item with all that it contains. */
void fota_rd_skip(struct fota_rd *rd);
/* The same, and gives the item as it is encoded; empty after an error. */
struct fota_bytes fota_rd_item(struct fota_rd *rd);
/* Records an error found by the caller (a value out of range), if it is the first. */
void fota_rd_fail(struct fota_rd *rd, enum fota_err err);
/* OK, the first error, or FORMAT if bytes are left over. */
FOTA_MUST_CHECK enum fota_err fota_rd_finish(struct fota_rd *rd);

struct fota_wr {
	/* private */
	uint8_t *ptr;
	size_t cap;
	size_t len;
	enum fota_err err;
};

/* Keeps `room` until fota_wr_finish. */
void fota_wr_init(struct fota_wr *wr, struct fota_room room);
void fota_wr_uint(struct fota_wr *wr, uint64_t value);
void fota_wr_int(struct fota_wr *wr, int64_t value);
void fota_wr_bstr(struct fota_wr *wr, struct fota_bytes bytes);
/* The head of a byte string of `len` bytes; the caller appends them with fota_wr_raw. */
void fota_wr_bstr_head(struct fota_wr *wr, size_t len);
/* A byte string around all that is written between the two calls. */
FOTA_MUST_CHECK size_t fota_wr_bstr_begin(const struct fota_wr *wr);
void fota_wr_bstr_end(struct fota_wr *wr, size_t begin);
void fota_wr_text(struct fota_wr *wr, struct fota_bytes text);
void fota_wr_array(struct fota_wr *wr, size_t count);
/* The caller writes `count` pairs in ascending order of their encoded keys. */
void fota_wr_map(struct fota_wr *wr, size_t count);
void fota_wr_tag(struct fota_wr *wr, uint64_t tag);
void fota_wr_raw(struct fota_wr *wr, struct fota_bytes bytes);
/* OK and the bytes written, or FULL. */
FOTA_MUST_CHECK enum fota_err fota_wr_finish(const struct fota_wr *wr, struct fota_bytes *out);

#endif
