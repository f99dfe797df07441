/* SPDX-License-Identifier: Apache-2.0 */
/* The decision which slot runs, without any I/O. Invariants:
 *
 * - `active` changes in fota_boot_confirm alone, and where the active image is damaged
 *   and the other one is whole.
 * - An image is tried only between ARMED and the end of its trial, and each start of it
 *   is counted in what the caller stores before the jump.
 * - A result is untold from the moment that it changes. */
#include "fota/boot.h"

unsigned fota_boot_target(const struct fota_boot *boot)
{
	return !boot->active;
}

static void set_result(struct fota_boot *boot, enum fota_code code)
{
	struct fota_boot_result *result = &boot->result;

	result->is_there = true;
	result->is_told = false;
	result->code = (uint16_t)code;
	result->old_version = boot->images[boot->active].version;
	result->new_version = boot->images[fota_boot_target(boot)].version;
}

/* At least one start, and no more than are counted. */
static uint8_t starts_of(unsigned tries)
{
	if (tries == 0) { return 1; }
	return tries < UINT8_MAX ? (uint8_t)tries : UINT8_MAX;
}

void fota_boot_arm(struct fota_boot *boot, const struct fota_image *image, struct fota_bytes running_version,
		   unsigned tries)
{
	struct fota_text *running = &boot->images[boot->active].version;

	/* a version that is too long to be kept stays unknown */
	if (!running->len && fota_text_set(running, running_version)) { running->len = 0; }
	boot->images[fota_boot_target(boot)] = *image;
	boot->tries_left = starts_of(tries);
	boot->state = FOTA_BOOT_ARMED;
}

void fota_boot_confirm(struct fota_boot *boot)
{
	const struct fota_image *image = &boot->images[fota_boot_target(boot)];

	if (boot->state != FOTA_BOOT_TRIAL) { return; }
	if (image->sequence > boot->floor) { boot->floor = image->sequence; }
	boot->active = (uint8_t)fota_boot_target(boot);
	boot->state = FOTA_BOOT_IDLE;
	boot->tries_left = 0;
}

void fota_boot_roll_back(struct fota_boot *boot, enum fota_code code)
{
	set_result(boot, code);
	boot->state = FOTA_BOOT_IDLE;
	boot->tries_left = 0;
}

/* A start of the image on trial. */
static void count_try(struct fota_boot *boot)
{
	if (boot->state == FOTA_BOOT_ARMED) { set_result(boot, FOTA_CODE_NONE); }
	boot->state = FOTA_BOOT_TRIAL;
	boot->tries_left--;
}

static bool is_on_trial(const struct fota_boot *boot)
{
	return boot->state == FOTA_BOOT_ARMED || boot->state == FOTA_BOOT_TRIAL;
}

/* There is an image that was verified once, or that the factory put there. */
static bool is_known(const struct fota_boot *boot, unsigned slot)
{
	return slot == boot->active || boot->images[slot].version.len > 0;
}

/* The confirmed image, or the last way out: the other one, if the confirmed one is
 * damaged. An image whose trial has just failed is none: its slot is not usable, or the
 * confirmed one is. */
static struct fota_boot_choice choose_confirmed(struct fota_boot *boot, unsigned usable)
{
	struct fota_boot_choice choice = { .slot = boot->active };
	unsigned other = fota_boot_target(boot);

	if (usable & 1u << boot->active) { return choice; }
	if (!(usable & 1u << other) || !is_known(boot, other)) {
		choice.is_none = true;
		return choice;
	}
	set_result(boot, FOTA_CODE_VERIFY);
	boot->active = (uint8_t)other;
	choice.slot = other;
	choice.must_store = true;
	return choice;
}

struct fota_boot_choice fota_boot_select(struct fota_boot *boot, unsigned usable)
{
	unsigned target = fota_boot_target(boot);
	bool is_whole = (usable & 1u << target) && is_known(boot, target);
	struct fota_boot_choice choice;

	if (!is_on_trial(boot)) { return choose_confirmed(boot, usable); }
	if (boot->tries_left && is_whole) {
		count_try(boot);
		return (struct fota_boot_choice) { .slot = target, .must_store = true };
	}
	fota_boot_roll_back(boot, is_whole ? FOTA_CODE_ABORTED : FOTA_CODE_VERIFY);
	choice = choose_confirmed(boot, usable);
	choice.must_store = true;
	return choice;
}

struct fota_boot_choice fota_boot_adopt(struct fota_boot *boot, unsigned running)
{
	struct fota_boot_choice choice = { .slot = running };

	if (!is_on_trial(boot)) {
		choice.is_stranger = running != boot->active;
		return choice;
	}
	choice.must_store = true;
	if (running == fota_boot_target(boot) && boot->tries_left) {
		count_try(boot);
		return choice;
	}
	choice.is_stranger = running != boot->active; /* its starts are used up */
	fota_boot_roll_back(boot, FOTA_CODE_ABORTED);
	return choice;
}
