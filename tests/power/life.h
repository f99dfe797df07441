/* SPDX-License-Identifier: Apache-2.0 */
/* A module's life with two upgrades in a row, and the host that drives it: it looks at the
 * state of the module, gives the next command, and goes on after every cut of power as if it
 * had just arrived. So a life comes to its end however often the power goes.
 *
 * What must hold is checked at each start: one of the two images that may run now runs, whole
 * (rig_boot compares all of its bytes), and never the new one before its installation
 * was ordered or after its end was told. */
#ifndef LIFE_H
#define LIFE_H

#include "rig.h"

enum ending {
	END_CONFIRMED,
	END_BY_HOST, /* rolled back */
	END_BY_TIME,
	END_BY_STARTS,
};

struct life_plan {
	const char *name;
	struct rig_cfg cfg;
	enum ending endings[2];
};

struct life {
	struct rig *rig;
	const struct life_plan *plan;
	int confirmed;   /* release that is kept if nothing else is said */
	int step;        /* upgrades that came to their end */
	bool is_ordered; /* the new one may run */
	unsigned turns;
};

extern const struct life_plan life_plans[];
extern const unsigned life_plan_count;

/* A new module. */
void life_begin(struct life *life, struct rig *rig, const struct life_plan *plan);
/* To the end of the second upgrade; false if the power went on the way. */
bool life_go_on(struct life *life);
/* Power is there again. */
void life_power_on(struct life *life);
/* What holds at the end. */
void life_check_end(struct life *life, bool was_cut);

#endif
