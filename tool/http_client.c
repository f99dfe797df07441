/* SPDX-License-Identifier: Apache-2.0 */
#include "http_client.h"

#include "tls.h"
#include "wipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS      10000L
#define CALL_MS         60000L
#define STALL_S         30L
#define ANSWER_MAX      (16u << 20) /* a page of 1000 devices with attributes is below 8 MiB */
#define SEND_BYTES      (256L << 10)
#define URL_MAX_BYTES   4096u
#define TOKEN_HEADER    "Authorization: Bearer "
#define PROBLEM_TYPE    "application/problem+json"
#define MISSING_MEMORY  "no memory left"
#define TOKEN_HEAD_ROOM 64u

/* Only scheme, host, port and a path: a query would be sent with every request, and a
 * password belongs into no URL. */
static enum tool_status check_url(const char *server, struct tool_error *err)
{
	static const CURLUPart unwanted[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	CURLU *url = curl_url();
	bool is_good = url && curl_url_set(url, CURLUPART_URL, server, 0) == CURLUE_OK;

	for (size_t i = 0; is_good && i < sizeof unwanted / sizeof *unwanted; i++) {
		char *part = NULL;

		is_good = curl_url_get(url, unwanted[i], &part, 0) != CURLUE_OK;
		curl_free(part);
	}
	curl_url_cleanup(url);
	if (is_good && (!strncasecmp(server, "https://", 8) || !strncasecmp(server, "http://", 7))) {
		return TOOL_STATUS_OK;
	}
	return tool_fail(err, TOOL_STATUS_FAIL,
			 "'%s' is no server URL; it looks like https://fota.example.com[:PORT][/PATH]", server);
}

enum tool_status http_client_open(struct http_client *client, const struct tool_config *config, struct tool_error *err)
{
	char header[TOOL_SECRET_MAX_BYTES + TOKEN_HEAD_ROOM];
	enum tool_status status = check_url(config->server, err);

	*client = (struct http_client) { .config = config };
	if (status) { return status; }
	snprintf(header, sizeof header, TOKEN_HEADER "%s", config->token);
	client->curl = curl_easy_init();
	client->auth = curl_slist_append(NULL, header);
	explicit_bzero(header, sizeof header);
	if (client->curl && client->auth) { return TOOL_STATUS_OK; }
	http_client_close(client);
	return tool_fail(err, TOOL_STATUS_FAIL, MISSING_MEMORY);
}

void http_client_close(struct http_client *client)
{
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->auth);
	client->curl = NULL;
	client->auth = NULL;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_answer *answer = ctx;
	size_t len = size * count;
	char *grown = len > ANSWER_MAX - answer->len ? NULL : wipe_realloc(answer->body, answer->len + len + 1);

	if (!grown) { return 0; }
	memcpy(grown + answer->len, bytes, len);
	answer->body = grown;
	answer->len += len;
	answer->body[answer->len] = '\0';
	return len;
}

static size_t give_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_source *source = ctx;
	uint64_t left = source->end - source->position;
	size_t want = size * count < left ? size * count : (size_t)left;
	ssize_t got = want ? pread(source->fd, bytes, want, (off_t)source->position) : 0;

	if (got < 0 || (got == 0 && want > 0)) {
		source->is_short = true;
		return CURL_READFUNC_ABORT;
	}
	source->position += (uint64_t)got;
	if (source->progress) { source->progress(source->ctx, source->position); }
	return (size_t)got;
}

/* libcurl sends a body again after a connection that it had kept turned out dead. */
static int rewind_body(void *ctx, curl_off_t offset, int origin)
{
	struct http_source *source = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > source->end - source->begin) {
		return CURL_SEEKFUNC_CANTSEEK;
	}
	source->position = source->begin + (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_limits(CURL *curl, bool has_source)
{
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	/* A transfer of any size takes its time, as long as it moves. */
	if (!has_source) { curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CALL_MS); }
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "atfota/" ATFOTA_VERSION);
}

static void set_server(struct http_client *client, const char *path)
{
	const struct tool_config *config = client->config;
	char url[URL_MAX_BYTES];

	snprintf(url, sizeof url, "%s%s", config->server, path);
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	curl_easy_setopt(client->curl, CURLOPT_PROTOCOLS_STR, config->allow_http ? "https,http" : "https");
	curl_easy_setopt(client->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*config->ca) { curl_easy_setopt(client->curl, CURLOPT_CAINFO, config->ca); }
	curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->reason);
}

static void set_source(CURL *curl, struct http_source *source)
{
	source->position = source->begin;
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(source->end - source->begin));
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(curl, CURLOPT_READDATA, source);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, source);
}

static void set_request(CURL *curl, const struct http_request *request)
{
	bool is_get = strcmp(request->method, "GET") == 0;

	if (request->source) {
		set_source(curl, request->source);
	} else if (!is_get) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->json ? request->json : "");
	}
	if (is_get) { return; }
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	/* On a connection that it had kept, libcurl silently sends a request again if that
	 * connection turns out dead. What makes or changes something is sent once. */
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
}

/* The headers of one request; NULL without memory. The caller frees them. */
static struct curl_slist *make_headers(const struct http_client *client, const struct http_request *request)
{
	const char *lines[] = {
		client->auth->data,
		"Accept: application/json, " PROBLEM_TYPE,
		request->source ? "Content-Type: application/octet-stream" : "Content-Type: application/json",
		request->header,
	};
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < sizeof lines / sizeof *lines && lines[i]; i++) {
		struct curl_slist *longer = curl_slist_append(headers, lines[i]);

		if (!longer) {
			curl_slist_free_all(headers);
			return NULL;
		}
		headers = longer;
	}
	return headers;
}

static long verify_result(const struct http_client *client)
{
	long result = 0;

	curl_easy_getinfo(client->curl, CURLINFO_SSL_VERIFYRESULT, &result);
	return result;
}

static enum tool_status explain(const struct http_client *client, CURLcode code, const struct http_request *request,
				struct tool_error *err)
{
	const char *server = client->config->server;
	const char *reason = client->reason[0] ? client->reason : curl_easy_strerror(code);

	switch (code) {
	case CURLE_OK:
		return TOOL_STATUS_OK;
	case CURLE_PEER_FAILED_VERIFICATION:
		return tool_fail(err, TOOL_STATUS_UNREACHABLE, "the certificate of %s does not verify (%s); %s", server,
				 reason, tls_advice(verify_result(client)));
	case CURLE_SSL_CONNECT_ERROR:
		return tool_fail(err, TOOL_STATUS_UNREACHABLE, "no TLS with %s (%s); %s", server, reason,
				 tls_advice(TLS_NO_HANDSHAKE));
	case CURLE_SSL_CACERT_BADFILE:
		return tool_fail(err, TOOL_STATUS_FAIL, "%s has no certificates that can be used", client->config->ca);
	case CURLE_ABORTED_BY_CALLBACK:
		if (request->source && request->source->is_short) {
			return tool_fail(err, TOOL_STATUS_FAIL, "the file became shorter or cannot be read any more");
		}
		break;
	case CURLE_WRITE_ERROR:
		return tool_fail(err, TOOL_STATUS_UNREACHABLE, "the answer of %s is too large; is it a platform?",
				 server);
	default:
		break;
	}
	return tool_fail(err, TOOL_STATUS_UNREACHABLE, "no answer from %s: %s; check that it runs and can be reached",
			 server, reason);
}

static void note_answer(struct http_client *client, struct http_answer *answer)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
	answer->status = (unsigned)status;
	answer->is_problem = type && strncasecmp(type, PROBLEM_TYPE, sizeof PROBLEM_TYPE - 1) == 0;
}

enum tool_status http_client_call(struct http_client *client, const struct http_request *request,
				  struct http_answer *answer, struct tool_error *err)
{
	struct curl_slist *headers = make_headers(client, request);
	CURLcode code;

	*answer = (struct http_answer) { .body = calloc(1, 1) };
	if (!headers || !answer->body || strlen(request->path) > URL_MAX_BYTES - CONFIG_SERVER_MAX_BYTES) {
		curl_slist_free_all(headers);
		return tool_fail(err, TOOL_STATUS_FAIL, "the request is too long, or " MISSING_MEMORY);
	}
	curl_easy_reset(client->curl); /* the connection stays */
	client->reason[0] = '\0';
	set_limits(client->curl, request->source != NULL);
	set_server(client, request->path);
	set_request(client->curl, request);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, answer);
	code = curl_easy_perform(client->curl);
	if (code == CURLE_OK) { note_answer(client, answer); }
	curl_slist_free_all(headers);
	return explain(client, code, request, err);
}

void http_answer_free(struct http_answer *answer)
{
	wipe_free(answer->body);
	answer->body = NULL;
}
