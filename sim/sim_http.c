/* SPDX-License-Identifier: Apache-2.0 */
/* A request goes through the stages WAITING (for its time), HEAD, BODY and DONE; HELD
 * is a request that the plan leaves without an end. Answers to messages are made when
 * the request starts, since its body is the caller's. */
#include "sim_http.h"

#define PIECE_BYTES     4096u
#define PIECES_PER_TURN 16u
#define PACE_MS         10u
#define DEFAULT_BYTES   (64u * 1024u)

enum stage { STAGE_IDLE, STAGE_WAITING, STAGE_HEAD, STAGE_BODY, STAGE_DONE, STAGE_HELD };

uint8_t sim_http_byte(uint64_t off)
{
	return (uint8_t)(off * 31 + (off >> 8) * 7 + (off >> 16));
}

static uint64_t now_ms(const struct sim_http *sim)
{
	return sim->cfg.clock->now_ms(sim->cfg.clock->ctx);
}

static const struct sim_http_answer *answer_of(const struct sim_http *sim)
{
	return &sim->plan.answers[sim->part];
}

static bool is_message_part(const struct sim_http *sim)
{
	return sim->part <= SIM_HTTP_REPORT;
}

/* ---- messages ---- */

static void fill(uint8_t *bytes, uint64_t off, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bytes[i] = sim_http_byte(off + i);
	}
}

static enum fota_err digest_of_package(const struct sim_http *sim, uint8_t digest[FOTA_DIGEST_BYTES])
{
	const struct fota_crypto *crypto = sim->cfg.crypto;
	uint8_t piece[512];
	enum fota_err err = crypto->sha256_begin(crypto->ctx);

	for (uint64_t off = 0; !err && off < sim->plan.size_bytes; off += sizeof(piece)) {
		uint64_t left = sim->plan.size_bytes - off;
		size_t len = left < sizeof(piece) ? (size_t)left : sizeof(piece);

		fill(piece, off, len);
		err = crypto->sha256_update(crypto->ctx, (struct fota_bytes) { piece, len });
	}
	if (!err) { err = crypto->sha256_finish(crypto->ctx, digest); }
	if (sim->plan.is_digest_wrong) { digest[0] ^= 1; }
	return err;
}

static enum fota_err sign_offer(const struct sim_http *sim, const struct fota_check_request *request,
				struct fota_check_answer *answer, struct fota_room room)
{
	struct fota_suit_build offer = {
		.oem = request->oem,
		.model = request->model,
		.version = request->target,
		.size_bytes = answer->size_bytes,
	};

	if (!sim->cfg.sign || answer->result != FOTA_REFUSAL_UPDATE) { return FOTA_ERR_OK; }
	memcpy(offer.digest, answer->digest.ptr, sizeof(offer.digest));
	return sim->cfg.sign(sim->cfg.ctx, &offer, room, &answer->manifest);
}

static enum fota_err put_check(struct sim_http *sim, struct fota_bytes payload, struct fota_room room,
			       struct fota_bytes *out)
{
	uint8_t digest[FOTA_DIGEST_BYTES] = { 0 }, manifest[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_check_request request;
	struct fota_check_answer answer = {
		.result = sim->plan.refusal,
		.time_s = sim->cfg.clock->unix_s(sim->cfg.clock->ctx),
		.deployment = fota_bytes_of("rehearsal"),
		.url = fota_bytes_of("/package"),
		.size_bytes = sim->plan.offered_bytes ? sim->plan.offered_bytes : sim->plan.size_bytes,
		.digest = { digest, sizeof(digest) },
	};
	enum fota_err err = fota_check_request_get(payload, &request);

	sim->counts.check_count++;
	if (!err) { err = digest_of_package(sim, digest); }
	if (!err) { err = sign_offer(sim, &request, &answer, (struct fota_room) { manifest, sizeof(manifest) }); }
	return err ? err : fota_check_answer_put(&answer, room, out);
}

static enum fota_err put_report(struct sim_http *sim, struct fota_bytes payload, struct fota_room room,
				struct fota_bytes *out)
{
	struct fota_report_request request;
	struct fota_report_answer answer = { .time_s = sim->cfg.clock->unix_s(sim->cfg.clock->ctx) };
	enum fota_err err = fota_report_request_get(payload, &request);

	if (err) { return err; }
	sim->counts.report_count++;
	sim->counts.last_report_code = request.code;
	return fota_report_answer_put(&answer, room, out);
}

/* The sealed answer to an authentic message in sim->message. */
static enum fota_err answer_message(struct sim_http *sim, struct fota_bytes request)
{
	uint8_t payload[FOTA_MESSAGE_MAX_BYTES], tag[FOTA_MAC_BYTES];
	struct fota_room room = { payload, sizeof(payload) };
	struct fota_bytes out, sealed, secret;
	struct fota_mac0 mac0;
	enum fota_err err = fota_mac0_get(request, &mac0);

	if (err) { return err; }
	secret = sim->cfg.secret_of(sim->cfg.ctx, mac0.kid);
	err = secret.len ? fota_mac0_verify(&mac0, sim->cfg.crypto, secret, (struct fota_bytes) { NULL, 0 })
			 : FOTA_ERR_AUTH;
	if (!err) {
		err = sim->part == SIM_HTTP_CHECK ? put_check(sim, mac0.payload, room, &out)
						  : put_report(sim, mac0.payload, room, &out);
	}
	if (err) { return err; }
	room = (struct fota_room) { sim->message, sizeof(sim->message) };
	err = fota_mac0_put(sim->cfg.crypto, secret, mac0.kid, mac0.tag, out, room, &sealed, tag);
	sim->message_len = err ? 0 : sealed.len;
	return err;
}

/* As the platform does: what is not authentic gets 403 and no body. */
static void prepare_message(struct sim_http *sim, struct fota_bytes request)
{
	static const char garbage[] = "<html>It works!</html>";
	enum fota_err err;

	sim->status = 200;
	sim->is_message = true;
	if (answer_of(sim)->is_garbage) {
		sim->is_message = false;
		sim->message_len = sizeof(garbage) - 1;
		memcpy(sim->message, garbage, sim->message_len);
		return;
	}
	err = answer_message(sim, request);
	if (err) {
		sim->status = err == FOTA_ERR_AUTH ? 403 : err == FOTA_ERR_IO ? 500 : 400;
		sim->message_len = 0;
	}
}

/* ---- the port ---- */

static bool is_ending(struct fota_bytes url, const char *path)
{
	size_t len = strlen(path);

	return url.len >= len && memcmp(url.ptr + url.len - len, path, len) == 0;
}

static void prepare_package(struct sim_http *sim, const struct fota_http_request *req)
{
	sim->off = sim->first_off = req->has_range ? req->range_start : 0;
	sim->part = sim->first_off ? SIM_HTTP_RESUME : SIM_HTTP_PACKAGE;
	sim->status = sim->first_off ? 206 : 200;
	sim->counts.package_count++;
	if (sim->first_off) { sim->counts.resume_count++; }
	if (sim->first_off >= sim->plan.size_bytes) { sim->status = 416; }
}

static enum fota_err start(void *ctx, const struct fota_http_request *req)
{
	struct sim_http *sim = ctx;

	sim->request_count++;
	sim->is_paused = false;
	sim->start_ms = now_ms(sim);
	sim->stage = STAGE_WAITING;
	sim->message_len = 0;
	if (req->method == FOTA_HTTP_POST) {
		sim->part = is_ending(req->url, FOTA_REPORT_PATH) ? SIM_HTTP_REPORT : SIM_HTTP_CHECK;
		prepare_message(sim, req->body);
	} else {
		prepare_package(sim, req);
	}
	if (answer_of(sim)->status) {
		sim->status = answer_of(sim)->status;
		sim->message_len = 0;
	}
	return FOTA_ERR_OK;
}

static void resume(void *ctx)
{
	struct sim_http *sim = ctx;

	sim->is_paused = false;
}

static void cancel(void *ctx)
{
	struct sim_http *sim = ctx;

	sim->stage = STAGE_IDLE;
}

void sim_http_init(struct sim_http *sim, const struct sim_http_cfg *cfg)
{
	*sim = (struct sim_http) {
		.port = { .ctx = sim, .start = start, .resume = resume, .cancel = cancel },
		.plan = { .size_bytes = DEFAULT_BYTES },
		.cfg = *cfg,
	};
}

/* ---- going on ---- */

/* The request may be over, or be another one, after each event. */
static bool tell(struct sim_http *sim, const struct fota_http_event *event, size_t *taken)
{
	uint32_t before = sim->request_count;
	enum fota_err err = sim->cfg.event(sim->cfg.ctx, event, taken);

	if (sim->request_count != before || sim->stage == STAGE_IDLE) { return false; }
	if (err == FOTA_ERR_BUSY) { sim->is_paused = true; }
	return true;
}

/* The last event: the port is free for another request from inside it. */
static void tell_last(struct sim_http *sim, const struct fota_http_event *event)
{
	size_t taken;

	sim->stage = STAGE_IDLE;
	(void)sim->cfg.event(sim->cfg.ctx, event, &taken);
}

/* False if nothing comes behind the stop. */
static bool go_past_stop(struct sim_http *sim)
{
	const struct sim_http_answer *answer = answer_of(sim);
	enum sim_http_part part = (enum sim_http_part)sim->part;
	bool goes_on = true;

	if (answer->is_stopping && sim->cfg.stop) {
		uint32_t before = sim->request_count;

		goes_on = sim->cfg.stop(sim->cfg.ctx, part);
		if (sim->request_count != before || sim->stage == STAGE_IDLE) { return false; }
	}
	if (!goes_on) { sim->stage = STAGE_HELD; }
	if (goes_on && answer->is_failing) {
		tell_last(sim, &(struct fota_http_event) { .kind = FOTA_HTTP_FAIL, .err = answer->fail });
		return false;
	}
	return goes_on;
}

static bool is_proper_package(const struct sim_http *sim)
{
	return !is_message_part(sim) && (sim->status == 200 || sim->status == 206);
}

static void tell_head(struct sim_http *sim)
{
	struct fota_http_event head = { .kind = FOTA_HTTP_HEAD,
					.status = sim->status,
					.is_message = is_message_part(sim) && sim->is_message && sim->message_len,
					.has_content_range = sim->status == 206,
					.range_start = sim->first_off,
					.range_total = sim->plan.size_bytes,
					.has_length = is_proper_package(sim),
					.length = sim->plan.size_bytes - sim->first_off };
	size_t taken;

	sim->stage = is_message_part(sim) || is_proper_package(sim) ? STAGE_BODY : STAGE_DONE;
	(void)tell(sim, &head, &taken);
}

static void tell_message(struct sim_http *sim)
{
	struct fota_http_event body = { .kind = FOTA_HTTP_BODY, .body = { sim->message, sim->message_len } };
	size_t taken;

	if (sim->message_len && !tell(sim, &body, &taken)) { return; }
	sim->stage = STAGE_DONE;
}

/* Where the body stands by now; the stop is a wall. */
static uint64_t due_off(const struct sim_http *sim)
{
	const struct sim_http_answer *answer = answer_of(sim);
	uint64_t end = answer->is_failing || answer->is_stopping ? sim->plan.stop_off : sim->plan.size_bytes;
	uint64_t due = sim->plan.size_bytes;

	if (answer->ms) { due = sim->first_off + (now_ms(sim) - sim->start_ms) * sim->plan.size_bytes / answer->ms; }
	if (end > sim->plan.size_bytes) { end = sim->plan.size_bytes; }
	return due < end ? due : end;
}

static bool is_at_stop(const struct sim_http *sim)
{
	const struct sim_http_answer *answer = answer_of(sim);

	return (answer->is_failing || answer->is_stopping) && sim->off >= sim->plan.stop_off;
}

static void tell_piece(struct sim_http *sim, uint64_t due)
{
	uint8_t piece[PIECE_BYTES];
	uint64_t left = due - sim->off;
	size_t len = left < sizeof(piece) ? (size_t)left : sizeof(piece);
	struct fota_http_event body = { .kind = FOTA_HTTP_BODY, .body = { piece, len } };
	uint32_t before = sim->request_count;
	size_t taken = 0;

	fill(piece, sim->off, len);
	(void)tell(sim, &body, &taken);
	if (sim->request_count == before) { sim->off += taken; }
}

/* A stop is passed once: behind it the body goes on to its end. */
static void pass_stop(struct sim_http *sim)
{
	if (go_past_stop(sim)) { sim->plan.answers[sim->part].is_stopping = false; }
}

static void go_on_with_package(struct sim_http *sim)
{
	if (is_at_stop(sim)) {
		pass_stop(sim);
	} else if (sim->off == sim->plan.size_bytes) {
		sim->stage = STAGE_DONE;
	} else if (due_off(sim) > sim->off) {
		tell_piece(sim, due_off(sim));
	}
}

static bool is_due(const struct sim_http *sim)
{
	bool has_time = sim->part == SIM_HTTP_CHECK || sim->part == SIM_HTTP_REPORT;

	switch (sim->stage) {
	case STAGE_WAITING:
		return !has_time || now_ms(sim) - sim->start_ms >= answer_of(sim)->ms;
	case STAGE_HEAD:
	case STAGE_DONE:
		return true;
	case STAGE_BODY:
		if (sim->is_paused) { return false; }
		return is_message_part(sim) || is_at_stop(sim) || sim->off == sim->plan.size_bytes ||
		       due_off(sim) > sim->off;
	default:
		return false;
	}
}

static void go_on(struct sim_http *sim)
{
	switch (sim->stage) {
	case STAGE_WAITING:
		if (!is_message_part(sim) || go_past_stop(sim)) { sim->stage = STAGE_HEAD; }
		return;
	case STAGE_HEAD:
		tell_head(sim);
		return;
	case STAGE_BODY:
		if (is_message_part(sim)) {
			tell_message(sim);
		} else {
			go_on_with_package(sim);
		}
		return;
	default:
		tell_last(sim, &(struct fota_http_event) { .kind = FOTA_HTTP_DONE });
	}
}

void sim_http_perform(struct sim_http *sim)
{
	for (unsigned i = 0; i < PIECES_PER_TURN && is_due(sim); i++) {
		go_on(sim);
	}
}

uint32_t sim_http_next_ms(const struct sim_http *sim)
{
	uint64_t past_ms = now_ms(sim) - sim->start_ms;

	if (sim->stage == STAGE_IDLE || sim->stage == STAGE_HELD) { return UINT32_MAX; }
	if (sim->stage == STAGE_BODY && sim->is_paused) { return UINT32_MAX; }
	if (is_due(sim)) { return 0; }
	if (sim->stage == STAGE_BODY) { return PACE_MS; }
	return (uint32_t)(answer_of(sim)->ms - past_ms);
}
