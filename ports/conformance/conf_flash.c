/* SPDX-License-Identifier: Apache-2.0 */
/* Storage. A pattern depends on the offset and on a round, so that bytes of another
 * place or of an earlier round are noticed. */
#include "conformance.h"

/* Small erase units are taken several at a time. */
#define BLOCK_MIN 256u

struct run {
	struct conf *conf;
	const struct conf_flash *area;
	const struct fota_flash *flash;
	uint32_t block; /* erase units of at least BLOCK_MIN bytes together */
};

static uint8_t pattern(uint64_t off, unsigned round)
{
	uint64_t mixed = (off + 1) * UINT64_C(0x9e3779b97f4a7c15) + round * UINT64_C(0xbf58476d1ce4e5b9);

	return (uint8_t)(mixed >> 56 ^ mixed >> 24);
}

/* The end of an operation, whenever it comes. */
static enum fota_err settle(struct run *run, enum fota_err err, const char *rule)
{
	if (err == FOTA_ERR_PENDING && run->area->wait) { err = run->area->wait(run->area->ctx); }
	conf_check(run->conf, err == FOTA_ERR_OK, rule, err);
	return err;
}

static enum fota_err sync_area(struct run *run)
{
	return settle(run, run->flash->sync(run->flash->ctx), "sync ends with OK");
}

static enum fota_err erase(struct run *run, uint64_t off, uint64_t len)
{
	return settle(run, run->flash->erase(run->flash->ctx, off, len), "erase ends with OK");
}

/* Programs `len` bytes of the round's pattern from the room, which is spoiled as soon as
 * the call has returned: src is borrowed for the call only. */
static enum fota_err prog(struct run *run, uint64_t off, size_t len, unsigned round)
{
	uint8_t *src = run->area->room.ptr;
	enum fota_err err;

	for (size_t i = 0; i < len; i++) {
		src[i] = pattern(off + i, round);
	}
	err = run->flash->prog(run->flash->ctx, off, src, len);
	memset(src, 0x33, len);
	return settle(run, err, "prog ends with OK");
}

static void check_read(struct run *run, uint64_t off, size_t len, unsigned round, const char *rule)
{
	uint8_t *dst = run->area->room.ptr;

	memset(dst, 0x44, len);
	if (settle(run, run->flash->read(run->flash->ctx, off, dst, len), "read ends with OK")) { return; }
	for (size_t i = 0; i < len; i++) {
		if (dst[i] != pattern(off + i, round)) {
			conf_check(run->conf, false, rule, (long long)(off + i));
			return;
		}
	}
	conf_check(run->conf, true, rule, 0);
}

static bool is_power_of_two(uint32_t value)
{
	return value && (value & (value - 1)) == 0;
}

static bool check_numbers(struct run *run)
{
	const struct fota_flash *flash = run->flash;
	struct conf *conf = run->conf;
	bool is_ok = conf_check(conf, is_power_of_two(flash->erase_bytes), "erase_bytes is a power of two",
				flash->erase_bytes);

	is_ok &= conf_check(conf, flash->prog_bytes && flash->erase_bytes % flash->prog_bytes == 0,
			    "prog_bytes divides erase_bytes", flash->prog_bytes);
	if (!is_ok) { return false; }
	is_ok &= conf_check(conf, flash->erase_step_bytes % flash->erase_bytes == 0,
			    "erase_step_bytes is a multiple of erase_bytes", flash->erase_step_bytes);
	is_ok &= conf_check(conf, flash->area_bytes % flash->erase_bytes == 0,
			    "area_bytes is a multiple of erase_bytes", (long long)flash->area_bytes);
	run->block = flash->erase_bytes;
	while (run->block < BLOCK_MIN) {
		run->block *= 2;
	}
	is_ok &= conf_check(conf, flash->area_bytes / run->block >= 2, "the area has two erase units, and 512 bytes",
			    (long long)flash->area_bytes);
	is_ok &= conf_check(conf, run->area->room.cap >= run->block, "the room has one erase unit, and 256 bytes",
			    (long long)run->area->room.cap);
	return is_ok;
}

/* One unit by pieces of each size that is allowed, and reads across their borders. */
static void check_pieces(struct run *run, uint64_t base)
{
	uint32_t unit = run->block, prog_bytes = run->flash->prog_bytes;

	for (uint32_t piece = prog_bytes; piece <= unit; piece *= 2) {
		uint32_t round = piece;

		/* 4096 pieces of one byte say no more than 64 do */
		uint32_t end = unit / piece > 64 ? 64 * piece : unit;

		if (erase(run, base, unit)) { return; }
		for (uint32_t off = 0; off + piece <= end; off += piece) {
			if (prog(run, base + off, piece, round)) { return; }
		}
		end = end / piece * piece;
		check_read(run, base, end, round, "read gives what was programmed, before a sync");
		for (uint32_t off = 1; off < end; off = off * 3 + 1) {
			check_read(run, base + off, end - off < 5 ? end - off : 5, round,
				   "read takes any offset and length");
		}
		if (sync_area(run)) { return; }
		check_read(run, base, end, round, "read gives what was programmed, after a sync");
	}
}

static void check_neighbours(struct run *run, uint64_t first, uint64_t second)
{
	uint32_t unit = run->block;

	if (erase(run, first, unit) || erase(run, second, unit)) { return; }
	if (prog(run, first, unit, 101) || prog(run, second, unit, 102)) { return; }
	check_read(run, first, unit, 101, "a prog leaves other units alone");
	if (erase(run, second, unit)) { return; }
	check_read(run, first, unit, 101, "an erase leaves other units alone");
	if (prog(run, second, unit, 103)) { return; }
	check_read(run, second, unit, 103, "an erased unit can be programmed again");
	check_read(run, first, unit, 101, "a prog leaves other units alone");
}

static void check_all_at_once(struct run *run)
{
	uint32_t unit = run->block;
	uint64_t count = run->flash->area_bytes / unit;
	uint64_t few = count < 4 ? count : 4;

	if (erase(run, (count - few) * unit, few * unit)) { return; }
	for (uint64_t i = count - few; i < count; i++) {
		if (prog(run, i * unit, unit, 200)) { return; }
	}
	for (uint64_t i = count - few; i < count; i++) {
		check_read(run, i * unit, unit, 200, "several units are erased by one call, up to the end of the area");
	}
}

static void check_restart(struct run *run)
{
	uint32_t unit = run->block;

	if (erase(run, 0, unit) || prog(run, 0, unit, 300) || sync_area(run)) { return; }
	if (sync_area(run)) { return; } /* with nothing to do */
	if (!run->area->reopen) { return; }
	run->area->reopen(run->area->ctx);
	check_read(run, 0, unit, 300, "what was synced is there after a restart");
}

void conf_flash(struct conf *conf, const struct conf_flash *area)
{
	struct run run = { conf, area, area->flash, 0 };
	uint64_t last;

	if (!check_numbers(&run)) { return; }
	last = area->flash->area_bytes / run.block * run.block - run.block;
	check_pieces(&run, 0);
	check_pieces(&run, last);
	check_neighbours(&run, 0, run.block);
	check_neighbours(&run, last, last - run.block);
	check_all_at_once(&run);
	check_restart(&run);
}
