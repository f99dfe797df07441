/* SPDX-License-Identifier: Apache-2.0 */
/* POST /device/v1/report. The message is checked on the HTTP thread, recorded by the writer, and
 * answered when it is durable. Slices of the message point into the request's body, which
 * lives as long as the request is suspended. */
#include "device_api/device_api.h"
#include "device_api/message.h"
#include "domain/check.h"
#include "domain/progress.h"
#include "fota/device_api.h"

#include <stdlib.h>
#include <time.h>

#define BUSY_RETRY_S 30

struct report {
	struct cloud_job job; /* first: the job is the report */
	struct cloud_request *request;
	struct cloud_message message;
	struct fota_report_request body;
	struct fota_report_answer answer;
};

static void free_report(void *state)
{
	struct report *report = state;

	cloud_message_close(&report->message);
	free(report);
}

static void answer_report(struct report *report)
{
	uint8_t bytes[FOTA_MESSAGE_MAX_BYTES];
	struct fota_bytes payload;

	if (fota_report_answer_put(&report->answer, (struct fota_room) { bytes, sizeof(bytes) }, &payload) ==
	    FOTA_ERR_OK) {
		cloud_message_answer(&report->message, report->request, payload);
	} else {
		cloud_answer_empty(report->request, MHD_HTTP_INTERNAL_SERVER_ERROR);
	}
	cloud_message_close(&report->message);
}

static void answer_after_write(struct cloud_request *request)
{
	answer_report(request->state);
}

/* The number of deployment "d12", or 0. */
static int64_t deployment_of(struct fota_bytes text)
{
	char digits[FOTA_NAME_MAX_BYTES + 1];
	uint64_t id;

	if (text.len < 2 || text.len >= sizeof(digits) || text.ptr[0] != 'd') { return 0; }
	memcpy(digits, text.ptr + 1, text.len - 1);
	digits[text.len - 1] = 0;
	return cloud_number_get(digits, INT64_MAX, &id) ? (int64_t)id : 0;
}

/* Sets *counts: whether the report moves its device on in the deployment. */
static enum cloud_db_result find_deployment(struct cloud_db *db, struct report *report, int64_t id, bool *counts)
{
	struct cloud_stmt *stmt = cloud_db_query(db, CLOUD_SQL_DEPLOYMENT_GET, cloud_int(id));
	enum cloud_db_result result = cloud_db_next(stmt);

	if (result != CLOUD_DB_ROW) { return result; }
	if (!fota_bytes_is_equal(cloud_col_bytes(stmt, 1), report->message.product->id)) { result = CLOUD_DB_DONE; }
	*counts = cloud_report_counts(report->body.state, report->body.version, cloud_col_bytes(stmt, 3));
	cloud_db_end(stmt);
	return result;
}

/* The device's row id, made if the device was never seen; 0 on failure. */
static int64_t put_device(struct cloud_db *db, const struct report *report, int64_t now_s)
{
	const struct fota_report_request *body = &report->body;
	int64_t seq = report->message.product->seq;
	struct cloud_stmt *stmt;
	int64_t id = 0;

	if (cloud_db_exec(db, CLOUD_SQL_DEVICE_REPORTED, cloud_int(seq), cloud_text_of(body->device),
			  cloud_text_of(body->version), cloud_int(now_s)) != CLOUD_DB_DONE) {
		return 0;
	}
	stmt = cloud_db_query(db, CLOUD_SQL_DEVICE_FIND, cloud_int(seq), cloud_text_of(body->device));
	if (cloud_db_next(stmt) == CLOUD_DB_ROW) { id = cloud_col_int(stmt, 0); }
	cloud_db_end(stmt);
	return id;
}

/* The device runs what its report says. */
static bool put_version(struct cloud_db *db, const struct report *report, int64_t device)
{
	const struct fota_report_request *body = &report->body;

	cloud_presence_reported(report->message.app->presence, report->message.product->seq, body->device,
				body->version);
	return cloud_db_exec(db, CLOUD_SQL_DEVICE_VERSION, cloud_int(device), cloud_text_of(body->version)) ==
	       CLOUD_DB_DONE;
}

/* The database has signed numbers; no real code or size comes near their end. */
static struct cloud_param number(uint64_t value)
{
	return cloud_int(value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static bool count(struct cloud_db *db, int64_t deployment, int64_t state, int64_t more)
{
	return cloud_db_exec(db, CLOUD_SQL_PROGRESS_COUNT, cloud_int(deployment), cloud_int(state), cloud_int(more)) ==
	       CLOUD_DB_DONE;
}

/* Where the device stands in the deployment. */
static bool get_progress(struct cloud_db *db, int64_t deployment, int64_t device, int64_t *state)
{
	struct cloud_stmt *stmt = cloud_db_query(db, CLOUD_SQL_PROGRESS_GET, cloud_int(deployment), cloud_int(device));
	enum cloud_db_result result = cloud_db_next(stmt);

	*state = result == CLOUD_DB_ROW ? cloud_col_int(stmt, 0) : CLOUD_PROGRESS_NONE;
	cloud_db_end(stmt);
	return result != CLOUD_DB_ERROR;
}

/* A device that moves on, and the report that moves it. */
struct step {
	int64_t deployment, device, report;
	int64_t before, state;
};

/* Moves the device, and the sums with it. */
static bool put_progress(struct cloud_db *db, const struct step *step)
{
	if (step->before != CLOUD_PROGRESS_NONE && !count(db, step->deployment, step->before, -1)) { return false; }
	return count(db, step->deployment, step->state, 1) &&
	       cloud_db_exec(db, CLOUD_SQL_PROGRESS_PUT, cloud_int(step->deployment), cloud_int(step->device),
			     cloud_int(step->state), cloud_int(step->report)) == CLOUD_DB_DONE;
}

/* What follows from a report that is new. One that came late changes nothing. */
static bool follow(struct cloud_db *db, const struct report *report, struct step *step, bool counts)
{
	if (!counts) { return put_version(db, report, step->device); } /* a claim that is not so */
	if (!get_progress(db, step->deployment, step->device, &step->before)) { return false; }
	if (!cloud_progress_moves(step->before, report->body.state)) { return true; }
	return put_version(db, report, step->device) && put_progress(db, step);
}

static bool put_report(struct cloud_db *db, const struct report *report, int64_t deployment, bool counts)
{
	const struct fota_report_request *body = &report->body;
	int64_t now_s = (int64_t)report->answer.time_s;
	struct step step = {
		.deployment = deployment,
		.device = put_device(db, report, now_s),
		.state = (int64_t)body->state,
	};

	if (!step.device) { return false; }
	if (cloud_db_exec(db, CLOUD_SQL_REPORT_ADD, cloud_int(deployment), cloud_int(step.device),
			  cloud_blob(body->id.ptr, body->id.len), cloud_int(step.state), number(body->code),
			  body->received_bytes == FOTA_RECEIVED_NONE ? cloud_null() : number(body->received_bytes),
			  cloud_text_of(body->version), cloud_int(now_s)) != CLOUD_DB_DONE) {
		return false;
	}
	if (cloud_db_changes(db) == 0) { return true; } /* sent twice */
	step.report = cloud_db_last_id(db);
	return follow(db, report, &step, counts);
}

static bool run_report(struct cloud_job *job, void *owner)
{
	struct report *report = (struct report *)job;
	struct cloud_writer *writer = owner;
	int64_t deployment = deployment_of(report->body.deployment);
	bool counts = false;

	switch (find_deployment(writer->db, report, deployment, &counts)) {
	case CLOUD_DB_ROW:
		return put_report(writer->db, report, deployment, counts);
	case CLOUD_DB_DONE:
		report->answer.result = FOTA_REFUSAL_BAD_PARAMETER;
		return true;
	default:
		return false;
	}
}

static void log_report(const struct report *report)
{
	const struct fota_report_request *body = &report->body;

	log_line(report->request->log, LOG_LEVEL_DEBUG, "device", "report of %.*s, state %d, code %llu: result %d",
		 (int)body->device.len, (const char *)body->device.ptr, (int)body->state,
		 (unsigned long long)body->code, (int)report->answer.result);
}

static void report_done(struct cloud_job *job, bool is_ok)
{
	struct report *report = (struct report *)job;

	if (!is_ok) { /* not recorded: the module keeps it and comes again */
		report->answer.result = FOTA_REFUSAL_BUSY;
		report->answer.retry_after_s = BUSY_RETRY_S;
	}
	log_report(report);
	cloud_request_resume(report->request);
}

/* What is wrong with an authentic report before the store is asked. */
static enum fota_refusal check_report(struct report *report)
{
	enum fota_err err = fota_report_request_get(report->message.mac0.payload, &report->body);

	if (err != FOTA_ERR_OK) { return cloud_refusal_of(err); }
	if (cloud_clock_is_skewed(report->body.time_s, report->answer.time_s)) { return FOTA_REFUSAL_CLOCK_SKEW; }
	return FOTA_REFUSAL_UPDATE;
}

void cloud_report_handle(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	struct report *report = calloc(1, sizeof(*report));

	if (!report) {
		cloud_answer_empty(request, MHD_HTTP_SERVICE_UNAVAILABLE);
		return;
	}
	request->state = report;
	request->free_state = free_report;
	report->request = request;
	report->answer.time_s = (uint64_t)time(NULL);
	if (!cloud_message_open(&report->message, request)) { return; }
	report->answer.result = check_report(report);
	if (report->answer.result != FOTA_REFUSAL_UPDATE) {
		answer_report(report);
		return;
	}
	report->job.run = run_report;
	report->job.done = report_done;
	cloud_request_suspend(request, answer_after_write);
	cloud_store_write(app->store, &report->job);
}
