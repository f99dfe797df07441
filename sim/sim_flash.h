/* SPDX-License-Identifier: Apache-2.0 */
/* Flash that fails on demand.
 *
 * sim_fault stands in front of any flash port and makes one kind of operation fail
 * from the n-th on; atfotad uses it for --fault. sim_flash is a NOR flash in memory
 * that checks what the contract of fota/port.h asks of the caller, completes its
 * operations at once or later, and can lose its power. */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include "fota/port.h"

enum sim_op { SIM_READ, SIM_PROG, SIM_ERASE, SIM_SYNC, SIM_OP_COUNT };

enum sim_effect {
	SIM_FINE,
	SIM_IO,   /* the port returns IO */
	SIM_FULL, /* the port returns FULL */
	SIM_HANG, /* the port returns PENDING, and no completion ever comes */
};

struct sim_fault {
	struct fota_flash flash; /* the port to use; filled by sim_fault_init */
	/* private */
	struct fota_flash inner;
	struct {
		enum sim_effect effect;
		uint32_t from; /* of the n-th operation on, counted from 1 */
		uint32_t count;
	} rules[SIM_OP_COUNT];
};

/* Copies `inner`. No faults yet. */
void sim_fault_init(struct sim_fault *fault, const struct fota_flash *inner);
void sim_fault_set(struct sim_fault *fault, enum sim_op op, enum sim_effect effect, uint32_t from);
/* "prog=io" or "sync=hang@3". False if it is not of that form. */
FOTA_MUST_CHECK bool sim_fault_parse(struct sim_fault *fault, const char *text);

struct sim_flash {
	struct fota_flash flash; /* the port to use; filled by sim_flash_init */
	/* Operations answer PENDING; the test calls sim_flash_complete. */
	bool is_async;
	/* The n-th operation from now on is torn and all later ones fail; 0 = never. */
	uint32_t cut_in;
	uint32_t op_count;
	uint32_t violation_count; /* of the contract by the caller */
	/* private */
	uint8_t *cells;
	uint8_t *state; /* a byte per byte: erased, or programmed */
	bool is_dead, is_pending;
	enum fota_err result;
};

/* Keeps the two buffers of area_bytes each. All cells begin in an unknown state. */
void sim_flash_init(struct sim_flash *flash, uint8_t *cells, uint8_t *state, uint32_t area_bytes, uint32_t erase_bytes,
		    uint32_t prog_bytes);
/* True, and the result, if an operation was pending. */
bool sim_flash_complete(struct sim_flash *flash, enum fota_err *result);
/* Power comes back after a cut. */
void sim_flash_restart(struct sim_flash *flash);

#endif
