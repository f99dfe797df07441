/* SPDX-License-Identifier: Apache-2.0 */
/* A platform and the network before it, in memory: an HTTP port that answers checks,
 * reports and package requests. The messages are authentic, made by the library's own
 * encoders with the product's secret; what a plan says goes wrong goes wrong at the
 * byte and the moment that it names.
 *
 * No thread, no socket, no heap: the caller lets it go on with sim_http_perform. */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include "fota/cose.h"
#include "fota/device_api.h"
#include "fota/port.h"
#include "fota/suit.h"

enum sim_http_part { SIM_HTTP_CHECK, SIM_HTTP_REPORT, SIM_HTTP_PACKAGE, SIM_HTTP_RESUME, SIM_HTTP_PART_COUNT };

/* How one kind of request is answered. All-zero: at once and well. */
struct sim_http_answer {
	uint32_t ms;        /* CHECK, REPORT: until the answer; PACKAGE, RESUME: for the whole body */
	unsigned status;    /* an answer without a body; 0: the proper one */
	enum fota_err fail; /* FOTA_HTTP_FAIL with this error; OK: none */
	bool is_failing;    /* `fail` counts, also if it is OK, which no port should tell */
	bool is_garbage;    /* CHECK: status 200 and something that is no message */
	bool is_stopping;   /* `stop` of the configuration is called at this point */
};

/* What happens to the requests of one session. */
struct sim_http_plan {
	uint64_t size_bytes;    /* of the package */
	uint64_t offered_bytes; /* its size as the offer names it; 0: size_bytes */
	bool is_digest_wrong;   /* the offer names another digest than the package has */
	uint8_t refusal;        /* enum fota_refusal; what the check is answered */
	/* RESUME is a package request that does not begin at 0. Failures and stops of PACKAGE
	 * and RESUME come when stop_off bytes of the package are delivered; a status at once. */
	struct sim_http_answer answers[SIM_HTTP_PART_COUNT];
	uint64_t stop_off;
};

struct sim_http_cfg {
	const struct fota_clock *clock;
	const struct fota_crypto *crypto; /* its running SHA-256 is used while a check is answered */
	/* The secret of a product; empty: unknown, the request gets status 403. */
	struct fota_bytes (*secret_of)(void *ctx, struct fota_bytes product);
	/* Fills *out with the signed manifest of an offer, in `room` of FOTA_SUIT_ENVELOPE_MAX_BYTES; `offer` names
	 * oem, model, version, digest and size. OK, or an error: the request gets status 500. NULL: offers have none.
	 */
	enum fota_err (*sign)(void *ctx, const struct fota_suit_build *offer, struct fota_room room,
			      struct fota_bytes *out);
	/* The place of a plan's `is_stopping` is reached. True: go on with the answer. False: nothing
	 * more comes, until the request is cancelled. May be NULL (go on). */
	bool (*stop)(void *ctx, enum sim_http_part part);
	/* As fota_session_http. Called from sim_http_perform. */
	enum fota_err (*event)(void *ctx, const struct fota_http_event *event, size_t *taken);
	void *ctx; /* of the four */
};

struct sim_http_counts {
	uint32_t check_count, report_count, package_count, resume_count;
	uint64_t last_report_code; /* of the last authentic report */
};

struct sim_http {
	struct fota_http port; /* the port to use; filled by sim_http_init */
	struct sim_http_plan plan;
	struct sim_http_counts counts;
	/* private */
	struct sim_http_cfg cfg;
	uint8_t part, stage;
	bool is_paused;
	uint32_t request_count;
	uint64_t start_ms;
	uint64_t first_off, off; /* of the package's bytes: of this request, and of the next one */
	unsigned status;
	bool is_message;
	size_t message_len;
	uint8_t message[FOTA_MESSAGE_MAX_BYTES];
};

/* Copies *cfg. The plan is all-zero but for a package of 64 KiB. */
void sim_http_init(struct sim_http *sim, const struct sim_http_cfg *cfg);

/* Lets the request that runs go on, by at most 16 pieces of a package. */
void sim_http_perform(struct sim_http *sim);

/* Milliseconds until sim_http_perform has something to do; UINT32_MAX: nothing. */
uint32_t sim_http_next_ms(const struct sim_http *sim);

/* The package's byte at `off`: what the slot must hold in the end. */
uint8_t sim_http_byte(uint64_t off);

#endif
