/* SPDX-License-Identifier: Apache-2.0 */
/* POST /device/v1/check. Everything happens on the HTTP thread and in memory; the database is
 * read only for a device that was not met lately, and never written. */
#include "domain/check.h"
#include "device_api/device_api.h"
#include "device_api/link.h"
#include "device_api/message.h"
#include "fota/device_api.h"

#include <stdio.h>
#include <time.h>

/* What slices of an answer point to. */
struct offer_texts {
	char deployment[24];
	char url[FOTA_URL_MAX_BYTES + 1];
};

static void offer(struct cloud_message *message, const struct cloud_version *version, struct offer_texts *texts,
		  struct fota_check_answer *answer)
{
	struct cloud_app *app = message->app;
	const struct cloud_options *options = app->options;
	struct fota_bytes key = { app->link_key, sizeof(app->link_key) };

	if (cloud_link_put(&message->worker->crypto, key, options->public_url ? options->public_url : "",
			   version->digest, cloud_link_expiry(answer->time_s, options->link_lifetime_s), texts->url,
			   sizeof(texts->url)) != FOTA_ERR_OK) {
		log_line(app->log, LOG_LEVEL_ERROR, "device",
			 "a package link cannot be made; is --public-url too long?");
		answer->result = FOTA_REFUSAL_INTERNAL;
		return;
	}
	snprintf(texts->deployment, sizeof(texts->deployment), "d%lld", (long long)version->deployment);
	answer->deployment = fota_bytes_of(texts->deployment);
	answer->manifest = version->manifest;
	answer->url = fota_bytes_of(texts->url);
	answer->size_bytes = version->size_bytes;
	answer->digest = (struct fota_bytes) { version->digest, sizeof(version->digest) };
	answer->encoding = FOTA_ENCODING_FULL;
}

static void decide(struct cloud_message *message, struct offer_texts *texts, struct fota_check_answer *answer)
{
	struct fota_check_request request;
	enum fota_err err = fota_check_request_get(message->mac0.payload, &request);
	struct cloud_decision decision;

	if (err != FOTA_ERR_OK) {
		answer->result = cloud_refusal_of(err);
		return;
	}
	if (cloud_clock_is_skewed(request.time_s, answer->time_s)) {
		answer->result = FOTA_REFUSAL_CLOCK_SKEW;
		return;
	}
	cloud_presence_note(message->app->presence, message->worker->db, message->product->seq, &request,
			    (int64_t)answer->time_s);
	decision = cloud_check_decide(message->product, &request);
	answer->result = decision.result;
	if (decision.version) { offer(message, decision.version, texts, answer); }
	log_line(message->app->log, LOG_LEVEL_DEBUG, "device", "check of %.*s for %.*s: result %d",
		 (int)request.device.len, (const char *)request.device.ptr, (int)request.target.len,
		 (const char *)request.target.ptr, (int)answer->result);
}

void cloud_check_handle(struct cloud_request *request)
{
	struct fota_check_answer answer = { .time_s = (uint64_t)time(NULL) };
	uint8_t bytes[FOTA_MESSAGE_MAX_BYTES];
	struct cloud_message message;
	struct offer_texts texts;
	struct fota_bytes payload;

	if (!cloud_message_open(&message, request)) { return; }
	decide(&message, &texts, &answer);
	if (fota_check_answer_put(&answer, (struct fota_room) { bytes, sizeof(bytes) }, &payload) == FOTA_ERR_OK) {
		cloud_message_answer(&message, request, payload);
	} else {
		cloud_answer_empty(request, MHD_HTTP_INTERNAL_SERVER_ERROR);
	}
	cloud_message_close(&message);
}
