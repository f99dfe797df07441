/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of installations ask again and again, and their ways to a state. */
#ifndef SESSION_INSTALLS_H
#define SESSION_INSTALLS_H

#include "rig.h"

extern struct rig rig;

enum fota_state state(void);
/* Reports that arrived, the first of each ID alone: "3/3 4 5", state and code if there is one; with '*' behind
 * those that came from the version of release `n`. */
const char *reports(int n);
/* How often a result was told. */
unsigned result_count(void);
/* A session has told how an installation went: once, and with both versions. */
void check_result(int code, int old, int new);
/* Nothing is owed, and nothing secret is left behind. */
void check_over(int running);
struct rig_cfg slots_cfg(void);
/* From the factory to a package that is ready, to its installation, to the trial. */
void get_ready(const struct rig_cfg *cfg);
void install(void);
void get_on_trial(const struct rig_cfg *cfg);
/* From now on no report arrives. */
void no_reports(void);

#endif
