/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a session: check and report, out and in.
 *
 * Nothing of an answer is used before its tag was verified with the product's secret
 * over the tag of our own request: an answer that somebody else made, or that belongs
 * to another request, ends the session with 402. */
#include "internal.h"

#define URL_TEXT(literal) ((struct fota_bytes) { (const uint8_t *)(literal), sizeof(literal) - 1 })

static const uint8_t accepted_encodings[] = { FOTA_ENCODING_FULL };

/* ---- URLs ---- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* Schemes have no case (RFC 3986 3.1); `scheme` is in lower case. */
static bool has_scheme(struct fota_bytes url, struct fota_bytes scheme)
{
	if (url.len < scheme.len) { return false; }
	for (size_t i = 0; i < scheme.len; i++) {
		if (lower(url.ptr[i]) != scheme.ptr[i]) { return false; }
	}
	return true;
}

/* "https://host:port" of a URL: up to the first '/' behind the authority. */
static struct fota_bytes origin_of(struct fota_bytes url)
{
	size_t slashes = 0;

	for (size_t i = 0; i < url.len; i++) {
		if (url.ptr[i] == '/' && ++slashes == 3) { return (struct fota_bytes) { url.ptr, i }; }
	}
	return url;
}

static struct fota_bytes without_last_slash(struct fota_bytes url)
{
	return url.len && url.ptr[url.len - 1] == '/' ? (struct fota_bytes) { url.ptr, url.len - 1 } : url;
}

/* "scheme://" and at least one character of a host. */
static bool has_host(struct fota_bytes url)
{
	struct fota_bytes origin = origin_of(url);

	return has_scheme(url, URL_TEXT("http")) && origin.len && origin.ptr[origin.len - 1] != '/';
}

static enum fota_err join_url(struct fota_session *s, struct fota_bytes start, struct fota_bytes end)
{
	if (start.len + end.len > sizeof(s->url)) { return FOTA_ERR_URL; }
	memcpy(s->url, start.ptr, start.len);
	if (end.len) { memcpy(s->url + start.len, end.ptr, end.len); }
	s->url_len = (uint16_t)(start.len + end.len);
	return FOTA_ERR_OK;
}

/* A package may lie elsewhere, but never does a session that began with TLS leave it. */
static enum fota_err take_package_url(struct fota_session *s, struct fota_bytes url)
{
	bool is_plain_ok = s->cfg->allow_plain && !has_scheme(s->cfg->server_url, URL_TEXT("https://"));

	s->is_url_relative = url.ptr[0] == '/';
	if (s->is_url_relative) { return join_url(s, origin_of(s->cfg->server_url), url); }
	if (has_scheme(url, URL_TEXT("https://")) || (is_plain_ok && has_scheme(url, URL_TEXT("http://")))) {
		return join_url(s, url, (struct fota_bytes) { NULL, 0 });
	}
	return FOTA_ERR_URL;
}

/* ---- sending ---- */

uint64_t session_unix_s(const struct fota_session *s)
{
	if (s->has_time_base) { return s->time_base_s + session_now_ms(s) / 1000; }
	return s->cfg->clock->unix_s(s->cfg->clock->ctx);
}

/* The platform's clock, as an offset to the module's clock that never jumps. */
static void learn_time(struct fota_session *s, uint64_t time_s)
{
	uint64_t since_s = session_now_ms(s) / 1000;

	s->has_time_base = time_s > since_s;
	s->time_base_s = time_s - since_s;
}

static void fail_now(struct fota_session *s, enum fota_code code)
{
	s->fail_code = (uint16_t)code;
	session_raise(s, EVENT_FAIL);
}

static void post(struct fota_session *s, const char *path, struct fota_bytes body)
{
	struct fota_http_request req = {
		.method = FOTA_HTTP_POST,
		.content_type = fota_bytes_of(FOTA_MESSAGE_CONTENT_TYPE),
		.body = body,
	};
	char url[FOTA_SESSION_URL_BYTES];
	struct fota_bytes base = without_last_slash(s->cfg->server_url);
	size_t path_len = strlen(path);

	if (!has_host(base) || base.len + path_len > sizeof(url)) {
		fail_now(s, FOTA_CODE_BAD_URL);
		return;
	}
	memcpy(url, base.ptr, base.len);
	memcpy(url + base.len, path, path_len);
	req.url = (struct fota_bytes) { (const uint8_t *)url, base.len + path_len };
	s->in_len = 0;
	session_http_start(s, &req);
}

/* Seals the payload, which lies in the second part of the work room, into the first. */
static bool seal(struct fota_session *s, const struct fota_text *product, const struct fota_text *secret,
		 struct fota_bytes payload, struct fota_bytes *message)
{
	return !fota_mac0_put(s->cfg->crypto, fota_text_get(secret), fota_text_get(product),
			      (struct fota_bytes) { NULL, 0 }, payload, session_out_room(s), message, s->request_tag);
}

static bool make_nonce(struct fota_session *s, uint8_t nonce[FOTA_NONCE_BYTES])
{
	return !s->cfg->random->fill(s->cfg->random->ctx, nonce, FOTA_NONCE_BYTES);
}

void session_check_send(struct fota_session *s)
{
	uint8_t nonce[FOTA_NONCE_BYTES];
	struct fota_check_request msg = {
		.nonce = { nonce, sizeof(nonce) },
		.time_s = session_unix_s(s),
		.oem = fota_text_get(&s->oem),
		.model = fota_text_get(&s->model),
		.device = session_identity(s, FOTA_IDENTITY_DEVICE),
		.version = session_identity(s, FOTA_IDENTITY_VERSION),
		.target = fota_text_get(&s->target),
		.slot_bytes = session_area(s)->area_bytes,
		.accept_count = sizeof(accepted_encodings),
	};
	struct fota_bytes payload, message;

	memcpy(msg.accept, accepted_encodings, sizeof(accepted_encodings));
	if (!make_nonce(s, nonce) || fota_check_request_put(&msg, session_in_room(s), &payload) ||
	    !seal(s, &s->product, &s->secret, payload, &message)) {
		fail_now(s, FOTA_CODE_INTERNAL);
		return;
	}
	post(s, FOTA_CHECK_PATH, message);
}

void session_report_send(struct fota_session *s)
{
	const struct fota_pending_report *report = &s->record.reports[0];
	uint8_t nonce[FOTA_NONCE_BYTES];
	struct fota_report_request msg = {
		.nonce = { nonce, sizeof(nonce) },
		.time_s = session_unix_s(s),
		.device = session_identity(s, FOTA_IDENTITY_DEVICE),
		.deployment = fota_text_get(&report->deployment),
		.id = { report->id, sizeof(report->id) },
		.state = report->state,
		.code = report->code,
		.received_bytes = report->received_bytes,
		.version = session_identity(s, FOTA_IDENTITY_VERSION),
	};
	struct fota_bytes payload, message;

	if (!make_nonce(s, nonce) || fota_report_request_put(&msg, session_in_room(s), &payload) ||
	    !seal(s, &report->product, &report->secret, payload, &message)) {
		fail_now(s, FOTA_CODE_INTERNAL);
		return;
	}
	post(s, FOTA_REPORT_PATH, message);
}

/* ---- answers ---- */

void session_answer_feed(struct fota_session *s, struct fota_bytes bytes)
{
	struct fota_room room = session_in_room(s);
	size_t left = s->in_len < room.cap ? room.cap - s->in_len : 0;
	size_t len = bytes.len < left ? bytes.len : left;

	if (len) { memcpy(room.ptr + s->in_len, bytes.ptr, len); }
	/* one byte beyond the limit is enough to know that it is too large */
	s->in_len += bytes.len <= left ? bytes.len : left + 1;
}

static enum fota_code code_of_status(const struct fota_session *s)
{
	if (s->http_status == 403) { return FOTA_CODE_BAD_PLATFORM; }
	if (s->http_status >= 300) { return FOTA_CODE_SERVER; }
	if (s->http_status != 200 || !s->is_answer_message) { return FOTA_CODE_POST; }
	return s->in_len <= FOTA_MESSAGE_MAX_BYTES ? FOTA_CODE_NONE : FOTA_CODE_POST;
}

void session_check_head(struct fota_session *s)
{
	enum fota_code code = code_of_status(s);

	if (code) { fail_now(s, code); }
}

/* Verifies the answer in the work room; *payload points into it. */
static enum fota_code open_answer(const struct fota_session *s, const struct fota_text *product,
				  const struct fota_text *secret, struct fota_bytes *payload)
{
	struct fota_bytes aad = { s->request_tag, sizeof(s->request_tag) };
	struct fota_mac0 mac0;
	enum fota_code code = code_of_status(s);
	enum fota_err err;

	if (code) { return code; }
	if (fota_mac0_get((struct fota_bytes) { session_in_room(s).ptr, s->in_len }, &mac0)) { return FOTA_CODE_POST; }
	if (!fota_bytes_is_equal(mac0.kid, fota_text_get(product))) { return FOTA_CODE_BAD_PLATFORM; }
	err = fota_mac0_verify(&mac0, s->cfg->crypto, fota_text_get(secret), aad);
	if (err) { return err == FOTA_ERR_AUTH ? FOTA_CODE_BAD_PLATFORM : FOTA_CODE_INTERNAL; }
	*payload = mac0.payload;
	return FOTA_CODE_NONE;
}

static bool is_encoding_accepted(uint64_t encoding)
{
	for (size_t i = 0; i < sizeof(accepted_encodings); i++) {
		if (accepted_encodings[i] == encoding) { return true; }
	}
	return false;
}

static bool is_same_package(const struct fota_session *s, const struct fota_check_answer *msg)
{
	const struct fota_package *package = &s->record.package;

	return package->total_bytes == msg->size_bytes && package->slot == fota_boot_target(&s->record.boot) &&
	       memcmp(package->digest, msg->digest.ptr, sizeof(package->digest)) == 0 &&
	       fota_bytes_is_equal(fota_text_get(&package->product), fota_text_get(&s->product)) &&
	       fota_bytes_is_equal(fota_text_get(&package->target), fota_text_get(&s->target));
}

static void take_package(struct fota_session *s, const struct fota_check_answer *msg)
{
	struct fota_package *package = &s->record.package;

	memset(package, 0, sizeof(*package));
	package->product = s->product;
	package->target = s->target;
	package->slot = (uint8_t)fota_boot_target(&s->record.boot);
	package->total_bytes = msg->size_bytes;
	memcpy(package->digest, msg->digest.ptr, sizeof(package->digest));
}

/* Goes on from what is stored if it is of this very package. */
static void move_on(struct fota_session *s, const struct fota_check_answer *msg)
{
	struct fota_package *package = &s->record.package;

	if (s->is_offer_other) { take_package(s, msg); }
	package->sequence = s->offer_sequence; /* the same image may have been signed anew */
	memcpy(package->kid, s->offer_kid, sizeof(package->kid));
	if (s->is_offer_other) {
		s->is_offer_other = s->is_part_old = false;
		session_go(s, PHASE_PREPARING);
		return;
	}
	if (package->synced_bytes == package->total_bytes) {
		session_go(s, PHASE_VERIFYING);
		return;
	}
	session_go(s, package->synced_bytes ? PHASE_DOWNLOADING : PHASE_PREPARING);
}

static void take_offer(struct fota_session *s, const struct fota_check_answer *msg)
{
	enum fota_code code;

	s->is_offer_other = !is_same_package(s, msg);
	if (!is_encoding_accepted(msg->encoding) || fota_text_set(&s->deployment, msg->deployment)) {
		session_end(s, FOTA_CODE_POST);
		return;
	}
	s->has_offer = true;
	if (msg->size_bytes > session_area(s)->area_bytes) {
		session_end(s, FOTA_CODE_NO_MEMORY);
		return;
	}
	code = session_judge_offer(s, msg);
	if (code) {
		session_end(s, code);
		return;
	}
	if (!s->is_checked_told) {
		s->is_checked_told = true;
		s->try_count = 0; /* progress: the download has its own tries */
		session_notify_code(s, FOTA_CODE_CHECKED);
	}
	if (take_package_url(s, msg->url)) {
		session_end(s, FOTA_CODE_BAD_URL);
		return;
	}
	if (s->is_check_only) {
		session_tell_offer(s, msg);
		return;
	}
	move_on(s, msg);
}

/* The platform's clock differs: once more with its time, then it is no platform of
 * ours. */
static void retry_clock(struct fota_session *s, uint64_t time_s)
{
	if (s->has_retried_clock) {
		session_end(s, FOTA_CODE_BAD_PLATFORM);
		return;
	}
	s->has_retried_clock = true;
	learn_time(s, time_s);
	session_go(s, PHASE_CHECKING);
}

/* A platform that names no time gets the longest delay of a try: it has too much to do. */
static void wait_busy(struct fota_session *s, uint64_t retry_after_s)
{
	uint64_t most_s = s->limits.session_ms / 1000u + 1;
	uint64_t delay_s = retry_after_s ? retry_after_s : s->limits.retry_max_ms / 1000u + 1;

	s->wake_ms = session_now_ms(s) + (delay_s < most_s ? delay_s : most_s) * 1000;
	s->retry_phase = PHASE_CHECKING;
	session_go(s, PHASE_WAITING);
}

static const struct {
	enum fota_refusal result;
	enum fota_code code;
} refusal_codes[] = {
	{ FOTA_REFUSAL_NONE, FOTA_CODE_NO_VERSION },
	{ FOTA_REFUSAL_BAD_PARAMETER, FOTA_CODE_BAD_PARAM },
	{ FOTA_REFUSAL_DEVICE_MISMATCH, FOTA_CODE_BAD_DEVICE },
	{ FOTA_REFUSAL_MISSING_FIELD, FOTA_CODE_NO_DEVICE },
	{ FOTA_REFUSAL_UNKNOWN_SOURCE, FOTA_CODE_NO_CONFIG },
	{ FOTA_REFUSAL_INTERNAL, FOTA_CODE_INTERNAL },
};

static void take_refusal(struct fota_session *s, const struct fota_check_answer *msg)
{
	for (size_t i = 0; i < sizeof(refusal_codes) / sizeof(refusal_codes[0]); i++) {
		if (refusal_codes[i].result == msg->result) {
			session_end(s, refusal_codes[i].code);
			return;
		}
	}
	session_end(s, FOTA_CODE_POST); /* a refusal that version 1 does not have */
}

void session_check_answer(struct fota_session *s)
{
	struct fota_check_answer msg;
	struct fota_bytes payload;
	enum fota_code code = open_answer(s, &s->product, &s->secret, &payload);

	if (!code && fota_check_answer_get(payload, &msg)) { code = FOTA_CODE_POST; }
	if (code) {
		fail_now(s, code);
		return;
	}
	switch (msg.result) {
	case FOTA_REFUSAL_UPDATE:
		take_offer(s, &msg);
		break;
	case FOTA_REFUSAL_CLOCK_SKEW:
		retry_clock(s, msg.time_s);
		break;
	case FOTA_REFUSAL_BUSY:
		wait_busy(s, msg.retry_after_s);
		break;
	default:
		take_refusal(s, &msg);
	}
}

bool session_report_is_taken(struct fota_session *s)
{
	const struct fota_pending_report *report = &s->record.reports[0];
	struct fota_report_answer msg;
	struct fota_bytes payload;

	if (open_answer(s, &report->product, &report->secret, &payload) || fota_report_answer_get(payload, &msg)) {
		return false;
	}
	if (msg.result == FOTA_REFUSAL_CLOCK_SKEW) { learn_time(s, msg.time_s); }
	/* An authentic "malformed" stays so however often it is sent. */
	return msg.result == FOTA_REFUSAL_UPDATE || msg.result == FOTA_REFUSAL_BAD_PARAMETER ||
	       msg.result == FOTA_REFUSAL_MISSING_FIELD || msg.result == FOTA_REFUSAL_NONE;
}
