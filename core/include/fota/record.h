/* SPDX-License-Identifier: Apache-2.0 */
/* What the FOTA service remembers over a restart: the package in the slot, the end of
 * the last session, reports that the platform has not acknowledged, and which slot runs. One record
 * holds all of it; SPEC.md says how it is encoded. */
#ifndef FOTA_RECORD_H
#define FOTA_RECORD_H

#include "fota/boot.h"
#include "fota/bytes.h"
#include "fota/device_api.h"
#include "fota/err.h"
#include "fota/text.h"

#define FOTA_PRODUCT_MAX_BYTES  20u
#define FOTA_SECRET_MIN_BYTES   16u
#define FOTA_SECRET_MAX_BYTES   64u
#define FOTA_PENDING_REPORT_MAX 4u
#define FOTA_PACKAGE_KID_BYTES  8u
#define FOTA_RECORD_MAX_BYTES   2032u /* a journal entry of 2,048 bytes without head and CRC */

/* The package that is, or will be, in the slot. total_bytes 0: there is none. */
struct fota_package {
	struct fota_text product;
	struct fota_text secret;     /* for the report of the installation; empty until it is verified */
	struct fota_text deployment; /* likewise */
	struct fota_text target;
	uint64_t sequence;                   /* of its manifest */
	uint8_t kid[FOTA_PACKAGE_KID_BYTES]; /* of the key that its manifest was trusted for */
	uint8_t slot;
	uint8_t digest[FOTA_DIGEST_BYTES];
	uint64_t total_bytes;
	uint64_t synced_bytes; /* stored so that they survive a cut of power */
	bool is_verified;
};

/* A final report that waits for its acknowledgement. */
struct fota_pending_report {
	struct fota_text product;
	struct fota_text secret;
	struct fota_text deployment;
	uint8_t id[FOTA_REPORT_ID_BYTES];
	uint8_t state;
	uint16_t code;
	uint64_t received_bytes;
};

struct fota_record {
	struct fota_package package;
	struct fota_boot boot;
	uint16_t last_code; /* 0: no session yet */
	uint8_t last_step;
	struct fota_text last_target;
	uint8_t report_count;
	struct fota_pending_report reports[FOTA_PENDING_REPORT_MAX]; /* oldest first */
};

/* Writes the record as deterministic CBOR. FULL if room is short. */
FOTA_MUST_CHECK enum fota_err fota_record_put(const struct fota_record *record, struct fota_room room,
					      struct fota_bytes *out);
/* Reads it back. FORMAT, RANGE or MISSING: *record is empty then. */
FOTA_MUST_CHECK enum fota_err fota_record_get(struct fota_bytes bytes, struct fota_record *record);

#endif
