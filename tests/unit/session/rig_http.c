/* SPDX-License-Identifier: Apache-2.0 */
/* The network and the platform of the rig. Requests are opened and checked as a real
 * platform would, answers are made with the library's own encoder; then the twist of
 * the request spoils them. One event is delivered at a time. */
#include <stdio.h>
#include <string.h>

#include "rig_priv.h"

const char *const rig_urls[] = {
	"/p/image.bin",                        /* 0 */
	"https://cdn.example/image.bin?sig=1", /* 1 */
	"http://cdn.example/image.bin",        /* 2: only where plain is allowed */
	"ftp://cdn.example/image.bin",         /* 3: never */
	"image.bin",                           /* 4: neither absolute nor a path */
	"HTTPS://cdn.example/image.bin",       /* 5: schemes have no case (RFC 3986 3.1) */
};

static struct fota_bytes bytes(const void *ptr, size_t len)
{
	return (struct fota_bytes) { ptr, len };
}

/* ---- opening requests ---- */

static void check_nonce(struct rig *rig, struct fota_bytes nonce)
{
	rig_require(rig, nonce.len == FOTA_NONCE_BYTES);
	rig_require(rig, memcmp(nonce.ptr, rig->last_nonce, FOTA_NONCE_BYTES) != 0);
	memcpy(rig->last_nonce, nonce.ptr, FOTA_NONCE_BYTES);
}

/* The request, which must be authentic. */
static struct fota_mac0 open_request(struct rig *rig, struct fota_bytes message)
{
	struct fota_mac0 mac0;

	rig_require(rig, message.len <= FOTA_MESSAGE_MAX_BYTES);
	rig_require(rig, fota_mac0_get(message, &mac0) == FOTA_ERR_OK);
	rig_require(rig, fota_bytes_is_equal(mac0.kid, fota_bytes_of(RIG_PRODUCT)));
	rig_require(rig,
		    fota_mac0_verify(&mac0, &rig->crypto, fota_bytes_of(RIG_SECRET), bytes(NULL, 0)) == FOTA_ERR_OK);
	return mac0;
}

static uint64_t platform_time(const struct rig *rig)
{
	return rig->platform_s + rig->now_ms / 1000;
}

static bool is_clock_off(const struct rig *rig, uint64_t time_s)
{
	uint64_t now = platform_time(rig);

	if (!rig->is_skew_checked) { return false; }
	return time_s > now ? time_s - now > FOTA_CLOCK_SKEW_MAX_S : now - time_s > FOTA_CLOCK_SKEW_MAX_S;
}

static void check_target(struct rig *rig, struct fota_bytes target)
{
	if (fota_bytes_is_equal(target, fota_bytes_of(rig->target))) { return; }
	rig_require(rig, rig->is_target_free);
	rig->http.twist = (struct rig_twist) { .kind = RIG_CHECK, .effect = RIG_REFUSE, .arg = FOTA_REFUSAL_NONE };
}

static void open_check(struct rig *rig, struct rig_request *note, const struct fota_mac0 *mac0)
{
	struct fota_check_request msg;

	rig_require(rig, fota_check_request_get(mac0->payload, &msg) == FOTA_ERR_OK);
	check_nonce(rig, msg.nonce);
	rig_require(rig, fota_bytes_is_equal(msg.oem, fota_bytes_of(RIG_OEM)));
	rig_require(rig, fota_bytes_is_equal(msg.model, fota_bytes_of(RIG_MODEL)));
	rig_require(rig, fota_bytes_is_equal(msg.device, fota_bytes_of(rig->texts[FOTA_IDENTITY_DEVICE])));
	rig_require(rig, fota_bytes_is_equal(msg.version, fota_bytes_of(rig->texts[FOTA_IDENTITY_VERSION])));
	check_target(rig, msg.target);
	rig_require(rig, msg.slot_bytes == RIG_SLOT_BYTES && msg.accept_count == 1 && msg.accept[0] == 0);
	note->time_s = msg.time_s;
}

static void open_report(struct rig *rig, struct rig_request *note, const struct fota_mac0 *mac0)
{
	struct fota_report_request msg;

	rig_require(rig, fota_report_request_get(mac0->payload, &msg) == FOTA_ERR_OK);
	check_nonce(rig, msg.nonce);
	rig_require(rig, fota_bytes_is_equal(msg.deployment, fota_bytes_of("dep-1")));
	rig_require(rig, fota_bytes_is_equal(msg.device, fota_bytes_of(rig->texts[FOTA_IDENTITY_DEVICE])));
	note->time_s = msg.time_s;
	note->report_state = msg.state;
	note->report_code = msg.code;
	note->report_received = msg.received_bytes;
	memcpy(note->report_id, msg.id.ptr, FOTA_REPORT_ID_BYTES);
	memcpy(note->report_version, msg.version.ptr, msg.version.len);
}

/* ---- making answers ---- */

static struct fota_bytes check_payload(struct rig *rig, const struct rig_request *note, struct fota_room room)
{
	const struct rig_twist *twist = &rig->http.twist;
	uint8_t digest[32], envelope[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_check_answer msg = {
		.time_s = platform_time(rig),
		.deployment = fota_bytes_of("dep-1"),
		.url = fota_bytes_of(rig_urls[twist->effect == RIG_OFFER_URL ? twist->arg : 0]),
		.size_bytes = twist->effect == RIG_OFFER_SIZE ? twist->arg : rig->image_bytes,
		.digest = { digest, sizeof(digest) },
		.encoding = twist->effect == RIG_OFFER_CODED ? twist->arg : 0,
		.retry_after_s = rig->retry_after_s,
	};
	struct fota_bytes out;

	rig_require(rig, rig->crypto.sha256_begin(rig->crypto.ctx) == FOTA_ERR_OK);
	rig_require(rig,
		    rig->crypto.sha256_update(rig->crypto.ctx, bytes(rig->image, rig->image_bytes)) == FOTA_ERR_OK);
	rig_require(rig, rig->crypto.sha256_finish(rig->crypto.ctx, digest) == FOTA_ERR_OK);
	if (twist->effect == RIG_OFFER_OTHER) { digest[0] ^= 1; }
	msg.manifest = rig_manifest_of(rig, &msg, (struct fota_room) { envelope, sizeof(envelope) });
	if (is_clock_off(rig, note->time_s)) { msg.result = FOTA_REFUSAL_CLOCK_SKEW; }
	if (twist->effect == RIG_REFUSE) { msg.result = twist->arg; }
	rig_require(rig, fota_check_answer_put(&msg, room, &out) == FOTA_ERR_OK);
	return out;
}

static struct fota_bytes report_payload(struct rig *rig, const struct rig_request *note, struct fota_room room)
{
	struct fota_report_answer msg = { .time_s = platform_time(rig) };
	struct fota_bytes out;

	if (is_clock_off(rig, note->time_s)) { msg.result = FOTA_REFUSAL_CLOCK_SKEW; }
	if (rig->http.twist.effect == RIG_REFUSE) { msg.result = rig->http.twist.arg; }
	rig_require(rig, fota_report_answer_put(&msg, room, &out) == FOTA_ERR_OK);
	return out;
}

static void seal(struct rig *rig, struct fota_bytes payload, struct fota_bytes request_tag)
{
	struct rig_http *http = &rig->http;
	enum rig_effect effect = http->twist.effect;
	const char *kid = effect == RIG_OTHER_KID ? "1540907005" : RIG_PRODUCT;
	const char *key = effect == RIG_FORGED ? "00000000000000000000000000000000" : RIG_SECRET;
	uint8_t aad[FOTA_MAC_BYTES], tag[FOTA_MAC_BYTES];
	struct fota_bytes message;

	memcpy(aad, request_tag.ptr, sizeof(aad));
	if (effect == RIG_REPLAYED) { aad[31] ^= 1; }
	rig_require(rig, fota_mac0_put(&rig->crypto, fota_bytes_of(key), fota_bytes_of(kid), bytes(aad, sizeof(aad)),
				       payload, (struct fota_room) { http->body, sizeof(http->body) }, &message,
				       tag) == FOTA_ERR_OK);
	http->body_len = message.len;
}

static void spoil_message(struct rig *rig)
{
	struct rig_http *http = &rig->http;
	uint64_t arg = http->twist.arg;

	switch (http->twist.effect) {
	case RIG_GARBAGE:
		http->body_len = arg < sizeof(http->body) ? arg : sizeof(http->body);
		memset(http->body, 0x42, http->body_len);
		break;
	case RIG_CHANGED:
		http->body[arg % http->body_len] ^= 0x10;
		break;
	case RIG_CUT_ANSWER:
		http->body_len = arg < http->body_len ? arg : http->body_len;
		break;
	default:
		break;
	}
	http->head.is_message = http->twist.effect != RIG_OTHER_TYPE;
	http->end = http->body_len;
}

static void answer_message(struct rig *rig, struct rig_request *note, struct fota_bytes message)
{
	uint8_t room[FOTA_MESSAGE_MAX_BYTES];
	struct fota_mac0 mac0 = open_request(rig, message);
	struct fota_bytes payload;

	if (note->kind == RIG_CHECK) {
		open_check(rig, note, &mac0);
		payload = check_payload(rig, note, (struct fota_room) { room, sizeof(room) });
	} else {
		open_report(rig, note, &mac0);
		payload = report_payload(rig, note, (struct fota_room) { room, sizeof(room) });
	}
	seal(rig, payload, mac0.tag);
	spoil_message(rig);
}

static void answer_range(struct rig *rig, const struct rig_request *note)
{
	struct fota_http_event *head = &rig->http.head;

	head->status = 206;
	head->has_content_range = true;
	head->range_start = rig->http.off = note->range_start;
	head->range_total = rig->image_bytes;
	head->length = rig->image_bytes - note->range_start;
	switch (rig->http.twist.effect) {
	case RIG_OTHER_START:
		head->range_start++;
		break;
	case RIG_OTHER_TOTAL:
		head->range_total++;
		break;
	case RIG_NO_TOTAL:
		head->range_total = UINT64_MAX;
		break;
	case RIG_NO_RANGE:
		head->has_content_range = false;
		break;
	default:
		break;
	}
}

static void answer_package(struct rig *rig, const struct rig_request *note)
{
	struct rig_http *http = &rig->http;
	uint64_t arg = http->twist.arg;

	http->end = rig->image_bytes;
	http->head.has_length = true;
	http->head.length = rig->image_bytes;
	if (note->has_range && note->range_start >= rig->image_bytes) {
		http->head.status = 416;
		http->end = 0;
	} else if (note->has_range && http->twist.effect != RIG_WHOLE) {
		answer_range(rig, note);
	}
	if (http->twist.effect == RIG_LENGTH) { http->head.length = arg; }
	if (http->twist.effect == RIG_SHORT) { http->end = arg; }
	if (http->twist.effect == RIG_LONG) { http->end += arg; }
	if (http->twist.effect == RIG_SHORT || http->twist.effect == RIG_LONG) { http->head.has_length = false; }
}

/* ---- the port ---- */

static enum rig_kind kind_of(const struct fota_http_request *req)
{
	if (req->method == FOTA_HTTP_GET) { return RIG_GET; }
	return memmem(req->url.ptr, req->url.len, FOTA_REPORT_PATH, strlen(FOTA_REPORT_PATH)) ? RIG_REPORT : RIG_CHECK;
}

static struct rig_twist find_twist(const struct rig *rig, enum rig_kind kind)
{
	unsigned number = rig->http.counts[kind];

	for (size_t i = 0; i < RIG_TWIST_MAX; i++) {
		const struct rig_twist *twist = &rig->twists[i];

		if (twist->effect == RIG_FINE || twist->kind != kind) { continue; }
		if (twist->first == 0 || (number >= twist->first && number <= twist->last)) { return *twist; }
	}
	return (struct rig_twist) { .kind = kind };
}

static struct rig_request *note_request(struct rig *rig, const struct fota_http_request *req, enum rig_kind kind)
{
	struct rig_request *note = &rig->requests[rig->request_count++ % RIG_REQUEST_MAX];

	*note = (struct rig_request) {
		.kind = kind,
		.has_range = req->has_range,
		.range_start = req->range_start,
		.at_ms = rig->now_ms,
	};
	(void)snprintf(note->url, sizeof(note->url), "%.*s", (int)req->url.len, (const char *)req->url.ptr);
	(void)snprintf(note->if_range, sizeof(note->if_range), "%.*s", (int)req->if_range.len,
		       req->if_range.len ? (const char *)req->if_range.ptr : "");
	return note;
}

static enum fota_err port_start(void *ctx, const struct fota_http_request *req)
{
	struct rig *rig = ctx;
	struct rig_http *http = &rig->http;
	enum rig_kind kind = kind_of(req);
	struct rig_request *note = note_request(rig, req, kind);

	rig_require(rig, !http->is_active); /* one request at a time */
	http->counts[kind]++;
	http->twist = find_twist(rig, kind);
	http->kind = kind;
	http->is_active = true;
	http->is_paused = http->is_head_told = false;
	http->off = 0;
	http->head = (struct fota_http_event) { .kind = FOTA_HTTP_HEAD, .status = 200 };
	if (kind == RIG_GET) {
		answer_package(rig, note);
	} else {
		answer_message(rig, note, req->body);
	}
	if (http->twist.effect == RIG_START_ERR) {
		http->is_active = false;
		return (enum fota_err)http->twist.arg;
	}
	if (http->twist.effect == RIG_STATUS) {
		http->head = (struct fota_http_event) { .kind = FOTA_HTTP_HEAD,
							.status = (unsigned)http->twist.arg,
							.has_length = true };
		http->off = http->end = 0;
	}
	return FOTA_ERR_OK;
}

static void port_resume(void *ctx)
{
	struct rig *rig = ctx;

	rig->http.is_paused = false;
}

static void port_cancel(void *ctx)
{
	struct rig *rig = ctx;

	rig->http.is_active = false;
}

void rig_http_init(struct rig *rig)
{
	rig->http_port =
		(struct fota_http) { .ctx = rig, .start = port_start, .resume = port_resume, .cancel = port_cancel };
}

/* ---- events ---- */

static enum fota_err deliver(struct rig *rig, const struct fota_http_event *event, size_t *taken)
{
	rig_call(rig);
	/* stopping may have ended the request */
	if (!rig->http.is_active) {
		*taken = event->body.len;
		return FOTA_ERR_OK;
	}
	return fota_session_http(&rig->session, event, taken);
}

static size_t fill_chunk(struct rig *rig, uint8_t chunk[RIG_IMAGE_MAX], uint64_t limit)
{
	struct rig_http *http = &rig->http;
	size_t len = 0;

	while (len < rig->cfg.chunk_bytes && http->off + len < limit) {
		uint64_t at = http->off + len;

		if (http->kind != RIG_GET) {
			chunk[len++] = http->body[at];
			continue;
		}
		chunk[len] = at < rig->image_bytes ? rig->image[at] : 0;
		if (http->twist.effect == RIG_CORRUPT && at == http->twist.arg) { chunk[len] ^= 1; }
		len++;
	}
	return len;
}

static void deliver_body(struct rig *rig, uint64_t limit)
{
	static uint8_t chunk[RIG_IMAGE_MAX];
	size_t len = fill_chunk(rig, chunk, limit);
	struct fota_http_event event = { .kind = FOTA_HTTP_BODY, .body = { chunk, len } };
	size_t taken = 0;
	unsigned before = rig->request_count;
	enum fota_err err = deliver(rig, &event, &taken);

	rig_require(rig, taken <= len);
	rig_require(rig, err == FOTA_ERR_OK || err == FOTA_ERR_BUSY);
	if (!rig->http.is_active || rig->request_count != before) { return; }
	rig_require(rig, err == FOTA_ERR_BUSY || taken == len);
	rig->http.off += taken;
	rig->http.is_paused = err == FOTA_ERR_BUSY;
	memset(chunk, 0xee, len); /* bytes are borrowed for the call only */
}

/* An event that ends the request: the port is free again before the session knows. */
static void deliver_end(struct rig *rig, const struct fota_http_event *event)
{
	size_t taken;

	rig_call(rig);
	if (!rig->http.is_active) { return; }
	rig->http.is_active = false;
	(void)!fota_session_http(&rig->session, event, &taken);
}

static uint64_t limit_of(const struct rig_http *http)
{
	bool is_early = http->twist.effect == RIG_FAIL || http->twist.effect == RIG_HANG;

	return is_early && http->twist.arg < http->end ? http->twist.arg : http->end;
}

static bool has_head(const struct rig_http *http)
{
	bool is_early = http->twist.effect == RIG_FAIL || http->twist.effect == RIG_HANG;

	return !is_early || http->twist.arg > 0;
}

bool rig_http_step(struct rig *rig)
{
	struct rig_http *http = &rig->http;
	size_t taken;

	if (!http->is_active || http->is_paused) { return false; }
	if (!http->is_head_told && has_head(http)) {
		http->is_head_told = true;
		(void)!deliver(rig, &http->head, &taken);
		return true;
	}
	if (http->is_head_told && http->off < limit_of(http)) {
		deliver_body(rig, limit_of(http));
		return true;
	}
	if (http->twist.effect == RIG_HANG) { return false; }
	if (http->twist.effect == RIG_FAIL) {
		deliver_end(rig, &(struct fota_http_event) { .kind = FOTA_HTTP_FAIL,
							     .err = (enum fota_err)http->twist.err });
	} else {
		deliver_end(rig, &(struct fota_http_event) { .kind = FOTA_HTTP_DONE });
	}
	return true;
}
