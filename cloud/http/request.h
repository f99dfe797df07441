/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer, as handlers see them. A handler answers at once, or
 * suspends the request and answers it after another thread resumed it; the HTTP thread never
 * waits. */
#ifndef CLOUD_HTTP_REQUEST_H
#define CLOUD_HTTP_REQUEST_H

#include "fota/bytes.h"
#include "log.h"

#include <jansson.h>
#include <microhttpd.h>

#define CLOUD_PATH_ID_CAP 96u

struct cloud_call;
struct cloud_request;

/* A body that is not kept but handled as it comes. */
struct cloud_stream {
	/* The head is here. May answer; then nothing of the body comes. */
	void (*begin)(struct cloud_request *request);
	/* Takes bytes and returns how many. May suspend the request, and must if it takes
	 * less than all; the rest comes again after the resume. */
	size_t (*take)(struct cloud_request *request, const uint8_t *bytes, size_t len);
	/* The body is complete: answer or suspend. */
	void (*end)(struct cloud_request *request);
	/* The connection broke before the body was complete. */
	void (*broken)(struct cloud_request *request);
};

struct cloud_route {
	const char *method;
	const char *pattern; /* "/api/v1/oems/{}": {} is one segment */
	/* False: not allowed, and answered. NULL: everybody. */
	bool (*allow)(struct cloud_request *request);
	size_t body_max; /* bytes; 0 = no body. Of no meaning for streams */
	/* The request is complete: answer or suspend. */
	void (*handle)(struct cloud_request *request);
	const struct cloud_stream *stream; /* instead of `handle` */
	/* What the layer above calls for this row; see admin_api/call.h. */
	void (*call)(struct cloud_call *call);
};

struct cloud_request {
	const struct cloud_route *route;
	void *app; /* the context given to cloud_server_start */
	const struct log *log;
	struct MHD_Connection *connection;
	char id[CLOUD_PATH_ID_CAP]; /* the segment that {} stands for; of two, joined by '/' */
	uint8_t *body;
	size_t body_len;
	bool is_head; /* a HEAD that found the row of GET */
	bool has_length;
	uint64_t length; /* Content-Length */
	void *state;     /* the handler's own; freed with `free_state` */
	void (*free_state)(void *state);

	/* private */
	size_t body_cap;
	unsigned status;
	struct MHD_Response *response;
	void (*next)(struct cloud_request *request);
	bool is_begun;
	bool is_ended;
	bool is_suspended;
	bool is_queued;
	enum MHD_Result queue_result;
};

/* NULL if there is no such header, or query argument. */
const char *cloud_request_header(struct cloud_request *request, const char *name);
const char *cloud_request_query(struct cloud_request *request, const char *name);

/* Suspends before the work is handed to another thread. `next` runs on an HTTP thread
 * after the resume; NULL goes on with the body. */
void cloud_request_suspend(struct cloud_request *request, void (*next)(struct cloud_request *request));
/* Any thread, once per suspend, as its last touch of the request. */
void cloud_request_resume(struct cloud_request *request);

/* Each answers a request once; a second answer is dropped. */
void cloud_answer_empty(struct cloud_request *request, unsigned status);
/* Copies the bytes. */
void cloud_answer_bytes(struct cloud_request *request, unsigned status, const char *content_type,
			struct fota_bytes bytes);
/* Takes the reference of `json`. */
void cloud_answer_json(struct cloud_request *request, unsigned status, json_t *json);
/* The same with the type of RFC 9457. */
void cloud_answer_problem_json(struct cloud_request *request, unsigned status, json_t *problem);
/* A problem document with the status' own type and title; the detail says the next step. */
void cloud_answer_problem(struct cloud_request *request, unsigned status, const char *detail);
/* Takes the reference of `response`; NULL (no memory) becomes 500. */
void cloud_answer_response(struct cloud_request *request, unsigned status, struct MHD_Response *response);

/* Sends a response that others send as well; the caller keeps its reference and must hold it until
 * this returns. Only from `handle`. */
void cloud_answer_shared(struct cloud_request *request, unsigned status, struct MHD_Response *response);

/* A problem document (RFC 9457). NULL: no memory. */
json_t *cloud_problem_new(unsigned status, const char *detail);

#endif
