/* SPDX-License-Identifier: Apache-2.0 */
/* Reports may come late, twice, or in another order than they were made, and carry no number that
 * tells. So the states themselves decide, by the table below: a row for where the device stands, and in it
 * which reports move it.
 *
 * - A try goes on: checking, downloading, downloaded, installing, and one of the four ends.
 * - "Installed" is the end of the deployment for its device: nothing takes it back.
 * - After another end the device may try again. Its first reports look like late ones of the try that ended, so
 *   it stands where that ended until the new one is further: downloaded; after a rollback, at its end. */
#include "domain/progress.h"

#define TO(state) (1u << FOTA_REPORT_##state)
#define ENDS      (TO(INSTALLED) | TO(ROLLED_BACK) | TO(FAILED) | TO(CANCELLED))
#define ANY       (TO(CHECKING) | TO(DOWNLOADING) | TO(DOWNLOADED) | TO(INSTALLING) | ENDS)

static const uint16_t may_follow[] = {
	[CLOUD_PROGRESS_NONE] = ANY,
	[FOTA_REPORT_CHECKING] = ANY,
	[FOTA_REPORT_DOWNLOADING] = TO(DOWNLOADING) | TO(DOWNLOADED) | TO(INSTALLING) | ENDS,
	[FOTA_REPORT_DOWNLOADED] = TO(DOWNLOADED) | TO(INSTALLING) | ENDS,
	[FOTA_REPORT_INSTALLING] = TO(INSTALLING) | TO(INSTALLED) | TO(ROLLED_BACK) | TO(FAILED),
	[FOTA_REPORT_INSTALLED] = TO(INSTALLED),
	[FOTA_REPORT_ROLLED_BACK] = ENDS,
	[FOTA_REPORT_FAILED] = TO(DOWNLOADED) | TO(INSTALLING) | ENDS,
	[FOTA_REPORT_CANCELLED] = TO(DOWNLOADED) | TO(INSTALLING) | ENDS,
};

#define STATE_COUNT (sizeof(may_follow) / sizeof(may_follow[0]))

bool cloud_report_counts(uint64_t state, struct fota_bytes version, struct fota_bytes target)
{
	return state != FOTA_REPORT_INSTALLED || fota_bytes_is_equal(version, target);
}

bool cloud_progress_moves(int64_t before, uint64_t state)
{
	if (before < 0 || before >= (int64_t)STATE_COUNT || state >= STATE_COUNT) { return false; }
	return may_follow[before] >> state & 1;
}
