/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the device API behind one type, so that tests and fuzzers treat all
 * kinds alike: by name, or request by request and answer by answer. */
#ifndef MESSAGE_KINDS_H
#define MESSAGE_KINDS_H

#include "fota/device_api.h"

union message {
	struct fota_check_request check_request;
	struct fota_check_answer check_answer;
	struct fota_report_request report_request;
	struct fota_report_answer report_answer;
};

struct message_kind {
	const char *name;
	enum fota_err (*get)(struct fota_bytes payload, union message *msg);
	enum fota_err (*put)(const union message *msg, struct fota_room room, struct fota_bytes *out);
};

/* Of the check and of the report, in this order. */
extern const struct message_kind message_requests[2], message_answers[2];

/* NULL if there is none of this name. */
const struct message_kind *message_kind_find(const char *name);

#endif
