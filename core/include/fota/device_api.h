/* SPDX-License-Identifier: Apache-2.0 */
/* The payloads of device API version 1: what is inside the COSE_Mac0. Both ends
 * use these functions; docs/device-api.cddl is the contract, tests/vectors/ has
 * golden messages.
 *
 * Decoders borrow the payload: every slice in the struct points into it. They
 * return FORMAT for bytes that are not deterministic CBOR of the right types, RANGE for
 * a value outside its bounds, MISSING for a required field that is not there. */
#ifndef FOTA_DEVICE_API_H
#define FOTA_DEVICE_API_H

#include "fota/bytes.h"
#include "fota/err.h"

#define FOTA_MESSAGE_MAX_BYTES    2048u
#define FOTA_MESSAGE_CONTENT_TYPE "application/cose; cose-type=\"cose-mac0\""
#define FOTA_CHECK_PATH           "/device/v1/check"
#define FOTA_REPORT_PATH          "/device/v1/report"

#define FOTA_NONCE_BYTES       16u
#define FOTA_REPORT_ID_BYTES   16u
#define FOTA_DIGEST_BYTES      32u
#define FOTA_NAME_MAX_BYTES    64u  /* OEM, model, device, deployment */
#define FOTA_VERSION_MAX_BYTES 128u /* version, target */
#define FOTA_URL_MAX_BYTES     255u
#define FOTA_ACCEPT_MAX        8u
#define FOTA_ATTRIBUTE_MAX     16u
#define FOTA_CLOCK_SKEW_MAX_S  300u

#define FOTA_RECEIVED_NONE UINT64_MAX

/* Payload encodings: how the bytes of the transfer become the image. */
enum fota_encoding { FOTA_ENCODING_FULL = 0 };

/* `result` of an answer. */
enum fota_refusal {
	FOTA_REFUSAL_UPDATE = 0, /* not a refusal */
	FOTA_REFUSAL_NONE = 1,
	FOTA_REFUSAL_BAD_PARAMETER = 2,
	FOTA_REFUSAL_DEVICE_MISMATCH = 3,
	FOTA_REFUSAL_MISSING_FIELD = 4,
	FOTA_REFUSAL_UNKNOWN_SOURCE = 5,
	FOTA_REFUSAL_INTERNAL = 6,
	FOTA_REFUSAL_CLOCK_SKEW = 7,
	FOTA_REFUSAL_BUSY = 8,
};

/* `state` of a report. */
enum fota_report_state {
	FOTA_REPORT_CHECKING = 1,
	FOTA_REPORT_DOWNLOADING = 2,
	FOTA_REPORT_DOWNLOADED = 3,
	FOTA_REPORT_INSTALLING = 4,
	FOTA_REPORT_INSTALLED = 5,
	FOTA_REPORT_ROLLED_BACK = 6,
	FOTA_REPORT_FAILED = 7,
	FOTA_REPORT_CANCELLED = 8,
};

struct fota_attribute {
	struct fota_bytes name;  /* at most FOTA_NAME_MAX_BYTES */
	struct fota_bytes value; /* at most FOTA_VERSION_MAX_BYTES */
};

struct fota_check_request {
	struct fota_bytes nonce; /* FOTA_NONCE_BYTES */
	uint64_t time_s;         /* UNIX seconds, 0 = the module has no time yet */
	struct fota_bytes oem, model, device;
	struct fota_bytes version, target;
	uint64_t slot_bytes;
	uint8_t accept[FOTA_ACCEPT_MAX];
	size_t accept_count;
	struct fota_attribute attributes[FOTA_ATTRIBUTE_MAX];
	size_t attribute_count; /* 0: the field is left out */
};

struct fota_check_answer {
	uint64_t result; /* enum fota_refusal */
	uint64_t time_s;
	/* only with FOTA_REFUSAL_UPDATE: */
	struct fota_bytes deployment; /* 1 to FOTA_NAME_MAX_BYTES */
	struct fota_bytes manifest;   /* may be empty while packages are unsigned */
	struct fota_bytes url;        /* 1 to FOTA_URL_MAX_BYTES: absolute, or a path */
	uint64_t size_bytes;          /* not 0 */
	struct fota_bytes digest;     /* FOTA_DIGEST_BYTES, SHA-256 of the payload */
	uint64_t encoding;
	/* any result; 0 = not given */
	uint64_t retry_after_s;
};

struct fota_report_request {
	struct fota_bytes nonce;
	uint64_t time_s;
	struct fota_bytes device;
	struct fota_bytes deployment;
	struct fota_bytes id;    /* FOTA_REPORT_ID_BYTES */
	uint64_t state;          /* enum fota_report_state */
	uint64_t code;           /* 0: the field is left out */
	uint64_t received_bytes; /* FOTA_RECEIVED_NONE: the field is left out */
	struct fota_bytes version;
};

struct fota_report_answer {
	uint64_t result; /* enum fota_refusal; UPDATE (0) = recorded */
	uint64_t time_s;
	uint64_t retry_after_s;
};

/* Each writes a payload into `room` and sets *out to the slice written. FULL, or
 * RANGE if a field breaks its bounds. */
FOTA_MUST_CHECK enum fota_err fota_check_request_put(const struct fota_check_request *msg, struct fota_room room,
						     struct fota_bytes *out);
FOTA_MUST_CHECK enum fota_err fota_check_answer_put(const struct fota_check_answer *msg, struct fota_room room,
						    struct fota_bytes *out);
FOTA_MUST_CHECK enum fota_err fota_report_request_put(const struct fota_report_request *msg, struct fota_room room,
						      struct fota_bytes *out);
FOTA_MUST_CHECK enum fota_err fota_report_answer_put(const struct fota_report_answer *msg, struct fota_room room,
						     struct fota_bytes *out);

/* Each decodes a payload. *msg is filled as far as decoding came, so that a
 * platform can still name the device in its log. */
FOTA_MUST_CHECK enum fota_err fota_check_request_get(struct fota_bytes payload, struct fota_check_request *msg);
FOTA_MUST_CHECK enum fota_err fota_check_answer_get(struct fota_bytes payload, struct fota_check_answer *msg);
FOTA_MUST_CHECK enum fota_err fota_report_request_get(struct fota_bytes payload, struct fota_report_request *msg);
FOTA_MUST_CHECK enum fota_err fota_report_answer_get(struct fota_bytes payload, struct fota_report_answer *msg);

#endif
