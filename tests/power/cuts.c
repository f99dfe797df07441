/* SPDX-License-Identifier: Apache-2.0 */
/* Power goes at each storage operation of whole lives, the boot loader's among them:
 * every single cut of every life, and pairs of cuts, a sample of them in a check and all of
 * them with POWER_ALL=1 (`make soak`). A failure prints REPLAY=...; with this in the
 * environment its case runs alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "life.h"

#define OPERATION_MAX 400u /* of one life */

static struct rig rig;
static struct life life;

/* All of it takes a quarter of an hour. */
static bool is_soak(void)
{
	return getenv("POWER_ALL") || getenv("REPLAY"); /* a case of them may be asked for */
}

static void cut_in(uint32_t n)
{
	rig_fault(&rig, (struct rig_fault) { n ? RIG_OP_CUT : RIG_OP_FINE, n, n });
}

/* kill -9, or a reset that leaves the power on. */
static void kill_in(uint32_t n)
{
	rig_fault(&rig, (struct rig_fault) { RIG_OP_KILL, n, n });
}

/* The cuts in their order, 0: no more; the first is a kill only. Gives how many came. */
static unsigned play(const struct life_plan *plan, uint32_t seed, const uint32_t cuts[2], bool is_kill)
{
	struct life_plan seeded = *plan;
	unsigned came = 0;

	seeded.cfg.seed += seed;
	life_begin(&life, &rig, &seeded);
	(is_kill ? kill_in : cut_in)(cuts[0]);
	(void)life_go_on(&life);
	while (rig.is_dead) {
		came++;
		cut_in(came < 2 ? cuts[came] : 0);
		life_power_on(&life);
		if (!rig.is_dead) { (void)life_go_on(&life); }
	}
	cut_in(0);
	life_check_end(&life, came > 0);
	return came;
}

/* Like `play`, but not if REPLAY names another case: then as if every cut came. */
static unsigned play_either(size_t plan, uint32_t seed, uint32_t first, uint32_t second, bool is_kill)
{
	const uint32_t cuts[] = { first, second };

	if (!rig_case(&rig, "life %s, seed %u, %s at %u and %u", life_plans[plan].name, seed,
		      is_kill ? "kill and cut" : "cuts", first, second)) {
		return first < OPERATION_MAX ? (second > 0 && second < OPERATION_MAX) + 1 : 0;
	}
	return play(&life_plans[plan], seed, cuts, is_kill);
}

static unsigned play_case(size_t plan, uint32_t seed, uint32_t first, uint32_t second)
{
	return play_either(plan, seed, first, second, false);
}

static void every_life_comes_to_its_end_without_a_cut(void **unused)
{
	(void)unused;
	for (size_t plan = 0; plan < life_plan_count; plan++) {
		(void)play_case(plan, 0, 0, 0);
	}
}

static void a_cut_at_any_operation_leaves_a_module_that_boots_and_gets_on(void **unused)
{
	uint32_t seeds = is_soak() ? 20 : 1;

	(void)unused;
	for (size_t plan = 0; plan < life_plan_count; plan++) {
		for (uint32_t seed = 0; seed < seeds; seed++) {
			uint32_t n = 1;

			while (play_case(plan, seed, n, 0) > 0) {
				n++;
			}
			rig_require(&rig, n > 100 && n <= OPERATION_MAX); /* a life has so many */
			if (seed == 0) { print_message("%s: %u operations\n", life_plans[plan].name, n - 1); }
		}
	}
}

/* In a check every 97th pair, so one or two for each first cut. */
static void two_cuts_anywhere_leave_a_module_that_boots_and_gets_on(void **unused)
{
	uint32_t step = is_soak() ? 1 : 97;

	(void)unused;
	for (size_t plan = 0; plan < life_plan_count; plan++) {
		unsigned came = 1;

		for (uint32_t first = 1; came > 0; first++) {
			came = 2;
			for (uint32_t second = 1 + first * 17 % step; came == 2; second += step) {
				came = play_case(plan, 1, first, second);
			}
		}
	}
}

/* Cuts that follow each other closely: in the boot loader, before the session is up. */
static void two_cuts_in_a_row_leave_a_module_that_boots_and_gets_on(void **unused)
{
	(void)unused;
	for (size_t plan = 0; plan < life_plan_count; plan++) {
		unsigned came = 1;

		for (uint32_t first = 1 + (uint32_t)plan; came > 0; first += is_soak() ? 1 : 23) {
			for (uint32_t second = 1; second <= 20; second++) {
				came = play_case(plan, 2, first, second);
			}
		}
	}
}

/* What a program wrote and did not sync is read by the next one, and lost by a cut. */
static void a_kill_and_then_a_cut_leave_a_module_that_boots_and_gets_on(void **unused)
{
	(void)unused;
	for (size_t plan = 0; plan < life_plan_count; plan++) {
		unsigned came = 1;

		for (uint32_t first = 1; came > 0; first += is_soak() ? 1 : 3) {
			for (uint32_t second = 1 + first % (is_soak() ? 1 : 5); second <= 20;
			     second += is_soak() ? 1 : 5) {
				came = play_either(plan, 3, first, second, true);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_life_comes_to_its_end_without_a_cut),
		cmocka_unit_test(a_cut_at_any_operation_leaves_a_module_that_boots_and_gets_on),
		cmocka_unit_test(two_cuts_anywhere_leave_a_module_that_boots_and_gets_on),
		cmocka_unit_test(two_cuts_in_a_row_leave_a_module_that_boots_and_gets_on),
		cmocka_unit_test(a_kill_and_then_a_cut_leave_a_module_that_boots_and_gets_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
