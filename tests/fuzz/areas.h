/* SPDX-License-Identifier: Apache-2.0 */
/* Flash for fuzzers: areas of which one operation at a time may be pending, at which it
 * is checked that the caller keeps the port's contract, and which a cut leaves in the middle
 * of it. */
#ifndef AREAS_H
#define AREAS_H

#include "fota/port.h"

#define AREA_BYTES 16384u /* the largest */
#define UNIT_BYTES 1024u
#define PROG_BYTES 16u

struct area {
	struct fota_flash flash;
	uint8_t bytes[AREA_BYTES];
	uint8_t is_erased[AREA_BYTES];
	unsigned write_count;
	bool is_protected; /* nothing may be written */
};

/* Empty, as from the factory; calls complete at once. */
void areas_init(struct area *area, uint32_t size);
/* From now on calls complete later, or at once. */
void areas_set_async(bool is_async);
bool areas_is_pending(void);
/* The pending operation is done. */
void areas_complete(void);
/* The power goes and comes back: of the pending operation only `part` of 256 parts are done. */
void areas_cut(unsigned part);

#endif
