/* SPDX-License-Identifier: Apache-2.0 */
/* Answers are made here and queued by http/server.c when the body was read. */
#include "http/request.h"

#include "wipe.h"

#include <stdio.h>
#include <stdlib.h>

struct problem_kind {
	unsigned status;
	const char *type;
	const char *title;
};

static const struct problem_kind problem_kinds[] = {
	{ 400, "urn:atfota:problem:bad-request", "The request cannot be read" },
	{ 401, "urn:atfota:problem:unauthorized", "A valid access token is needed" },
	{ 403, "urn:atfota:problem:forbidden", "This is not allowed" },
	{ 404, "urn:atfota:problem:not-found", "There is no such thing" },
	{ 405, "urn:atfota:problem:method-not-allowed", "The method does not fit the path" },
	{ 409, "urn:atfota:problem:conflict", "The state does not allow it" },
	{ 411, "urn:atfota:problem:length-required", "Content-Length is needed" },
	{ 413, "urn:atfota:problem:too-large", "The body is too large" },
	{ 422, "urn:atfota:problem:invalid", "A value is not allowed" },
	{ 503, "urn:atfota:problem:unavailable", "Not available now" },
	{ 507, "urn:atfota:problem:storage-full", "The storage is full" },
	{ 500, "urn:atfota:problem:internal", "The platform failed" },
};

const char *cloud_request_header(struct cloud_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *cloud_request_query(struct cloud_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void cloud_request_suspend(struct cloud_request *request, void (*next)(struct cloud_request *request))
{
	request->next = next;
	request->is_suspended = true;
	MHD_suspend_connection(request->connection);
}

void cloud_request_resume(struct cloud_request *request)
{
	MHD_resume_connection(request->connection);
}

void cloud_answer_response(struct cloud_request *request, unsigned status, struct MHD_Response *response)
{
	if (request->status) {
		if (response) { MHD_destroy_response(response); }
		return;
	}
	request->status = response ? status : MHD_HTTP_INTERNAL_SERVER_ERROR;
	request->response = response;
}

void cloud_answer_shared(struct cloud_request *request, unsigned status, struct MHD_Response *response)
{
	request->status = status;
	request->is_queued = true;
	request->queue_result = MHD_queue_response(request->connection, status, response);
}

void cloud_answer_empty(struct cloud_request *request, unsigned status)
{
	cloud_answer_response(request, status, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

/* The text goes to the response, which frees it. */
static struct MHD_Response *response_of_text(const char *content_type, char *text)
{
	struct MHD_Response *response;

	if (!text) { return NULL; }
	response = MHD_create_response_from_buffer_with_free_callback(strlen(text), text, wipe_free);
	if (!response) {
		wipe_free(text);
		return NULL;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	return response;
}

void cloud_answer_bytes(struct cloud_request *request, unsigned status, const char *content_type,
			struct fota_bytes bytes)
{
	void *copy = (void *)(uintptr_t)bytes.ptr; /* libmicrohttpd copies; its parameter lacks the const */
	struct MHD_Response *response = MHD_create_response_from_buffer(bytes.len, copy, MHD_RESPMEM_MUST_COPY);

	if (response) { MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type); }
	cloud_answer_response(request, status, response);
}

static void answer_json_as(struct cloud_request *request, unsigned status, const char *content_type, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct MHD_Response *response = response_of_text(content_type, text);

	json_decref(json);
	if (response && status == MHD_HTTP_UNAUTHORIZED) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	}
	cloud_answer_response(request, status, response);
}

void cloud_answer_json(struct cloud_request *request, unsigned status, json_t *json)
{
	answer_json_as(request, status, "application/json", json);
}

void cloud_answer_problem_json(struct cloud_request *request, unsigned status, json_t *problem)
{
	answer_json_as(request, status, "application/problem+json", problem);
}

json_t *cloud_problem_new(unsigned status, const char *detail)
{
	const struct problem_kind *kind = problem_kinds;

	while (kind->status != status && kind->status != 500) {
		kind++;
	}
	return json_pack("{s:s, s:s, s:i, s:s}", "type", kind->type, "title", kind->title, "status", (int)status,
			 "detail", detail);
}

void cloud_answer_problem(struct cloud_request *request, unsigned status, const char *detail)
{
	cloud_answer_problem_json(request, status, cloud_problem_new(status, detail));
}
