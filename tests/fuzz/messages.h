/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the device API for fuzzers: a decoder and an encoder by number. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "fota/device_api.h"

union message {
	struct fota_check_request check_request;
	struct fota_check_answer check_answer;
	struct fota_report_request report_request;
	struct fota_report_answer report_answer;
};

struct message_kind {
	enum fota_err (*get)(struct fota_bytes payload, union message *msg);
	enum fota_err (*put)(const union message *msg, struct fota_room room, struct fota_bytes *out);
};

extern const struct message_kind messages_requests[2], messages_answers[2];

/* Properties of one input, taken as a whole message and as a payload of each kind. */
void messages_check(const struct message_kind kinds[2], const uint8_t *data, size_t len);

#endif
