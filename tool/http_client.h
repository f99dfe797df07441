/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange at a time with the platform, over one connection that is kept.
 * TLS is always verified. Every wait has a limit. Redirects are not followed: the
 * token goes to the server that was named and to no other. */
#ifndef TOOL_HTTP_CLIENT_H
#define TOOL_HTTP_CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct http_client {
	/* private */
	CURL *curl;
	const struct tool_config *config;
	struct curl_slist *auth; /* the header with the token */
	char reason[CURL_ERROR_SIZE];
};

/* Part of a file as the body of a request. */
struct http_source {
	int fd;
	uint64_t begin, end;
	uint64_t position;
	/* Called as bytes are handed over; may be NULL. */
	void (*progress)(void *ctx, uint64_t position);
	void *ctx;
	bool is_short; /* set: the file ends before `end` */
};

struct http_request {
	const char *method;
	const char *path;           /* from /api/v1 on, with its query, encoded */
	const char *json;           /* body; NULL: none */
	struct http_source *source; /* body; NULL: none */
	const char *header;         /* "Name: value"; NULL: none */
};

struct http_answer {
	unsigned status; /* 0: there was none */
	char *body;      /* with a final 0; never NULL after http_client_call; free with http_answer_free */
	size_t len;
	bool is_problem; /* application/problem+json */
};

/* Keeps `config`. FAIL if the URL cannot be used. */
enum tool_status http_client_open(struct http_client *client, const struct tool_config *config, struct tool_error *err);
void http_client_close(struct http_client *client);

/* OK: there is an answer, of whatever status. UNREACHABLE: there is none, or not
 * the whole of it; `err` says why. FAIL: the request could not be made. */
enum tool_status http_client_call(struct http_client *client, const struct http_request *request,
				  struct http_answer *answer, struct tool_error *err);

void http_answer_free(struct http_answer *answer);

#endif
