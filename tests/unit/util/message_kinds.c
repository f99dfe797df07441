/* SPDX-License-Identifier: Apache-2.0 */
#include "message_kinds.h"

static enum fota_err get_check_request(struct fota_bytes payload, union message *msg)
{
	return fota_check_request_get(payload, &msg->check_request);
}

static enum fota_err put_check_request(const union message *msg, struct fota_room room, struct fota_bytes *out)
{
	return fota_check_request_put(&msg->check_request, room, out);
}

static enum fota_err get_check_answer(struct fota_bytes payload, union message *msg)
{
	return fota_check_answer_get(payload, &msg->check_answer);
}

static enum fota_err put_check_answer(const union message *msg, struct fota_room room, struct fota_bytes *out)
{
	return fota_check_answer_put(&msg->check_answer, room, out);
}

static enum fota_err get_report_request(struct fota_bytes payload, union message *msg)
{
	return fota_report_request_get(payload, &msg->report_request);
}

static enum fota_err put_report_request(const union message *msg, struct fota_room room, struct fota_bytes *out)
{
	return fota_report_request_put(&msg->report_request, room, out);
}

static enum fota_err get_report_answer(struct fota_bytes payload, union message *msg)
{
	return fota_report_answer_get(payload, &msg->report_answer);
}

static enum fota_err put_report_answer(const union message *msg, struct fota_room room, struct fota_bytes *out)
{
	return fota_report_answer_put(&msg->report_answer, room, out);
}

const struct message_kind message_requests[2] = {
	{ "check_request", get_check_request, put_check_request },
	{ "report_request", get_report_request, put_report_request },
};

const struct message_kind message_answers[2] = {
	{ "check_answer", get_check_answer, put_check_answer },
	{ "report_answer", get_report_answer, put_report_answer },
};

const struct message_kind *message_kind_find(const char *name)
{
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(message_requests[i].name, name) == 0) { return &message_requests[i]; }
		if (strcmp(message_answers[i].name, name) == 0) { return &message_answers[i]; }
	}
	return NULL;
}
