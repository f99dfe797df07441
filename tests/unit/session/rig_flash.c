/* SPDX-License-Identifier: Apache-2.0 */
/* Areas of simulated flash on one power rail. Operations of both are counted
 * together, so that "the n-th operation" means the n-th of the module. */
#include <string.h>

#include "rig_priv.h"

uint32_t rig_dice(struct rig *rig)
{
	rig->random_state = rig->random_state * 1664525u + 1013904223u;
	return rig->random_state >> 16;
}

static bool is_hit(const struct rig *rig)
{
	return rig->op_count >= rig->fault.from && rig->op_count <= rig->fault.to;
}

/* Before the operation; *err is its result if it is not carried out. */
static bool is_refused(struct rig_area *area, enum fota_err *err)
{
	struct rig *rig = area->rig;

	*err = FOTA_ERR_IO;
	if (rig->is_dead) { return true; }
	rig->is_killed = false;
	/* one operation at a time */
	rig_require(rig, !rig->slot.sim.is_pending && !rig->slot_b.sim.is_pending && !rig->journal.sim.is_pending);
	rig_require(rig, !rig->slot.is_hung && !rig->slot_b.is_hung && !rig->journal.is_hung);
	rig->op_count++;
	if (area->is_late) {
		area->is_late = false;
		return true;
	}
	if (!is_hit(rig)) { return false; }
	switch (rig->fault.effect) {
	case RIG_OP_FULL:
		*err = FOTA_ERR_FULL;
		return true;
	case RIG_OP_IO:
		return true;
	case RIG_OP_ODD:
		*err = FOTA_ERR_AUTH; /* nothing that a flash port may return */
		return true;
	case RIG_OP_KILL:
		rig->is_dead = rig->is_killed = true;
		return true;
	case RIG_OP_CUT:
		area->sim.cut_in = 1;
		rig->is_dead = true;
		return false;
	default:
		return false;
	}
}

bool rig_counts_cut(struct rig *rig)
{
	rig->op_count++;
	if (rig->fault.effect == RIG_OP_CUT && is_hit(rig)) { rig->is_dead = true; }
	return rig->is_dead;
}

/* Behind the operation: a hanging one was carried out, but never says so. */
static enum fota_err after(struct rig_area *area, enum fota_err err)
{
	struct rig *rig = area->rig;

	if (rig->fault.effect == RIG_OP_HANG && is_hit(rig) && !rig->is_dead) {
		area->is_hung = true;
		return FOTA_ERR_PENDING;
	}
	return err;
}

static enum fota_err area_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct rig_area *area = ctx;
	enum fota_err err;

	if (is_refused(area, &err)) { return err; }
	return after(area, area->sim.flash.read(&area->sim, off, dst, len));
}

static enum fota_err area_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct rig_area *area = ctx;
	enum fota_err err;

	if (is_refused(area, &err)) { return err; }
	if (area->rig->fault.effect == RIG_OP_LATE && is_hit(area->rig)) {
		area->is_late = true;
		return FOTA_ERR_OK;
	}
	return after(area, area->sim.flash.prog(&area->sim, off, src, len));
}

static enum fota_err area_erase(void *ctx, uint64_t off, uint64_t len)
{
	struct rig_area *area = ctx;
	enum fota_err err;

	if (is_refused(area, &err)) { return err; }
	return after(area, area->sim.flash.erase(&area->sim, off, len));
}

static enum fota_err area_sync(void *ctx)
{
	struct rig_area *area = ctx;
	enum fota_err err;

	if (is_refused(area, &err)) { return err; }
	err = area->sim.flash.sync(&area->sim);
	if (area->rig->cfg.is_cached && !area->rig->is_dead) {
		memcpy(area->durable_cells, area->cells, area->size);
		memcpy(area->durable_state, area->state, area->size);
	}
	return after(area, err);
}

/* What was not synced may be there or not, each unit for itself. */
static void lose_unsynced(struct rig_area *area)
{
	uint32_t unit = area->sim.flash.prog_bytes < 64 ? 64 : area->sim.flash.prog_bytes;

	for (uint32_t off = 0; off < area->size; off += unit) {
		if (memcmp(area->cells + off, area->durable_cells + off, unit) == 0 || rig_dice(area->rig) & 1) {
			continue;
		}
		memcpy(area->cells + off, area->durable_cells + off, unit);
		memcpy(area->state + off, area->durable_state + off, unit);
	}
}

void rig_area_init(struct rig *rig, struct rig_area *area, uint32_t size, uint32_t erase_bytes, uint32_t prog_bytes)
{
	area->rig = rig;
	area->size = size;
	area->is_hung = area->is_late = false;
	sim_flash_init(&area->sim, area->cells, area->state, size, erase_bytes, prog_bytes);
	area->sim.is_async = rig->cfg.is_async;
	memcpy(area->durable_cells, area->cells, size);
	memcpy(area->durable_state, area->state, size);
	area->port = area->sim.flash;
	area->port.ctx = area;
	area->port.read = area_read;
	area->port.prog = area_prog;
	area->port.erase = area_erase;
	area->port.sync = area_sync;
}

void rig_area_power_on(struct rig_area *area)
{
	sim_flash_restart(&area->sim);
	area->is_hung = area->is_late = false;
	if (area->rig->is_killed) { return; }
	if (area->rig->cfg.is_cached) { lose_unsynced(area); }
	memcpy(area->durable_cells, area->cells, area->size);
	memcpy(area->durable_state, area->state, area->size);
}

bool rig_area_complete(struct rig_area *area, enum fota_err *result)
{
	if (area->is_hung) { return false; }
	return sim_flash_complete(&area->sim, result);
}

unsigned rig_area_count(const struct rig_area *area, const char *text)
{
	const uint8_t *end = area->cells + area->size, *at = area->cells;
	unsigned count = 0;

	while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
		at += strlen(text);
		count++;
	}
	return count;
}
