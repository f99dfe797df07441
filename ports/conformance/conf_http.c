/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client. Each row is a request and all that may come of it; the bodies of
 * server.py are compared by length and by a sum over bytes and places. */
#include "conformance.h"

#include "fota/device_api.h"

#define BODY_BYTES 100000u
#define URL_CAP    300u

/* server.py, BODY */
static uint8_t body_byte(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8));
}

static uint32_t add_to_sum(uint32_t sum, uint8_t byte)
{
	return (sum ^ byte) * 16777619u; /* FNV-1a: depends on the order */
}

static uint32_t sum_of_body(uint64_t from)
{
	uint32_t sum = 0;

	for (uint64_t at = from; at < BODY_BYTES; at++) {
		sum = add_to_sum(sum, body_byte(at));
	}
	return sum;
}

/* ---- events ---- */

static enum fota_err take_body(struct conf_http *client, struct fota_bytes body, size_t *taken)
{
	size_t len = body.len;

	conf_check(client->conf, client->head_count == 1, "the head comes before the body", client->head_count);
	conf_check(client->conf, body.len > 0 && body.ptr, "a body event has bytes", (long long)body.len);
	if (client->is_choosy && len > 1) { len = len / 3 + 1; }
	for (size_t i = 0; i < len; i++) {
		client->body_sum = add_to_sum(client->body_sum, body.ptr[i]);
	}
	client->body_len += len;
	*taken = len;
	if (client->is_cancelling) {
		client->http->cancel(client->http->ctx);
		return FOTA_ERR_OK;
	}
	client->is_busy = len < body.len;
	return client->is_busy ? FOTA_ERR_BUSY : FOTA_ERR_OK;
}

enum fota_err conf_http_event(struct conf_http *client, const struct fota_http_event *event, size_t *taken)
{
	struct conf *conf = client->conf;

	*taken = 0;
	conf_check(conf, client->end_count == 0, "nothing follows the end of a request", event->kind);
	conf_check(conf, !client->is_busy, "refused bytes are not offered again before resume", event->kind);
	conf_check(conf, !client->is_cancelling || client->body_len == 0, "no event follows cancel", event->kind);
	switch (event->kind) {
	case FOTA_HTTP_HEAD:
		client->head = *event;
		client->head_count++;
		break;
	case FOTA_HTTP_BODY:
		return take_body(client, event->body, taken);
	case FOTA_HTTP_DONE:
		conf_check(conf, client->head_count == 1, "a whole answer has one head", client->head_count);
		/* fall through */
	case FOTA_HTTP_FAIL:
		client->end = *event;
		client->end_count++;
		break;
	}
	return FOTA_ERR_OK;
}

/* ---- requests ---- */

static void reset(struct conf_http *client)
{
	client->head_count = client->end_count = 0;
	client->head = client->end = (struct fota_http_event) { .kind = FOTA_HTTP_HEAD };
	client->body_len = 0;
	client->body_sum = 0;
	client->is_busy = client->is_choosy = client->is_cancelling = false;
}

static struct fota_bytes make_url(const struct conf_http *client, const char *path, char url[URL_CAP])
{
	size_t base_len = strlen(client->base_url), path_len = strlen(path);

	if (base_len + path_len > URL_CAP) { return (struct fota_bytes) { NULL, 0 }; }
	memcpy(url, client->base_url, base_len);
	memcpy(url + base_len, path, path_len);
	return (struct fota_bytes) { (const uint8_t *)url, base_len + path_len };
}

/* Starts it; the URL is spoiled afterwards, since it is borrowed for the call. */
static enum fota_err start(struct conf_http *client, const char *path, struct fota_http_request req)
{
	char url[URL_CAP];
	enum fota_err err;

	req.url = path[0] == '/' ? make_url(client, path, url) : fota_bytes_of(path);
	err = client->http->start(client->http->ctx, &req);
	memset(url, '!', sizeof(url));
	return err;
}

static void run(struct conf_http *client)
{
	for (unsigned i = 0; i < client->poll_max && client->end_count == 0; i++) {
		client->poll(client->ctx);
		if (!client->is_busy) { continue; }
		client->is_busy = false;
		client->http->resume(client->http->ctx);
	}
	conf_check(client->conf, client->end_count == 1, "a request ends", client->end_count);
}

static const struct {
	const char *path;
	bool has_range;
	uint64_t range_start;
	const char *if_range;
	unsigned status;
	uint64_t body_len; /* UINT64_MAX: any */
	enum fota_err err; /* of the end; OK: DONE */
	const char *rule;
} get_rows[] = {
	{ "/bytes", false, 0, "", 200, BODY_BYTES, FOTA_ERR_OK, "GET gives the whole body" },
	{ "/bytes", true, 1, "", 206, BODY_BYTES - 1, FOTA_ERR_OK, "a range gives the rest" },
	{ "/bytes", true, 99999, "\"tag\"", 206, 1, FOTA_ERR_OK, "a range with the right If-Range gives the rest" },
	{ "/bytes", true, 5, "\"other\"", 200, BODY_BYTES, FOTA_ERR_OK, "a range with another If-Range gives all" },
	{ "/bytes", true, BODY_BYTES, "", 416, 0, FOTA_ERR_OK, "an error status is an answer: 416" },
	{ "/chunked", false, 0, "", 200, BODY_BYTES, FOTA_ERR_OK, "a body in chunks is put together" },
	{ "/empty", false, 0, "", 200, 0, FOTA_ERR_OK, "an empty body is an answer" },
	{ "/nothing", false, 0, "", 404, 4, FOTA_ERR_OK, "an error status is an answer: 404" },
	{ "/redirect/1", false, 0, "", 200, BODY_BYTES, FOTA_ERR_OK,
	  "a redirect is followed, its own answer not told" },
	{ "/redirect/5", true, 10, "", 206, BODY_BYTES - 10, FOTA_ERR_OK,
	  "five redirects are followed, with the range" },
	{ "/talkative", false, 0, "", 200, BODY_BYTES, FOTA_ERR_OK,
	  "a redirect is followed without the end of its own body" },
	{ "/redirect/6", false, 0, "", 0, 0, FOTA_ERR_REDIRECTS, "six redirects are too many" },
	{ "/closed", false, 0, "", 0, 0, FOTA_ERR_CLOSED, "a peer that closes before its answer is CLOSED" },
	{ "/garbage", false, 0, "", 0, 0, FOTA_ERR_PROTOCOL, "a peer that does not speak HTTP is PROTOCOL" },
	{ "/short", false, 0, "", 200, UINT64_MAX, FOTA_ERR_RECEIVE, "a body that breaks off is RECEIVE" },
};

static void check_range_head(struct conf_http *client, uint64_t range_start)
{
	const struct fota_http_event *head = &client->head;

	conf_check(client->conf, head->has_content_range && head->range_start == range_start, "Content-Range's start",
		   (long long)head->range_start);
	conf_check(client->conf, head->range_total == BODY_BYTES, "Content-Range's total",
		   (long long)head->range_total);
	conf_check(client->conf, head->has_length && head->length == BODY_BYTES - range_start, "Content-Length",
		   (long long)head->length);
}

static void check_get(struct conf_http *client, size_t row, bool is_choosy)
{
	const uint64_t wanted = get_rows[row].body_len;
	struct fota_http_request req = {
		.method = FOTA_HTTP_GET,
		.has_range = get_rows[row].has_range,
		.range_start = get_rows[row].range_start,
		.if_range = fota_bytes_of(get_rows[row].if_range),
	};
	bool is_as_said;

	reset(client);
	client->is_choosy = is_choosy;
	if (!conf_check(client->conf, start(client, get_rows[row].path, req) == FOTA_ERR_OK, "start takes a good URL",
			(long long)row)) {
		return;
	}
	run(client);
	is_as_said =
		client->head.status == get_rows[row].status && (wanted == UINT64_MAX || client->body_len == wanted);
	if (get_rows[row].err) {
		is_as_said = is_as_said && client->end.kind == FOTA_HTTP_FAIL && client->end.err == get_rows[row].err;
	} else {
		is_as_said = is_as_said && client->end.kind == FOTA_HTTP_DONE && client->head_count == 1;
	}
	if (wanted != UINT64_MAX && wanted + 10 >= BODY_BYTES) {
		is_as_said = is_as_said && client->body_sum == sum_of_body(BODY_BYTES - wanted);
	}
	conf_check(client->conf, is_as_said, get_rows[row].rule,
		   client->end.kind == FOTA_HTTP_FAIL ? client->end.err : (int)client->head.status);
	if (client->head.status == 206) { check_range_head(client, get_rows[row].range_start); }
}

static void check_post(struct conf_http *client, const char *path, size_t len, bool is_message)
{
	static const uint8_t body[2048] = "any bytes, \0 too";
	struct fota_http_request req = {
		.method = FOTA_HTTP_POST,
		.content_type = fota_bytes_of(is_message ? FOTA_MESSAGE_CONTENT_TYPE : "text/plain"),
		.body = { body, len },
	};
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum = add_to_sum(sum, body[i]);
	}
	reset(client);
	conf_check(client->conf, start(client, path, req) == FOTA_ERR_OK, "start takes a POST", (long long)len);
	run(client);
	if (!is_message) {
		conf_check(client->conf, client->head.status == 415 && !client->head.is_message, "Content-Type is sent",
			   client->head.status);
		return;
	}
	conf_check(client->conf, client->head.status == 200 && client->body_len == len && client->body_sum == sum,
		   "POST sends its body, again behind a redirect of 307", (long long)client->body_len);
	conf_check(client->conf, client->head.is_message, "the type of a message is recognised", (long long)len);
}

static void check_refused_urls(struct conf_http *client)
{
	static const char *const urls[] = { "",        "nonsense",      "ftp://127.0.0.1/x",
					    "http://", "http://[::1/x", "file:///etc/passwd" };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		reset(client);
		conf_check(client->conf,
			   start(client, urls[i], (struct fota_http_request) { .method = FOTA_HTTP_GET }) ==
				   FOTA_ERR_URL,
			   "start refuses what is no http URL", (long long)i);
		client->poll(client->ctx);
		conf_check(client->conf, client->head_count + client->end_count == 0, "no event follows a refusal",
			   (long long)i);
	}
}

static void check_failing(struct conf_http *client, const char *url, enum fota_err err, const char *rule)
{
	reset(client);
	if (start(client, url, (struct fota_http_request) { .method = FOTA_HTTP_GET }) == FOTA_ERR_OK) { run(client); }
	conf_check(client->conf, client->end.kind == FOTA_HTTP_FAIL && client->end.err == err, rule, client->end.err);
}

static void check_cancel(struct conf_http *client)
{
	struct fota_http_request req = { .method = FOTA_HTTP_GET };

	reset(client);
	client->http->cancel(client->http->ctx); /* of nothing */
	conf_check(client->conf, start(client, "/bytes", req) == FOTA_ERR_OK, "start works after cancel", 0);
	client->http->cancel(client->http->ctx); /* before anything happened */
	for (unsigned i = 0; i < 20; i++) {
		client->poll(client->ctx);
	}
	conf_check(client->conf, client->head_count + client->end_count == 0, "no event follows cancel", 0);
	client->is_cancelling = true;
	conf_check(client->conf, start(client, "/bytes", req) == FOTA_ERR_OK, "start works after cancel", 1);
	for (unsigned i = 0; i < 50; i++) {
		client->poll(client->ctx);
	}
	conf_check(client->conf, client->head_count == 1 && client->end_count == 0, "cancel works inside an event",
		   client->end_count);
	check_get(client, 0, false); /* and the next request is whole */
}

void conf_http(struct conf *conf, struct conf_http *client)
{
	client->conf = conf;
	for (size_t i = 0; i < sizeof(get_rows) / sizeof(get_rows[0]); i++) {
		check_get(client, i, false);
		check_get(client, i, true);
	}
	check_post(client, "/echo", 0, true);
	check_post(client, "/echo", 1, true);
	check_post(client, "/echo", 2048, true);
	check_post(client, "/redirect_post", 700, true);
	check_post(client, "/echo", 10, false);
	check_refused_urls(client);
	check_failing(client, client->refused_url, FOTA_ERR_CONNECT, "a port where nothing listens is CONNECT");
	check_failing(client, "http://no-such-host.invalid/x", FOTA_ERR_RESOLVE, "an unknown name is RESOLVE");
	check_cancel(client);
	if (client->has_short_stall) {
		check_failing(client, "/silent", FOTA_ERR_STALL, "a server that falls silent is STALL");
	}
}
