/* SPDX-License-Identifier: Apache-2.0 */
#include "areas.h"

#include <string.h>

#include "fuzz.h"

static bool is_async, is_pending;

/* What is pending, and what was there before. */
static struct {
	struct area *area; /* NULL: a read or a sync */
	uint64_t off;
	size_t len;
	uint8_t bytes[AREA_BYTES], is_erased[AREA_BYTES];
} now;

static void check_range(const struct area *area, uint64_t off, size_t len)
{
	fuzz_require(off <= area->flash.area_bytes && len <= area->flash.area_bytes - off,
		     "storage is used inside the area");
	fuzz_require(!is_pending, "one storage operation at a time");
}

static enum fota_err begin(struct area *area, uint64_t off, size_t len)
{
	now.area = area;
	now.off = off;
	now.len = len;
	is_pending = is_async;
	return is_async ? FOTA_ERR_PENDING : FOTA_ERR_OK;
}

/* Keeps what a cut would leave. */
static enum fota_err begin_write(struct area *area, uint64_t off, size_t len)
{
	fuzz_require(!area->is_protected, "what runs is not written to");
	memcpy(now.bytes, area->bytes + off, len);
	memcpy(now.is_erased, area->is_erased + off, len);
	area->write_count++;
	return begin(area, off, len);
}

static enum fota_err area_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct area *area = ctx;

	check_range(area, off, len);
	memcpy(dst, area->bytes + off, len);
	return begin(NULL, 0, 0);
}

static enum fota_err area_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct area *area = ctx;
	enum fota_err err;

	fuzz_require(off % PROG_BYTES == 0 && len % PROG_BYTES == 0, "programs are aligned");
	check_range(area, off, len);
	err = begin_write(area, off, len);
	for (size_t i = 0; i < len; i++) {
		fuzz_require(area->is_erased[off + i], "what is programmed was erased");
	}
	memset(area->is_erased + off, 0, len);
	memcpy(area->bytes + off, src, len);
	return err;
}

static enum fota_err area_erase(void *ctx, uint64_t off, uint64_t len)
{
	struct area *area = ctx;
	enum fota_err err;

	fuzz_require(off % UNIT_BYTES == 0 && len % UNIT_BYTES == 0, "erases are aligned");
	check_range(area, off, (size_t)len);
	err = begin_write(area, off, (size_t)len);
	memset(area->bytes + off, 0xff, (size_t)len);
	memset(area->is_erased + off, 1, (size_t)len);
	return err;
}

static enum fota_err area_sync(void *ctx)
{
	(void)ctx;
	fuzz_require(!is_pending, "one storage operation at a time");
	return begin(NULL, 0, 0);
}

void areas_init(struct area *area, uint32_t size)
{
	memset(area, 0, sizeof(*area));
	area->flash = (struct fota_flash) { area,      UNIT_BYTES, UNIT_BYTES, PROG_BYTES, size,
					    area_read, area_prog,  area_erase, area_sync };
	is_async = is_pending = false;
}

void areas_set_async(bool is_later)
{
	is_async = is_later;
}

bool areas_is_pending(void)
{
	return is_pending;
}

void areas_complete(void)
{
	is_pending = false;
}

/* Cells behind the cut are as before, but no longer erased if they were to be programmed: nobody
 * knows what they hold. */
void areas_cut(unsigned part)
{
	size_t done = now.len * part / 256;

	if (is_pending && now.area) {
		struct area *area = now.area;

		memcpy(area->bytes + now.off + done, now.bytes + done, now.len - done);
		for (size_t i = done; i < now.len; i++) {
			if (!now.is_erased[i]) { area->is_erased[now.off + i] = 0; }
		}
	}
	is_pending = false;
}
