/* SPDX-License-Identifier: Apache-2.0 */
/* The boot decision, complete: every state against the tables of docs/SPEC.md, which
 * this program reads; then every state that orders, starts and damage can lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/boot.h"

#define CELL_MAX  12
#define ROW_MAX   16
#define CELL_TEXT 64

static const char *spec_path;

/* ---- a table of the page ---- */

struct table {
	char cells[ROW_MAX][CELL_MAX][CELL_TEXT];
	size_t row_count;
	size_t column_count;
	unsigned hits[ROW_MAX];
};

static size_t split_row(char *line, char cells[CELL_MAX][CELL_TEXT])
{
	size_t count = 0;
	char *rest = line, *cell;

	(void)strsep(&rest, "|");
	while ((cell = strsep(&rest, "|")) != NULL && rest) {
		size_t len;

		cell += strspn(cell, " ");
		len = strlen(cell);
		while (len && cell[len - 1] == ' ') {
			len--;
		}
		assert_true(count < CELL_MAX && len < CELL_TEXT);
		memcpy(cells[count], cell, len);
		cells[count++][len] = 0;
	}
	return count;
}

/* The first table below the heading, without its two head lines. */
static void read_table(struct table *table, const char *heading, size_t columns)
{
	FILE *file = fopen(spec_path, "r");
	char line[512];
	unsigned seen = 0;
	bool is_below = false;

	assert_non_null(file);
	memset(table, 0, sizeof(*table));
	table->column_count = columns;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, heading) == 0) { is_below = true; }
		if (!is_below || (line[0] != '|' && !seen)) { continue; }
		if (line[0] != '|') { break; }
		if (++seen <= 2) { continue; }
		assert_true(table->row_count < ROW_MAX);
		assert_int_equal(split_row(line, table->cells[table->row_count++]), columns);
	}
	(void)fclose(file);
	assert_true(table->row_count > 3);
}

/* "any", or one of the words between commas. */
static bool has_word(const char *cell, const char *word)
{
	size_t len = strlen(word);

	if (strcmp(cell, "any") == 0) { return true; }
	for (const char *at = cell; at; at = strchr(at, ',')) {
		at += strspn(at, ", ");
		if (strncmp(at, word, len) == 0 && (at[len] == 0 || at[len] == ',')) { return true; }
	}
	return false;
}

/* The one row whose first cells fit. */
static size_t find_row(struct table *table, const char *const *words, size_t count)
{
	size_t found = ROW_MAX;

	for (size_t row = 0; row < table->row_count; row++) {
		bool is_fit = true;

		for (size_t i = 0; i < count; i++) {
			is_fit = is_fit && has_word(table->cells[row][i], words[i]);
		}
		if (!is_fit) { continue; }
		if (found != ROW_MAX) { fail_msg("rows %zu and %zu both fit %s", found + 1, row + 1, words[0]); }
		found = row;
	}
	if (found == ROW_MAX) { fail_msg("no row for %s, %s, %s", words[0], words[1], words[2]); }
	table->hits[found]++;
	return found;
}

static void check_all_hit(const struct table *table)
{
	for (size_t row = 0; row < table->row_count; row++) {
		if (!table->hits[row]) { fail_msg("row %zu fits no state", row + 1); }
	}
}

/* ---- states ---- */

static const char *const state_words[] = { "idle", "installing", "armed", "trial" };
static const uint8_t tries[] = { 0, 1, 2, 255 };

enum content { WHOLE, UNKNOWN, DAMAGED };
static const char *const content_words[] = { "whole", "unknown", "damaged" };

struct state {
	struct fota_boot boot;
	enum content confirmed, other;
};

#define STATE_COUNT (4u * 2u * 4u * 2u * 3u * 2u)

static struct fota_image image_of(const char *version, uint64_t sequence)
{
	struct fota_image image = { .size_bytes = 1000, .sequence = sequence };

	assert_int_equal(fota_text_set(&image.version, fota_bytes_of(version)), FOTA_ERR_OK);
	return image;
}

static unsigned take(unsigned *number, unsigned count)
{
	unsigned value = *number % count;

	*number /= count;
	return value;
}

/* State number n of all. */
static struct state make_state(unsigned n)
{
	struct state made = { .boot = { .floor = 4 } };
	struct fota_boot *boot = &made.boot;

	boot->state = (uint8_t)take(&n, 4);
	boot->active = (uint8_t)take(&n, 2);
	boot->tries_left = tries[take(&n, 4)];
	made.confirmed = take(&n, 2) ? DAMAGED : WHOLE;
	made.other = (enum content)take(&n, 3);
	boot->images[boot->active] = image_of("old", 4);
	boot->images[!boot->active] = image_of("new", 9);
	if (made.other == UNKNOWN) { memset(&boot->images[!boot->active], 0, sizeof(boot->images[0])); }
	boot->result.is_there = boot->result.is_told = take(&n, 2);
	boot->result.code = boot->result.is_there ? 307 : 0;
	return made;
}

static unsigned usable_of(const struct state *state)
{
	unsigned active = state->boot.active;

	/* nobody knows that an unknown one is damaged */
	return (state->confirmed != DAMAGED) << active | (state->other != DAMAGED) << !active;
}

static const char *tries_word(unsigned count)
{
	return count ? "1 or more" : "0";
}

static void check_state(const char *cell, unsigned before, unsigned after)
{
	assert_string_equal(strcmp(cell, "same") == 0 ? state_words[before] : cell, state_words[after]);
}

static void check_tries(const char *cell, unsigned before, unsigned after)
{
	static const struct {
		const char *word;
		int step;
	} words[] = { { "same", 0 }, { "one less", -1 } };

	for (size_t i = 0; i < 2; i++) {
		if (strcmp(cell, words[i].word) == 0) {
			assert_int_equal((int)before + words[i].step, after);
			return;
		}
	}
	assert_string_equal(cell, "0");
	assert_int_equal(after, 0);
}

static void check_result(const char *cell, const struct fota_boot *before, const struct fota_boot *after)
{
	if (strcmp(cell, "same") == 0) {
		assert_memory_equal(&before->result, &after->result, sizeof(before->result));
		return;
	}
	assert_true(after->result.is_there && !after->result.is_told);
	assert_int_equal(after->result.code, atoi(cell));
	assert_true(fota_bytes_is_equal(fota_text_get(&after->result.old_version), fota_bytes_of("old")));
}

/* What no start changes. */
static void check_kept(const struct fota_boot *before, const struct fota_boot *after)
{
	assert_int_equal(before->floor, after->floor);
	assert_memory_equal(before->images, after->images, sizeof(before->images));
}

static bool is_yes(const char *cell)
{
	if (strcmp(cell, "yes") != 0) { assert_string_equal(cell, "no"); }
	return cell[0] == 'y';
}

static void check_choice(const char *cell, const struct fota_boot *before, const struct fota_boot_choice *choice)
{
	const char *runs = choice->is_none ? "none" : choice->slot == before->active ? "confirmed" : "other";

	assert_string_equal(cell, runs);
}

static void every_state_boots_what_the_first_table_says(void **unused)
{
	static struct table table;

	(void)unused;
	read_table(&table, "### A start by a boot loader that reads the journal", 10);
	for (unsigned n = 0; n < STATE_COUNT; n++) {
		struct state state = make_state(n);
		const struct fota_boot before = state.boot;
		struct fota_boot *after = &state.boot;
		const char *words[] = { state_words[before.state], tries_word(before.tries_left),
					content_words[state.confirmed], content_words[state.other] };
		size_t row = find_row(&table, words, 4);
		char(*cells)[CELL_TEXT] = table.cells[row];
		struct fota_boot_choice choice = fota_boot_select(after, usable_of(&state));

		check_choice(cells[4], &before, &choice);
		check_state(cells[5], before.state, after->state);
		check_tries(cells[6], before.tries_left, after->tries_left);
		assert_string_equal(cells[7], before.active == after->active ? "same" : "other");
		check_result(cells[8], &before, after);
		assert_int_equal(is_yes(cells[9]), choice.must_store);
		assert_int_equal(choice.must_store, memcmp(&before, after, sizeof(before)) != 0);
		check_kept(&before, after);
	}
	check_all_hit(&table);
}

static void every_state_takes_what_runs_as_the_second_table_says(void **unused)
{
	static struct table table;

	(void)unused;
	read_table(&table, "### A start by a boot loader that was told", 8);
	for (unsigned n = 0; n < STATE_COUNT; n++) {
		struct state state = make_state(n / 2);
		const struct fota_boot before = state.boot;
		struct fota_boot *after = &state.boot;
		unsigned running = n % 2;
		const char *words[] = { state_words[before.state], tries_word(before.tries_left),
					running == before.active ? "confirmed" : "other" };
		char(*cells)[CELL_TEXT] = table.cells[find_row(&table, words, 3)];
		struct fota_boot_choice choice = fota_boot_adopt(after, running);

		assert_int_equal(choice.slot, running);
		assert_false(choice.is_none);
		check_state(cells[3], before.state, after->state);
		check_tries(cells[4], before.tries_left, after->tries_left);
		check_result(cells[5], &before, after);
		assert_int_equal(is_yes(cells[6]), choice.must_store);
		assert_int_equal(is_yes(cells[7]), choice.is_stranger);
		assert_int_equal(before.active, after->active);
		check_kept(&before, after);
	}
	check_all_hit(&table);
}

/* ---- orders ---- */

static void order(const char *name, struct fota_boot *boot)
{
	struct fota_image image = image_of("newest", 12);

	if (strcmp(name, "arm") == 0) { fota_boot_arm(boot, &image, fota_bytes_of("other text"), 7); }
	if (strcmp(name, "confirm") == 0) { fota_boot_confirm(boot); }
	if (strcmp(name, "roll back") == 0) { fota_boot_roll_back(boot, FOTA_CODE_INCOMPLETE); }
}

static uint64_t floor_after(const char *cell, const struct fota_boot *before)
{
	uint64_t sequence = before->images[!before->active].sequence;

	if (strcmp(cell, "same") == 0) { return before->floor; }
	assert_string_equal(cell, "not below the image's");
	return sequence > before->floor ? sequence : before->floor;
}

static void every_order_does_what_the_third_table_says(void **unused)
{
	static const char *const names[] = { "arm", "confirm", "roll back" };
	static struct table table;

	(void)unused;
	read_table(&table, "### Orders of the session", 7);
	for (unsigned n = 0; n < 3 * STATE_COUNT; n++) {
		struct state state = make_state(n / 3);
		const struct fota_boot before = state.boot;
		struct fota_boot *after = &state.boot;
		const char *words[] = { names[n % 3], state_words[before.state], "" };
		char(*cells)[CELL_TEXT] = table.cells[find_row(&table, words, 2)];

		order(names[n % 3], after);
		check_state(cells[2], before.state, after->state);
		if (strcmp(cells[3], "as set") == 0) {
			assert_int_equal(after->tries_left, 7);
		} else {
			check_tries(cells[3], before.tries_left, after->tries_left);
		}
		assert_string_equal(cells[4], before.active == after->active ? "same" : "other");
		assert_true(after->floor == floor_after(cells[5], &before));
		check_result(strcmp(cells[6], "same") == 0 ? "same" : "509", &before, after);
	}
	check_all_hit(&table);
}

static void a_version_that_was_never_known_is_learned_when_it_is_left(void **unused)
{
	struct fota_boot boot = { .state = FOTA_BOOT_IDLE };
	struct fota_image image = image_of("V2", 1);
	static const uint8_t too_long[FOTA_VERSION_MAX_BYTES + 1] = "x";

	(void)unused;
	fota_boot_arm(&boot, &image, (struct fota_bytes) { too_long, sizeof(too_long) }, 0);
	assert_int_equal(boot.images[0].version.len, 0);
	assert_int_equal(boot.tries_left, 1); /* never none */
	fota_boot_arm(&boot, &image, (struct fota_bytes) { NULL, 0 }, 256);
	assert_int_equal(boot.tries_left, 255); /* nor fewer than were given, by counting over */
	fota_boot_arm(&boot, &image, fota_bytes_of("V1"), 3);
	assert_true(fota_bytes_is_equal(fota_text_get(&boot.images[0].version), fota_bytes_of("V1")));
	fota_boot_arm(&boot, &image, fota_bytes_of("V9"), 3);
	assert_true(fota_bytes_is_equal(fota_text_get(&boot.images[0].version), fota_bytes_of("V1")));
	assert_true(fota_bytes_is_equal(fota_text_get(&boot.images[1].version), fota_bytes_of("V2")));
}

/* ---- everything that orders, starts and damage can lead to ---- */

enum bytes_kind { FACTORY, VERIFIED, JUNK };

struct world {
	struct fota_boot boot;
	uint8_t bytes[FOTA_SLOT_COUNT]; /* what is really in the slots */
	bool is_ready;                  /* a package was verified in the target */
	uint8_t starts;                 /* of the image on trial */
};

#define TRIES     2u
#define WORLD_MAX 4096u

static struct world worlds[WORLD_MAX];
static unsigned world_count;

/* Two worlds are the same if what matters is; versions and digests do not. */
static bool is_same(const struct world *a, const struct world *b)
{
	for (unsigned i = 0; i < FOTA_SLOT_COUNT; i++) {
		if (a->bytes[i] != b->bytes[i] || a->boot.images[i].version.len != b->boot.images[i].version.len ||
		    a->boot.images[i].size_bytes != b->boot.images[i].size_bytes) {
			return false;
		}
	}
	return a->boot.state == b->boot.state && a->boot.active == b->boot.active && a->is_ready == b->is_ready &&
	       a->boot.tries_left == b->boot.tries_left && a->starts == b->starts;
}

static void add_world(const struct world *world)
{
	for (unsigned i = 0; i < world_count; i++) {
		if (is_same(&worlds[i], world)) { return; }
	}
	assert_true(world_count < WORLD_MAX);
	worlds[world_count++] = *world;
}

/* As session_enter_preparing and the download behind it. */
static void overwrite_target(struct world *world)
{
	unsigned target = fota_boot_target(&world->boot);

	if (world->boot.state != FOTA_BOOT_IDLE) { return; }
	memset(&world->boot.images[target], 0, sizeof(world->boot.images[target]));
	world->bytes[target] = JUNK;
	world->is_ready = false;
	add_world(world);
	world->bytes[target] = VERIFIED;
	world->is_ready = true;
	add_world(world);
}

static void arm_world(struct world *world)
{
	struct fota_image image = image_of("V", 1);

	if (world->boot.state != FOTA_BOOT_IDLE || !world->is_ready) { return; }
	fota_boot_arm(&world->boot, &image, fota_bytes_of("V"), TRIES);
	world->starts = 0;
	add_world(world);
}

/* `damaged`: bits of slots whose bytes have changed since. */
static void start_world(struct world *world, unsigned damaged)
{
	unsigned usable = 0;
	struct fota_boot_choice choice;

	for (unsigned i = 0; i < FOTA_SLOT_COUNT; i++) {
		bool is_looked_at = world->boot.images[i].size_bytes > 0;
		bool is_junk = world->bytes[i] == JUNK || (damaged & 1u << i);

		usable |= (unsigned)!(is_looked_at && is_junk) << i;
	}
	choice = fota_boot_select(&world->boot, usable);
	if (choice.is_none) {
		assert_true(damaged != 0);
	} else {
		assert_int_not_equal(world->bytes[choice.slot], JUNK);
		/* nothing of the factory's is looked at, so only a looked-at one is surely whole */
		assert_true(world->boot.images[choice.slot].size_bytes == 0 || !(damaged & 1u << choice.slot));
	}
	assert_int_not_equal(world->bytes[world->boot.active], JUNK);
	world->starts = (uint8_t)(world->boot.state == FOTA_BOOT_TRIAL ? world->starts + 1 : 0);
	assert_true(world->starts <= TRIES);
	/* a result is only from an installation: what was ready stays so, unless it was tried */
	if (choice.must_store && world->boot.state == FOTA_BOOT_IDLE) { world->is_ready = false; }
	add_world(world);
}

static void end_world(struct world *world, bool is_kept)
{
	if (world->boot.state != FOTA_BOOT_TRIAL) { return; }
	if (is_kept) {
		fota_boot_confirm(&world->boot);
	} else {
		fota_boot_roll_back(&world->boot, FOTA_CODE_CANCELLED);
	}
	world->is_ready = false;
	world->starts = 0;
	add_world(world);
}

static void nothing_that_can_happen_boots_what_was_not_verified(void **unused)
{
	const struct world first = { .bytes = { FACTORY, JUNK } };

	(void)unused;
	world_count = 0;
	add_world(&first);
	for (unsigned i = 0; i < world_count; i++) {
		struct world world;

		overwrite_target(&(struct world[]) { worlds[i] }[0]);
		arm_world(&(struct world[]) { worlds[i] }[0]);
		for (unsigned damaged = 0; damaged < 4; damaged++) {
			world = worlds[i];
			start_world(&world, damaged);
		}
		end_world(&(struct world[]) { worlds[i] }[0], true);
		end_world(&(struct world[]) { worlds[i] }[0], false);
	}
	assert_true(world_count > 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_boots_what_the_first_table_says),
		cmocka_unit_test(every_state_takes_what_runs_as_the_second_table_says),
		cmocka_unit_test(every_order_does_what_the_third_table_says),
		cmocka_unit_test(a_version_that_was_never_known_is_learned_when_it_is_left),
		cmocka_unit_test(nothing_that_can_happen_boots_what_was_not_verified),
	};

	if (argc != 2) { return 2; }
	spec_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
