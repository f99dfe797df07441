/* SPDX-License-Identifier: Apache-2.0 */
/* What the rig's files share; not for tests. */
#ifndef RIG_PRIV_H
#define RIG_PRIV_H

#include "rig.h"

void rig_area_init(struct rig *rig, struct rig_area *area, uint32_t size, uint32_t erase_bytes, uint32_t prog_bytes);
void rig_area_power_on(struct rig_area *area);
/* True, and the result, if an operation that was pending has ended. */
bool rig_area_complete(struct rig_area *area, enum fota_err *result);
/* Counts an operation that is none of an area; true if the power goes in it. */
bool rig_counts_cut(struct rig *rig);
uint32_t rig_dice(struct rig *rig);

/* Ends the operation that is pending, with its result; false: none is. At most one of all areas is. */
bool rig_complete_any(struct rig *rig, enum fota_err *result);

#endif
