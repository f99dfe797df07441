/* SPDX-License-Identifier: Apache-2.0 */
/* The platform keeps the open upload of a version by size and digest, so that asking for
 * it again gives where to go on: after a broken connection, and after this program
 * was ended and started again. */
#include "upload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TRY_MAX       10u
#define WAIT_FIRST_MS 500u
#define WAIT_MAX_MS   30000u

enum tool_status upload_open(struct upload *upload, const char *file, FILE *out, struct tool_error *err)
{
	struct image image;
	enum tool_status status = image_open(&image, file, out, err);

	*upload = (struct upload) { .fd = image.fd, .size = image.size, .out = out };
	memcpy(upload->digest, image.digest_text, sizeof upload->digest);
	return status;
}

void upload_close(struct upload *upload)
{
	if (upload->fd >= 0) { close(upload->fd); }
	upload->fd = -1;
}

/* Half to all of a time that doubles: many uploaders do not come back at once. */
static uint64_t wait_ms(unsigned failures)
{
	uint64_t full = (uint64_t)WAIT_FIRST_MS << (failures < 16 ? failures - 1 : 15);
	uint32_t random = 0;

	full = full < WAIT_MAX_MS ? full : WAIT_MAX_MS;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) { random = 0; }
	return full / 2 + random % (full / 2 + 1);
}

/* Waits before another try; false if there were enough. */
static bool be_patient(struct upload *upload, const struct tool_error *err)
{
	struct timespec pause;
	uint64_t ms;

	if (++upload->failures >= TRY_MAX) { return false; }
	ms = wait_ms(upload->failures);
	tool_progress_clear(&upload->progress);
	if (upload->out) {
		tool_print_plain(upload->out, err->text);
		fprintf(upload->out, "\nTrying again in %.1f s\n", (double)ms / 1000);
		fflush(upload->out);
	}
	pause = (struct timespec) { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
	nanosleep(&pause, NULL);
	return true;
}

static void take_offset(struct upload *upload, uint64_t offset)
{
	if (offset > upload->offset) { upload->failures = 0; }
	upload->offset = offset;
}

static enum tool_status take_state(struct upload *upload, const json_t *state, struct tool_error *err)
{
	json_int_t offset = json_integer_value(json_object_get(state, "offset"));

	if (!api_id(state, "id", upload->id, sizeof upload->id) || offset < 0 || (uint64_t)offset > upload->size) {
		return tool_fail(err, TOOL_STATUS_REFUSED, "the platform's answer about the upload makes no sense");
	}
	take_offset(upload, (uint64_t)offset);
	return TOOL_STATUS_OK;
}

/* Begins the upload, or finds the one that was begun. */
static enum tool_status begin(struct upload *upload, struct tool_error *err)
{
	struct api_path path;
	json_t *state = NULL;
	json_t *body =
		json_pack("{s:I, s:s}", "size", (json_int_t)upload->size, "digest", (const char *)upload->digest);
	enum tool_status status;

	api_path_init(&path, "/versions");
	api_path_add(&path, upload->version_id);
	api_path_add(&path, "uploads");
	status = api_call(upload->api, "POST", &path, body, &state, err);
	if (!status) { status = take_state(upload, state, err); }
	json_decref(state);
	return status;
}

static enum tool_status begin_patiently(struct upload *upload, struct tool_error *err)
{
	enum tool_status status;

	do {
		status = begin(upload, err);
	} while (status == TOOL_STATUS_UNREACHABLE && be_patient(upload, err));
	return status;
}

static void show_position(void *ctx, uint64_t position)
{
	struct upload *upload = ctx;

	tool_progress_set(&upload->progress, position, upload->size);
}

/* Sends the rest of the file. A conflict is the platform's way to say that it has more or
 * less than was thought: told as UNREACHABLE, since asking again helps. */
static enum tool_status send_rest(struct upload *upload, struct tool_error *err)
{
	struct http_source source = {
		.fd = upload->fd, .begin = upload->offset, .end = upload->size, .progress = show_position, .ctx = upload
	};
	struct api_path path;
	char header[64];
	json_t *state = NULL;
	unsigned http_status = 0;
	enum tool_status status;

	api_path_init(&path, "/uploads");
	api_path_add(&path, upload->id);
	snprintf(header, sizeof header, "Upload-Offset: %llu", (unsigned long long)upload->offset);
	const struct http_request request = {
		.method = "PATCH", .path = path.text, .source = &source, .header = header
	};
	status = api_exchange(upload->api, &request, &http_status, &state, err);
	if (!status) { status = take_state(upload, state, err); }
	json_decref(state);
	return http_status == 404 || http_status == 409 ? TOOL_STATUS_UNREACHABLE : status;
}

static enum tool_status send_patiently(struct upload *upload, struct tool_error *err)
{
	enum tool_status status = TOOL_STATUS_OK;

	while (!status && upload->offset < upload->size) {
		status = send_rest(upload, err);
		if (status != TOOL_STATUS_UNREACHABLE) { continue; }
		if (be_patient(upload, err)) { status = begin_patiently(upload, err); }
	}
	return status;
}

/* Whether the version has this package by now. */
static bool has_package(struct upload *upload, json_t **version)
{
	struct tool_error ignored = { "" };
	struct api_path path;
	const char *digest;

	api_path_init(&path, "/versions");
	api_path_add(&path, upload->version_id);
	if (api_call(upload->api, "GET", &path, NULL, version, &ignored)) { return false; }
	digest = api_text(json_object_get(*version, "package"), "digest");
	if (digest && strcmp(digest, upload->digest) == 0) { return true; }
	json_decref(*version);
	*version = NULL;
	return false;
}

static enum tool_status finish(struct upload *upload, json_t **version, struct tool_error *err)
{
	struct api_path path;
	enum tool_status status;

	api_path_init(&path, "/uploads");
	api_path_add(&path, upload->id);
	api_path_add(&path, "finish");
	do {
		status = api_call(upload->api, "POST", &path, json_object(), version, err);
		/* The answer to this or an earlier try may have been lost on its way. */
		if (status && has_package(upload, version)) {
			err->text[0] = '\0';
			return TOOL_STATUS_OK;
		}
	} while (status == TOOL_STATUS_UNREACHABLE && be_patient(upload, err));
	return status;
}

enum tool_status upload_run(struct upload *upload, struct api *api, const char *version_id, json_t **version,
			    struct tool_error *err)
{
	enum tool_status status;

	upload->api = api;
	upload->version_id = version_id;
	tool_progress_init(&upload->progress, upload->out, "Upload");
	*version = NULL;
	status = begin_patiently(upload, err);
	if (!status) { status = send_patiently(upload, err); }
	tool_progress_clear(&upload->progress);
	return status ? status : finish(upload, version, err);
}
