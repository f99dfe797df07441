/* SPDX-License-Identifier: Apache-2.0 */
/* One easy handle, used for one request after the other, so that connections are
 * kept.
 *
 * start and cancel are called by the session from inside libcurl's callbacks, where
 * libcurl allows neither. They only note what is wanted; posix_http_perform carries
 * it out. Redirects are followed here and not by libcurl, because the rule
 * "never from TLS to plain" must hold for every step of a chain, and a POST stays a POST.
 *
 * A body that the session does not want yet pauses the transfer. libcurl offers the
 * same bytes again after the pause; `skip` counts those that were taken already. */
#include "posix_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "posix_clock.h"

#define URL_MAX        2048
#define BUFFER_BYTES   (128L * 1024)
#define REDIRECT_BYTES ((size_t)16 * 1024) /* of a redirect's body, before the connection is given up */
/* As libcurl takes a Location: blanks are no reason to stop, and the scheme is judged by us. */
#define LOCATION_FLAGS     (CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE | CURLU_ALLOW_SPACE)
#define DEFAULT_CONNECT_MS 15000u
#define DEFAULT_STALL_MS   30000u

struct posix_http {
	struct posix_http_cfg cfg;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char url[URL_MAX];
	struct fota_http_request req; /* url and if_range are not used behind start */
	char if_range[128];
	char content_type[64];
	char error[CURL_ERROR_SIZE];
	CURLcode code;     /* of the last failed request */
	bool is_wanted;    /* a request is to begin */
	bool is_added;     /* the handle is in the multi handle */
	bool is_cancelled; /* the handle is to go without an event */
	bool is_paused;
	bool is_resume_due;
	bool is_head_told;
	unsigned redirect_count;
	size_t redirect_bytes; /* of the body that a redirect has */
	size_t skip;
	uint64_t heard_ms; /* when the last byte came */
};

/* ---- events ---- */

static enum fota_err tell(struct posix_http *http, const struct fota_http_event *event, size_t *taken)
{
	size_t ignored;

	return http->cfg.event(http->cfg.event_ctx, event, taken ? taken : &ignored);
}

static void tell_fail(struct posix_http *http, enum fota_err err)
{
	(void)tell(http, &(struct fota_http_event) { .kind = FOTA_HTTP_FAIL, .err = err }, NULL);
}

static const char *header(struct posix_http *http, const char *name)
{
	struct curl_header *found;

	return curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : NULL;
}

/* "bytes <start>-<end>/<total or *>" (RFC 9110 14.4). */
static bool parse_content_range(const char *text, struct fota_http_event *head)
{
	char *end;

	if (strncasecmp(text, "bytes ", 6) != 0 || text[6] < '0' || text[6] > '9') { return false; }
	errno = 0;
	head->range_start = strtoull(text + 6, &end, 10);
	if (*end != '-' || end[1] < '0' || end[1] > '9') { return false; }
	(void)strtoull(end + 1, &end, 10);
	if (*end != '/') { return false; }
	head->range_total = UINT64_MAX;
	if (strcmp(end + 1, "*") == 0) { return errno == 0; }
	if (end[1] < '0' || end[1] > '9') { return false; }
	head->range_total = strtoull(end + 1, &end, 10);
	return *end == 0 && errno == 0;
}

static bool is_message_type(const char *type)
{
	return type && strcasecmp(type, "application/cose; cose-type=\"cose-mac0\"") == 0;
}

static long status_of(struct posix_http *http)
{
	long status = 0;

	(void)curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void tell_head(struct posix_http *http)
{
	struct fota_http_event head = { .kind = FOTA_HTTP_HEAD, .status = (unsigned)status_of(http) };
	const char *content_range = header(http, "Content-Range");
	curl_off_t length = -1;

	if (http->is_head_told) { return; }
	http->is_head_told = true;
	(void)curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	head.is_message = is_message_type(header(http, "Content-Type"));
	head.has_content_range = content_range && parse_content_range(content_range, &head);
	head.has_length = length >= 0;
	head.length = length >= 0 ? (uint64_t)length : 0;
	(void)tell(http, &head, NULL);
}

/* ---- libcurl's callbacks ---- */

static bool is_redirect(struct posix_http *http)
{
	long status = status_of(http);

	if (status < 301 || status > 308 || (status > 303 && status < 307)) { return false; }
	return header(http, "Location") != NULL; /* without one it is an answer like others */
}

/* Its head has said enough. The body is read for the sake of the connection, which can be used
 * again behind it; a long or endless one is not worth that. */
static bool is_redirect_long(const struct posix_http *http)
{
	return http->redirect_bytes > REDIRECT_BYTES;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct posix_http *http = arg;
	size_t len = size * count;
	size_t skip = http->skip < len ? http->skip : len;
	size_t taken = 0;
	enum fota_err err;

	http->heard_ms = posix_clock_now_ms();
	if (http->is_cancelled) { return CURL_WRITEFUNC_ERROR; }
	if (is_redirect(http)) {
		http->redirect_bytes += len;
		return is_redirect_long(http) ? CURL_WRITEFUNC_ERROR : len;
	}
	tell_head(http);
	if (http->is_cancelled) { return CURL_WRITEFUNC_ERROR; }
	if (skip < len) {
		struct fota_http_event event = { .kind = FOTA_HTTP_BODY,
						 .body = { (const uint8_t *)bytes + skip, len - skip } };

		err = tell(http, &event, &taken);
		if (http->is_cancelled) { return CURL_WRITEFUNC_ERROR; }
		if (err == FOTA_ERR_BUSY) {
			http->skip += taken;
			http->is_paused = true;
			return CURL_WRITEFUNC_PAUSE;
		}
	}
	http->skip -= skip;
	return len;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct posix_http *http = arg;

	(void)bytes;
	http->heard_ms = posix_clock_now_ms();
	return size * count;
}

/* ---- the end of a transfer ---- */

static bool has_answer_byte(struct posix_http *http)
{
	long head_bytes = 0;
	curl_off_t body_bytes = 0;

	(void)curl_easy_getinfo(http->easy, CURLINFO_HEADER_SIZE, &head_bytes);
	(void)curl_easy_getinfo(http->easy, CURLINFO_SIZE_DOWNLOAD_T, &body_bytes);
	return head_bytes > 0 || body_bytes > 0;
}

static bool is_name_known(struct posix_http *http)
{
	curl_off_t time_us = 0;

	(void)curl_easy_getinfo(http->easy, CURLINFO_NAMELOOKUP_TIME_T, &time_us);
	return time_us > 0;
}

static const struct {
	CURLcode code;
	enum fota_err err;
} curl_errors[] = {
	{ CURLE_URL_MALFORMAT, FOTA_ERR_URL },
	{ CURLE_COULDNT_RESOLVE_HOST, FOTA_ERR_RESOLVE },
	{ CURLE_COULDNT_RESOLVE_PROXY, FOTA_ERR_RESOLVE },
	{ CURLE_COULDNT_CONNECT, FOTA_ERR_CONNECT },
	{ CURLE_SSL_CONNECT_ERROR, FOTA_ERR_CONNECT },
	{ CURLE_PEER_FAILED_VERIFICATION, FOTA_ERR_CONNECT },
	{ CURLE_SSL_CACERT_BADFILE, FOTA_ERR_CONNECT },
	{ CURLE_SSL_CERTPROBLEM, FOTA_ERR_CONNECT },
	{ CURLE_SSL_CIPHER, FOTA_ERR_CONNECT },
	{ CURLE_SSL_ISSUER_ERROR, FOTA_ERR_CONNECT },
	{ CURLE_SSL_ENGINE_INITFAILED, FOTA_ERR_CONNECT },
	{ CURLE_GOT_NOTHING, FOTA_ERR_CLOSED },
	{ CURLE_SEND_ERROR, FOTA_ERR_SEND },
	{ CURLE_WEIRD_SERVER_REPLY, FOTA_ERR_PROTOCOL },
	{ CURLE_UNSUPPORTED_PROTOCOL, FOTA_ERR_PROTOCOL }, /* HTTP/0.9, that is: no HTTP */
	{ CURLE_BAD_CONTENT_ENCODING, FOTA_ERR_PROTOCOL },
};

static enum fota_err from_curl(struct posix_http *http, CURLcode code)
{
	if (code == CURLE_OPERATION_TIMEDOUT) { return is_name_known(http) ? FOTA_ERR_CONNECT : FOTA_ERR_RESOLVE; }
	/* A reset before the first byte of the answer: the peer did not take the request. */
	if (code == CURLE_RECV_ERROR && !has_answer_byte(http)) { return FOTA_ERR_SEND; }
	for (size_t i = 0; i < sizeof(curl_errors) / sizeof(curl_errors[0]); i++) {
		if (curl_errors[i].code == code) { return curl_errors[i].err; }
	}
	return FOTA_ERR_RECEIVE;
}

static void take_off(struct posix_http *http)
{
	if (http->is_added) { (void)curl_multi_remove_handle(http->multi, http->easy); }
	http->is_added = false;
	http->is_paused = false;
	http->is_resume_due = false;
	http->is_cancelled = false;
}

static bool has_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

static bool is_scheme_allowed(const struct posix_http *http, const char *url)
{
	return has_scheme(url, "https://") || (http->cfg.allow_plain && has_scheme(url, "http://"));
}

/* Where Location leads, seen from the URL that was asked. NULL: it is no URL. To be freed with
 * curl_free. libcurl's own answer (CURLINFO_REDIRECT_URL) is there only behind a whole body. */
static char *next_url(struct posix_http *http)
{
	CURLU *url = curl_url();
	char *next = NULL;

	if (url && !curl_url_set(url, CURLUPART_URL, http->url, 0) &&
	    !curl_url_set(url, CURLUPART_URL, header(http, "Location"), LOCATION_FLAGS)) {
		(void)curl_url_get(url, CURLUPART_URL, &next, 0);
	}
	curl_url_cleanup(url);
	return next;
}

static enum fota_err go_to(struct posix_http *http, const char *next)
{
	if (strlen(next) >= sizeof(http->url) || !is_scheme_allowed(http, next)) { return FOTA_ERR_URL; }
	if (has_scheme(http->url, "https://") && !has_scheme(next, "https://")) { return FOTA_ERR_URL; }
	strcpy(http->url, next);
	http->is_wanted = true;
	return FOTA_ERR_OK;
}

static enum fota_err follow(struct posix_http *http)
{
	char *next;
	enum fota_err err;

	if (++http->redirect_count > POSIX_HTTP_REDIRECT_MAX) { return FOTA_ERR_REDIRECTS; }
	next = next_url(http);
	if (!next) { return FOTA_ERR_PROTOCOL; }
	err = go_to(http, next);
	curl_free(next);
	return err;
}

static void end_transfer(struct posix_http *http, CURLcode code)
{
	bool is_cancelled = http->is_cancelled;
	enum fota_err err;

	if (code == CURLE_WRITE_ERROR && is_redirect_long(http)) { code = CURLE_OK; }
	err = code == CURLE_OK ? FOTA_ERR_OK : from_curl(http, code);
	http->code = code;
	if (is_cancelled) {
		take_off(http);
		return;
	}
	if (!err && is_redirect(http)) {
		err = follow(http);
		take_off(http);
		if (err) { tell_fail(http, err); }
		return;
	}
	if (!err) { tell_head(http); }
	if (http->is_cancelled) {
		take_off(http);
		return;
	}
	take_off(http);
	if (err) {
		tell_fail(http, err);
		return;
	}
	(void)tell(http, &(struct fota_http_event) { .kind = FOTA_HTTP_DONE }, NULL);
}

/* ---- the beginning ---- */

static struct curl_slist *add_header(struct curl_slist *list, bool *is_ok, const char *name, const char *value)
{
	char line[256];
	struct curl_slist *longer;

	if (snprintf(line, sizeof(line), "%s%s", name, value) >= (int)sizeof(line)) { *is_ok = false; }
	longer = curl_slist_append(list, line);
	if (!longer) { *is_ok = false; }
	return longer ? longer : list;
}

static bool set_headers(struct posix_http *http)
{
	bool is_ok = true;
	struct curl_slist *list = NULL;

	if (http->req.method == FOTA_HTTP_POST) {
		list = add_header(list, &is_ok, "Content-Type: ", http->content_type);
		list = add_header(list, &is_ok, "Expect:", "");
	}
	if (http->if_range[0]) { list = add_header(list, &is_ok, "If-Range: ", http->if_range); }
	curl_slist_free_all(http->headers);
	http->headers = list;
	(void)curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, list);
	return is_ok;
}

static void set_method(struct posix_http *http)
{
	char range[32];

	if (http->req.method == FOTA_HTTP_POST) {
		(void)curl_easy_setopt(http->easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, http->req.body.ptr);
		(void)curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE, (long)http->req.body.len);
	} else {
		(void)curl_easy_setopt(http->easy, CURLOPT_HTTPGET, 1L);
	}
	(void)snprintf(range, sizeof(range), "%llu-", (unsigned long long)http->req.range_start);
	(void)curl_easy_setopt(http->easy, CURLOPT_RANGE, http->req.has_range ? range : NULL);
}

static void begin(struct posix_http *http)
{
	http->is_wanted = false;
	http->is_head_told = false;
	http->skip = http->redirect_bytes = 0;
	http->heard_ms = posix_clock_now_ms();
	http->error[0] = 0;
	http->code = CURLE_OK;
	set_method(http);
	if (!set_headers(http) || curl_easy_setopt(http->easy, CURLOPT_URL, http->url) ||
	    curl_multi_add_handle(http->multi, http->easy)) {
		tell_fail(http, FOTA_ERR_CONTRACT);
		return;
	}
	http->is_added = true;
}

/* ---- the port ---- */

static bool is_url_usable(const struct posix_http *http, const char *url)
{
	CURLU *parsed = curl_url();
	bool is_ok = parsed && is_scheme_allowed(http, url) && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;

	curl_url_cleanup(parsed);
	return is_ok;
}

static void copy_text(char *dst, size_t cap, struct fota_bytes text)
{
	size_t len = text.len < cap - 1 ? text.len : cap - 1;

	if (len) { memcpy(dst, text.ptr, len); }
	dst[len] = 0;
}

static enum fota_err port_start(void *ctx, const struct fota_http_request *req)
{
	struct posix_http *http = ctx;
	char url[URL_MAX];

	if (req->url.len >= sizeof(url) || memchr(req->url.ptr, 0, req->url.len)) { return FOTA_ERR_URL; }
	copy_text(url, sizeof(url), req->url);
	if (!is_url_usable(http, url)) { return FOTA_ERR_URL; }
	if (http->is_added) { http->is_cancelled = true; }
	strcpy(http->url, url);
	http->req = *req;
	copy_text(http->if_range, sizeof(http->if_range), req->if_range);
	copy_text(http->content_type, sizeof(http->content_type), req->content_type);
	http->redirect_count = 0;
	http->is_wanted = true;
	return FOTA_ERR_OK;
}

static void port_resume(void *ctx)
{
	struct posix_http *http = ctx;

	http->is_resume_due = http->is_paused;
}

static void port_cancel(void *ctx)
{
	struct posix_http *http = ctx;

	http->is_wanted = false;
	if (http->is_added) { http->is_cancelled = true; }
}

/* ---- the loop ---- */

/* The limit between two bytes begins when the connection stands and does not count
 * while we are the ones who pause. */
static uint64_t stall_left_ms(struct posix_http *http)
{
	uint64_t now = posix_clock_now_ms();
	curl_off_t ready_us = 0;

	if (!http->is_added || http->is_paused) { return UINT32_MAX; }
	(void)curl_easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	if (ready_us == 0) {
		http->heard_ms = now;
		return UINT32_MAX; /* libcurl limits the time of the connection */
	}
	return now - http->heard_ms < http->cfg.stall_ms ? http->cfg.stall_ms - (now - http->heard_ms) : 0;
}

static bool is_work_due(const struct posix_http *http)
{
	return http->is_wanted || http->is_cancelled || http->is_resume_due;
}

void posix_http_wait(struct posix_http *http, struct pollfd *fds, unsigned fd_count, uint32_t timeout_ms)
{
	struct curl_waitfd waits[32];
	uint64_t stall_ms = stall_left_ms(http);

	if (fd_count > sizeof(waits) / sizeof(waits[0])) { fd_count = sizeof(waits) / sizeof(waits[0]); }
	for (unsigned i = 0; i < fd_count; i++) {
		waits[i].fd = fds[i].fd;
		waits[i].events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
					  (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
		waits[i].revents = 0;
	}
	if (stall_ms < timeout_ms) { timeout_ms = (uint32_t)stall_ms; }
	if (timeout_ms > 60000) { timeout_ms = 60000; }
	if (is_work_due(http)) { timeout_ms = 0; }
	(void)curl_multi_poll(http->multi, waits, fd_count, (int)timeout_ms, NULL);
	for (unsigned i = 0; i < fd_count; i++) {
		fds[i].revents = (short)((waits[i].revents & CURL_WAIT_POLLIN ? POLLIN : 0) |
					 (waits[i].revents & CURL_WAIT_POLLOUT ? POLLOUT : 0));
	}
}

static void resume(struct posix_http *http)
{
	http->is_resume_due = false;
	http->is_paused = false;
	http->heard_ms = posix_clock_now_ms();
	(void)curl_easy_pause(http->easy, CURLPAUSE_CONT); /* may call on_body */
}

static void take_messages(struct posix_http *http)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left))) {
		if (msg->msg == CURLMSG_DONE) { end_transfer(http, msg->data.result); }
	}
}

void posix_http_perform(struct posix_http *http)
{
	int running;

	if (http->is_cancelled) { take_off(http); }
	if (http->is_wanted) { begin(http); }
	if (http->is_resume_due && http->is_added) { resume(http); }
	(void)curl_multi_perform(http->multi, &running);
	take_messages(http);
	if (stall_left_ms(http) == 0 && !http->is_cancelled) {
		take_off(http);
		tell_fail(http, FOTA_ERR_STALL);
	}
}

const char *posix_http_detail(const struct posix_http *http)
{
	return http->error;
}

bool posix_http_is_tls_failure(const struct posix_http *http, long *verify_result)
{
	*verify_result = -1;
	if (http->code == CURLE_PEER_FAILED_VERIFICATION) {
		(void)curl_easy_getinfo(http->easy, CURLINFO_SSL_VERIFYRESULT, verify_result);
		return true;
	}
	return http->code == CURLE_SSL_CONNECT_ERROR;
}

/* ---- open and close ---- */

static void set_options(struct posix_http *http)
{
	CURL *easy = http->easy;

	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A request that ends while its name is looked up leaves the thread that looks;
	 * without this libcurl waits for it, as long as the name server keeps silent. */
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, http->cfg.allow_plain ? "http,https" : "https");
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->cfg.connect_ms);
	(void)curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, http->cfg.user_agent);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	if (http->cfg.ca_file) { (void)curl_easy_setopt(easy, CURLOPT_CAINFO, http->cfg.ca_file); }
}

enum fota_err posix_http_open(struct posix_http **out, const struct posix_http_cfg *cfg)
{
	struct posix_http *http = calloc(1, sizeof(*http));

	*out = NULL;
	if (!http) { return FOTA_ERR_IO; }
	http->cfg = *cfg;
	if (!http->cfg.connect_ms) { http->cfg.connect_ms = DEFAULT_CONNECT_MS; }
	if (!http->cfg.stall_ms) { http->cfg.stall_ms = DEFAULT_STALL_MS; }
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		http->multi = curl_multi_init();
		http->easy = curl_easy_init();
	}
	if (!http->multi || !http->easy) {
		posix_http_close(http);
		return FOTA_ERR_IO;
	}
	set_options(http);
	*out = http;
	return FOTA_ERR_OK;
}

void posix_http_close(struct posix_http *http)
{
	if (!http) { return; }
	take_off(http);
	if (http->easy) { curl_easy_cleanup(http->easy); }
	if (http->multi) { curl_multi_cleanup(http->multi); }
	curl_slist_free_all(http->headers);
	curl_global_cleanup();
	free(http);
}

struct fota_http posix_http_port(struct posix_http *http)
{
	return (struct fota_http) { .ctx = http, .start = port_start, .resume = port_resume, .cancel = port_cancel };
}
