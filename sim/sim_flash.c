/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_flash.h"

#include <stdlib.h>
#include <string.h>

/* ---- faults in front of another port ---- */

static bool is_hit(struct sim_fault *fault, enum sim_op op, enum fota_err *err)
{
	static const enum fota_err errors[] = {
		[SIM_IO] = FOTA_ERR_IO,
		[SIM_FULL] = FOTA_ERR_FULL,
		[SIM_HANG] = FOTA_ERR_PENDING,
	};
	enum sim_effect effect = fault->rules[op].effect;

	fault->rules[op].count++;
	if (effect == SIM_FINE || fault->rules[op].count < fault->rules[op].from) { return false; }
	*err = errors[effect];
	return true;
}

static enum fota_err fault_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct sim_fault *fault = ctx;
	enum fota_err err;

	return is_hit(fault, SIM_READ, &err) ? err : fault->inner.read(fault->inner.ctx, off, dst, len);
}

static enum fota_err fault_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct sim_fault *fault = ctx;
	enum fota_err err;

	return is_hit(fault, SIM_PROG, &err) ? err : fault->inner.prog(fault->inner.ctx, off, src, len);
}

static enum fota_err fault_erase(void *ctx, uint64_t off, uint64_t len)
{
	struct sim_fault *fault = ctx;
	enum fota_err err;

	return is_hit(fault, SIM_ERASE, &err) ? err : fault->inner.erase(fault->inner.ctx, off, len);
}

static enum fota_err fault_sync(void *ctx)
{
	struct sim_fault *fault = ctx;
	enum fota_err err;

	return is_hit(fault, SIM_SYNC, &err) ? err : fault->inner.sync(fault->inner.ctx);
}

void sim_fault_init(struct sim_fault *fault, const struct fota_flash *inner)
{
	*fault = (struct sim_fault) { .flash = *inner, .inner = *inner };
	fault->flash.ctx = fault;
	fault->flash.read = fault_read;
	fault->flash.prog = fault_prog;
	fault->flash.erase = fault_erase;
	fault->flash.sync = fault_sync;
}

void sim_fault_set(struct sim_fault *fault, enum sim_op op, enum sim_effect effect, uint32_t from)
{
	fault->rules[op].effect = effect;
	fault->rules[op].from = from;
	fault->rules[op].count = 0;
}

/* The index of the name that `text` begins with, or -1; *rest is what follows. */
static int find_name(const char *text, const char *const *names, int count, const char **rest)
{
	for (int i = 0; i < count; i++) {
		size_t len = strlen(names[i]);

		if (strncmp(text, names[i], len) == 0) {
			*rest = text + len;
			return i;
		}
	}
	return -1;
}

bool sim_fault_parse(struct sim_fault *fault, const char *text)
{
	static const char *const ops[] = { "read", "prog", "erase", "sync" };
	static const char *const effects[] = { "fine", "io", "full", "hang" };
	const char *rest = text;
	int op = find_name(text, ops, SIM_OP_COUNT, &rest);
	int effect;
	char *end;
	unsigned long from = 1;

	if (op < 0 || *rest != '=') { return false; }
	effect = find_name(rest + 1, effects, 4, &rest);
	if (effect < 0) { return false; }
	if (*rest == '@') {
		from = strtoul(rest + 1, &end, 10);
		if (end == rest + 1 || from == 0 || from > UINT32_MAX) { return false; }
		rest = end;
	}
	sim_fault_set(fault, (enum sim_op)op, (enum sim_effect)effect, (uint32_t)from);
	return *rest == 0;
}

/* ---- NOR flash in memory ---- */

enum cell_state { CELL_UNKNOWN, CELL_ERASED, CELL_PROGRAMMED };

static enum fota_err answer(struct sim_flash *flash, enum fota_err err)
{
	if (!flash->is_async) { return err; }
	flash->is_pending = true;
	flash->result = err;
	return FOTA_ERR_PENDING;
}

/* Counts the operation; false if there is no power. *is_torn: this is the last one,
 * and only half of it happens. */
static bool begin_op(struct sim_flash *flash, bool *is_torn)
{
	*is_torn = false;
	if (flash->is_pending) { flash->violation_count++; }
	flash->op_count++;
	if (flash->is_dead) { return false; }
	if (flash->cut_in && --flash->cut_in == 0) { *is_torn = flash->is_dead = true; }
	return true;
}

static bool is_inside(const struct sim_flash *flash, uint64_t off, uint64_t len)
{
	return len <= flash->flash.area_bytes && off <= flash->flash.area_bytes - len;
}

static enum fota_err flash_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct sim_flash *flash = ctx;
	bool is_torn;

	if (!is_inside(flash, off, len)) { flash->violation_count++; }
	if (!begin_op(flash, &is_torn) || is_torn) { return FOTA_ERR_IO; }
	memcpy(dst, flash->cells + off, len);
	return answer(flash, FOTA_ERR_OK);
}

static enum fota_err flash_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct sim_flash *flash = ctx;
	const uint8_t *bytes = src;
	bool is_torn;

	if (off % flash->flash.prog_bytes || len % flash->flash.prog_bytes || !is_inside(flash, off, len)) {
		flash->violation_count++;
		return FOTA_ERR_IO;
	}
	if (!begin_op(flash, &is_torn)) { return FOTA_ERR_IO; }
	for (size_t i = 0; i < (is_torn ? len / 2 : len); i++) {
		if (flash->state[off + i] != CELL_ERASED) { flash->violation_count++; }
		flash->cells[off + i] = bytes[i];
		flash->state[off + i] = CELL_PROGRAMMED;
	}
	return is_torn ? FOTA_ERR_IO : answer(flash, FOTA_ERR_OK);
}

static enum fota_err flash_erase(void *ctx, uint64_t off, uint64_t len)
{
	struct sim_flash *flash = ctx;
	bool is_torn;

	if (off % flash->flash.erase_bytes || len % flash->flash.erase_bytes || !is_inside(flash, off, len)) {
		flash->violation_count++;
		return FOTA_ERR_IO;
	}
	if (!begin_op(flash, &is_torn)) { return FOTA_ERR_IO; }
	memset(flash->cells + off, is_torn ? 0x5a : 0xff, (size_t)len);
	memset(flash->state + off, is_torn ? CELL_UNKNOWN : CELL_ERASED, (size_t)len);
	return is_torn ? FOTA_ERR_IO : answer(flash, FOTA_ERR_OK);
}

static enum fota_err flash_sync(void *ctx)
{
	struct sim_flash *flash = ctx;
	bool is_torn;

	if (!begin_op(flash, &is_torn) || is_torn) { return FOTA_ERR_IO; }
	return answer(flash, FOTA_ERR_OK);
}

void sim_flash_init(struct sim_flash *flash, uint8_t *cells, uint8_t *state, uint32_t area_bytes, uint32_t erase_bytes,
		    uint32_t prog_bytes)
{
	*flash = (struct sim_flash) { .cells = cells, .state = state };
	flash->flash = (struct fota_flash) {
		.ctx = flash,
		.erase_bytes = erase_bytes,
		.prog_bytes = prog_bytes,
		.area_bytes = area_bytes,
		.read = flash_read,
		.prog = flash_prog,
		.erase = flash_erase,
		.sync = flash_sync,
	};
	memset(cells, 0xa5, area_bytes);
	memset(state, CELL_UNKNOWN, area_bytes);
}

bool sim_flash_complete(struct sim_flash *flash, enum fota_err *result)
{
	bool was_pending = flash->is_pending;

	*result = flash->result;
	flash->is_pending = false;
	return was_pending;
}

void sim_flash_restart(struct sim_flash *flash)
{
	flash->is_dead = false;
	flash->is_pending = false;
	flash->cut_in = 0;
}
