/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the CBOR cursor with one item. Properties: what is skipped is one item that
 * the typed readers read as well and that the writer makes again, byte for byte; what
 * they refuse, the skip refuses. */
#include <string.h>

#include "fota/cbor.h"
#include "fuzz.h"

#define LEVEL_MAX 4

enum major { UINT, NINT, BSTR, TEXT, ARRAY, MAP, TAG, SIMPLE };

/* Copies what the library has no typed reader for. */
static void copy_skipped(struct fota_rd *rd, struct fota_wr *wr)
{
	size_t start = rd->off;

	fota_rd_skip(rd);
	if (!rd->err) { fota_wr_raw(wr, (struct fota_bytes) { rd->ptr + start, rd->off - start }); }
}

/* Writes the head of the item again; gives how many items are inside. */
static uint64_t copy_head(struct fota_rd *rd, struct fota_wr *wr)
{
	struct fota_rd_map map;
	uint64_t value;

	switch (rd->ptr[rd->off] >> 5) {
	case UINT:
		fota_wr_uint(wr, fota_rd_uint(rd));
		return 0;
	case BSTR:
		fota_wr_bstr(wr, fota_rd_bstr(rd));
		return 0;
	case TEXT:
		fota_wr_text(wr, fota_rd_text(rd));
		return 0;
	case ARRAY:
		value = fota_rd_array(rd);
		fota_wr_array(wr, (size_t)value);
		return value;
	case MAP:
		fota_rd_map(rd, &map);
		fota_wr_map(wr, (size_t)map.left);
		return map.left > UINT64_MAX / 2 ? UINT64_MAX : map.left * 2;
	case TAG:
		fota_wr_tag(wr, fota_rd_tag(rd));
		return 1;
	default:
		copy_skipped(rd, wr);
		return 0;
	}
}

/* The whole item; the order of keys is the skip's business alone. */
static void copy_item(struct fota_rd *rd, struct fota_wr *wr)
{
	uint64_t left[64];
	size_t depth = 0;

	do {
		uint64_t inside;

		if (rd->err || rd->off == rd->len) { return; }
		inside = copy_head(rd, wr);
		while (depth && inside == 0 && --left[depth - 1] == 0) {
			depth--;
		}
		if (inside) {
			if (depth == 64) { return; }
			left[depth++] = inside;
		}
	} while (depth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fota_rd skip, rd;
	struct fota_wr wr;
	struct fota_bytes out;
	enum fota_err err;
	uint8_t *room = malloc(len + 1);

	fota_rd_init(&skip, (struct fota_bytes) { data, len });
	fota_rd_skip(&skip);
	err = fota_rd_finish(&skip);
	fota_rd_init(&rd, (struct fota_bytes) { data, len });
	fota_wr_init(&wr, (struct fota_room) { room, len });
	copy_item(&rd, &wr);
	if (err == FOTA_ERR_OK) {
		fuzz_require(fota_rd_finish(&rd) == FOTA_ERR_OK, "what is skipped can be read");
		fuzz_require(fota_wr_finish(&wr, &out) == FOTA_ERR_OK, "what is read can be written");
		fuzz_require(out.len == len && (len == 0 || memcmp(out.ptr, data, len) == 0), "to the same bytes");
	} else {
		fuzz_require(err == FOTA_ERR_FORMAT, "there is one error");
	}
	free(room);
	return 0;
}
