/* SPDX-License-Identifier: Apache-2.0 */
/* How far a device is with a deployment, by the reports that came. Pure functions. */
#ifndef CLOUD_DOMAIN_PROGRESS_H
#define CLOUD_DOMAIN_PROGRESS_H

#include "fota/bytes.h"
#include "fota/device_api.h"

/* A device that has not reported yet. */
#define CLOUD_PROGRESS_NONE 0

/* Whether a report says where its device stands in the deployment of `target`: "installed" does
 * so only from a module that runs the new version. */
bool cloud_report_counts(uint64_t state, struct fota_bytes version, struct fota_bytes target);

/* Whether a report that counts moves a device on that stands at `before` (a report's state, or
 * CLOUD_PROGRESS_NONE). False: the report came late, or is of no state that we know. */
bool cloud_progress_moves(int64_t before, uint64_t state);

#endif
