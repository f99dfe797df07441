/* SPDX-License-Identifier: Apache-2.0 */
/* The player. At AT+CSCFOTA it makes the plan of the next session; at the point where
 * that session is to end sim_http calls `reach_point`, and the cause is brought about:
 * a fault of the storage, a jump of the clock, a cancellation. Failures of network
 * and platform are in the plan itself.
 *
 * The platform knows the product's secret because it stands behind the crypto port: the
 * key with which the session seals a message is the key of that product. */
#include "rehearsal_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- ports in front of the real ones ---- */

uint64_t rehearsal_now(const struct rehearsal *rehearsal)
{
	return rehearsal->cfg.clock.now_ms(rehearsal->cfg.clock.ctx) + rehearsal->clock_ahead_ms;
}

static uint64_t get_now_ms(void *ctx)
{
	return rehearsal_now(ctx);
}

static uint64_t get_unix_s(void *ctx)
{
	const struct rehearsal *rehearsal = ctx;

	return rehearsal->cfg.clock.unix_s(rehearsal->cfg.clock.ctx);
}

static enum fota_err hmac_sha256(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
				 uint8_t mac[32])
{
	struct rehearsal *rehearsal = ctx;
	const struct fota_crypto *inner = &rehearsal->cfg.crypto;

	if (key.len <= KEY_MAX_BYTES) {
		rehearsal->key_len = key.len;
		memcpy(rehearsal->key, key.ptr, key.len);
	}
	return inner->hmac_sha256(inner->ctx, key, parts, part_count, mac);
}

static enum fota_err sha256_begin(void *ctx)
{
	const struct fota_crypto *inner = &((struct rehearsal *)ctx)->cfg.crypto;

	return inner->sha256_begin(inner->ctx);
}

static enum fota_err sha256_update(void *ctx, struct fota_bytes bytes)
{
	const struct fota_crypto *inner = &((struct rehearsal *)ctx)->cfg.crypto;

	return inner->sha256_update(inner->ctx, bytes);
}

static enum fota_err sha256_finish(void *ctx, uint8_t digest[32])
{
	const struct fota_crypto *inner = &((struct rehearsal *)ctx)->cfg.crypto;

	return inner->sha256_finish(inner->ctx, digest);
}

static enum fota_err sha1(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20])
{
	const struct fota_crypto *inner = &((struct rehearsal *)ctx)->cfg.crypto;

	return inner->sha1(inner->ctx, parts, part_count, digest);
}

static enum fota_err p256_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64])
{
	const struct fota_crypto *inner = &((struct rehearsal *)ctx)->cfg.crypto;

	return inner->p256_verify(inner->ctx, key, hash, signature);
}

static struct fota_bytes get_identity(void *ctx, enum fota_identity_field field)
{
	static const char *const made_up[] = {
		[FOTA_IDENTITY_OEM] = "",
		[FOTA_IDENTITY_MODEL] = "",
		[FOTA_IDENTITY_DEVICE] = "860000000000000",
		[FOTA_IDENTITY_VERSION] = "REHEARSAL_V1.00",
	};
	struct rehearsal *rehearsal = ctx;
	struct fota_bytes text = rehearsal->cfg.identity.get(rehearsal->cfg.identity.ctx, field);

	if (rehearsal->lost_fields & (1u << field)) { return fota_bytes_of(""); }
	if (field == FOTA_IDENTITY_MODEL && rehearsal->is_other_model) { return fota_bytes_of("another model"); }
	if (text.len) { return text; }
	return fota_bytes_of(field == FOTA_IDENTITY_MODEL ? rehearsal->model : made_up[field]);
}

static struct fota_bytes secret_of(void *ctx, struct fota_bytes product)
{
	const struct rehearsal *rehearsal = ctx;

	(void)product; /* the one whose request is being answered */
	return (struct fota_bytes) { rehearsal->key, rehearsal->key_len };
}

static enum fota_err sign_offer(void *ctx, const struct fota_suit_build *offer, struct fota_room room,
				struct fota_bytes *out)
{
	struct rehearsal *rehearsal = ctx;
	const struct fota_crypto *crypto = &rehearsal->cfg.crypto;
	uint8_t text[FOTA_SUIT_ENVELOPE_MAX_BYTES], hash[FOTA_SUIT_DIGEST_BYTES];
	struct fota_suit_signature signature;
	struct fota_suit_build build = *offer;
	struct fota_bytes manifest;
	enum fota_err err;

	build.sequence_number = ++rehearsal->sequence;
	err = fota_suit_build(&build, crypto, (struct fota_room) { text, sizeof(text) }, &manifest);
	if (!err) { err = fota_suit_to_sign(manifest, crypto, hash); }
	if (err) { return err; }
	if (sign_key_sign(&rehearsal->signer, hash, signature.bytes, NULL)) { return FOTA_ERR_IO; }
	memcpy(signature.kid, rehearsal->signer.public_key.kid, sizeof(signature.kid));
	return fota_suit_seal(manifest, crypto, &signature, 1, room, out);
}

static enum fota_err tell_session(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	const struct rehearsal *rehearsal = ctx;

	return rehearsal->cfg.http_event(rehearsal->cfg.http_ctx, event, taken);
}

/* ---- the plan of a session ---- */

static const struct rehearsal_session *next_session(const struct rehearsal *rehearsal)
{
	const struct rehearsal_file *file = rehearsal->cfg.file;

	return rehearsal->played_count < file->session_count ? &file->sessions[rehearsal->played_count]
							     : &file->further;
}

static void fail_package(struct sim_http_plan *plan, enum fota_err err)
{
	plan->answers[SIM_HTTP_PACKAGE].is_failing = plan->answers[SIM_HTTP_RESUME].is_failing = true;
	plan->answers[SIM_HTTP_PACKAGE].fail = plan->answers[SIM_HTTP_RESUME].fail = err;
}

/* A status comes instead of the bytes from the stop on: the connection breaks there,
 * and the next request gets it. */
static void plan_status(const struct rehearsal_session *play, struct sim_http_plan *plan)
{
	unsigned status = (unsigned)play->cause->value;

	if (play->cause->step == REHEARSAL_CHECK) {
		plan->answers[SIM_HTTP_CHECK].status = status;
		return;
	}
	if (play->stop_bytes >= ERASE_BYTES) {
		fail_package(plan, FOTA_ERR_RECEIVE);
	} else {
		plan->answers[SIM_HTTP_PACKAGE].status = status;
	}
	plan->answers[SIM_HTTP_RESUME].status = status;
}

static void plan_fail(const struct rehearsal_session *play, struct sim_http_plan *plan)
{
	enum fota_err err = (enum fota_err)play->cause->value;

	if (play->cause->step == REHEARSAL_DOWNLOAD) {
		fail_package(plan, err);
		return;
	}
	plan->answers[SIM_HTTP_CHECK].is_failing = true;
	plan->answers[SIM_HTTP_CHECK].fail = err;
}

static void plan_point(const struct rehearsal_session *play, struct sim_http_plan *plan)
{
	if (play->cause->step <= REHEARSAL_STORE) {
		plan->answers[SIM_HTTP_CHECK].is_stopping = true;
	} else {
		plan->answers[SIM_HTTP_PACKAGE].is_stopping = true;
		plan->answers[SIM_HTTP_RESUME].is_stopping = true;
	}
}

static void make_plan(const struct rehearsal_session *play, struct sim_http_plan *plan)
{
	const struct rehearsal_cause *cause = play->cause;

	*plan = (struct sim_http_plan) { .size_bytes = play->size_bytes, .stop_off = play->stop_bytes };
	plan->answers[SIM_HTTP_CHECK].ms = play->check_ms;
	plan->answers[SIM_HTTP_REPORT].ms = REPORT_MS;
	plan->answers[SIM_HTTP_PACKAGE].ms = plan->answers[SIM_HTTP_RESUME].ms = play->download_ms;
	switch (cause->kind) {
	case CAUSE_REFUSAL:
		plan->refusal = (uint8_t)cause->value;
		break;
	case CAUSE_STATUS:
		plan_status(play, plan);
		break;
	case CAUSE_GARBAGE:
		plan->answers[SIM_HTTP_CHECK].is_garbage = true;
		break;
	case CAUSE_FAIL:
		plan_fail(play, plan);
		break;
	case CAUSE_SIZE:
		plan->offered_bytes = (uint64_t)SLOT_BYTES + 1;
		break;
	case CAUSE_DIGEST:
		plan->is_digest_wrong = true;
		break;
	case CAUSE_OVER:
		plan->answers[SIM_HTTP_RESUME].status = 416;
		plan->answers[SIM_HTTP_PACKAGE].is_failing = true;
		plan->answers[SIM_HTTP_PACKAGE].fail = (enum fota_err)cause->value;
		break;
	case CAUSE_NONE:
		break;
	default:
		plan_point(play, plan);
	}
}

/* ---- the point where a session ends ---- */

/* Whichever the package goes to. */
static void set_slot_fault(struct rehearsal *rehearsal, enum sim_op op, enum sim_effect effect)
{
	for (unsigned slot = 0; slot < FOTA_SLOT_COUNT; slot++) {
		sim_fault_set(&rehearsal->slots[slot], op, effect, 1);
	}
}

static bool reach_point(void *ctx, enum sim_http_part part)
{
	struct rehearsal *rehearsal = ctx;
	const struct rehearsal_cause *cause = rehearsal->play.cause;

	(void)part;
	switch (cause->kind) {
	case CAUSE_SLOT:
		set_slot_fault(rehearsal, (enum sim_op)cause->value, (enum sim_effect)cause->effect);
		return true;
	case CAUSE_JOURNAL:
		sim_fault_set(&rehearsal->journal, (enum sim_op)cause->value, (enum sim_effect)cause->effect, 1);
		return true;
	case CAUSE_CANCEL:
	case CAUSE_SWAP:
		/* it runs, for a request of its own is being answered */
		return fota_session_cancel(rehearsal->cfg.session) != FOTA_CODE_NONE;
	case CAUSE_ABORT:
		fota_session_abort(rehearsal->cfg.session);
		return false;
	case CAUSE_CLOCK:
		rehearsal->clock_ahead_ms += SESSION_MS;
		return false;
	case CAUSE_POWER:
		rehearsal->is_restart_due = true;
		rehearsal->restart_ms = rehearsal_now(rehearsal);
		return false;
	default:
		return true;
	}
}

static bool is_final(enum fota_code code)
{
	const struct fota_code_info *info = fota_code_find(code);

	return code == FOTA_CODE_DOWNLOADED || !info || info->code_class != FOTA_CODE_CLASS_P;
}

void rehearsal_notice(struct rehearsal *rehearsal, struct fota_notice *notice)
{
	if (notice->kind != FOTA_NOTICE_CODE || !is_final(notice->code)) { return; }
	rehearsal->is_end_due = true;
	if (notice->code == FOTA_CODE_DOWNLOADED) { rehearsal->install_code = rehearsal->play.install_code; }
	if (notice->origin == OTHER_PORT) { return; }
	if (rehearsal->play.cause->kind == CAUSE_SWAP && notice->code == FOTA_CODE_CANCELLED) {
		notice->code = (enum fota_code)rehearsal->play.cause->code;
	}
}

static void clear_faults(struct rehearsal *rehearsal)
{
	for (unsigned op = 0; op < SIM_OP_COUNT; op++) {
		set_slot_fault(rehearsal, (enum sim_op)op, SIM_FINE);
		sim_fault_set(&rehearsal->journal, (enum sim_op)op, SIM_FINE, 0);
	}
}

static void plan_restart(struct rehearsal *rehearsal)
{
	uint32_t delay_ms = rehearsal->play.restart_ms;

	if (!delay_ms && rehearsal->play.cause->kind == CAUSE_ABORT) { delay_ms = DOWN_MS; }
	if (!delay_ms) { return; }
	rehearsal->is_restart_due = true;
	rehearsal->restart_ms = rehearsal_now(rehearsal) + delay_ms;
}

/* Storage that hung answers in the end, so that a later session finds it whole. */
static void end_session(struct rehearsal *rehearsal)
{
	rehearsal->is_end_due = false;
	clear_faults(rehearsal);
	if (rehearsal->play.cause->effect == SIM_HANG) { fota_session_storage(rehearsal->cfg.session, FOTA_ERR_IO); }
	plan_restart(rehearsal);
}

/* ---- the command ---- */

static void log_begin(const struct rehearsal *rehearsal)
{
	const struct rehearsal_cause *cause = rehearsal->play.cause;

	if (cause->code == REHEARSAL_RESTART) {
		log_line(rehearsal->cfg.log, LOG_LEVEL_INFO, PART, "session %u: restart at step %s",
			 rehearsal->played_count, rehearsal_step_name((enum rehearsal_step)cause->step));
		return;
	}
	log_line(rehearsal->cfg.log, LOG_LEVEL_INFO, PART, "session %u: %u at step %s", rehearsal->played_count,
		 cause->code, rehearsal_step_name((enum rehearsal_step)cause->step));
}

static struct fota_request request_of(const struct at_call *call)
{
	return (struct fota_request) { call->args[0].text, call->args[1].text, call->args[2].text, call->args[3].text,
				       call->args[4].text };
}

static enum at_result run_inner(struct rehearsal *rehearsal, struct at_server *at, const struct at_call *call)
{
	struct at_call inner = *call;

	inner.ctx = rehearsal->inner.ctx;
	inner.cmd = &rehearsal->inner.rows[call->cmd - rehearsal->rows];
	return inner.cmd->run(at, &inner);
}

/* The product ID as it looks with one bit of it turned over. */
static enum at_result run_damaged(struct rehearsal *rehearsal, struct at_server *at, const struct at_call *call)
{
	struct at_arg args[5];
	struct at_call damaged = *call;

	memcpy(args, call->args, sizeof(args));
	args[2].text = fota_bytes_of("q");
	damaged.args = args;
	return run_inner(rehearsal, at, &damaged);
}

static enum at_result run_nested(struct rehearsal *rehearsal, struct at_server *at, const struct at_call *call)
{
	struct fota_request req = request_of(call);

	make_plan(&(struct rehearsal_session) { .cause = rehearsal_cause_usual(FOTA_CODE_DOWNLOADED),
						.check_ms = rehearsal->play.check_ms,
						.download_ms = rehearsal->play.download_ms,
						.size_bytes = rehearsal->play.size_bytes },
		  &rehearsal->http.plan);
	if (fota_session_start(rehearsal->cfg.session, &req, OTHER_PORT)) { return AT_ERROR; }
	return run_inner(rehearsal, at, call);
}

/* Brings the refusal about, runs the real command, and puts back what was lost. */
static enum at_result run_refused(struct rehearsal *rehearsal, struct at_server *at, const struct at_call *call)
{
	const struct rehearsal_cause *cause = rehearsal->play.cause;
	enum at_result result;

	switch (cause->kind) {
	case CAUSE_OFF:
		fota_session_set_on(rehearsal->cfg.session, false);
		break;
	case CAUSE_NEST:
		return run_nested(rehearsal, at, call);
	case CAUSE_PARAM:
		return run_damaged(rehearsal, at, call);
	case CAUSE_IDENTITY:
		rehearsal->lost_fields = (uint8_t)(1u << cause->value);
		break;
	case CAUSE_MODEL:
		rehearsal->is_other_model = true;
		break;
	default:
		return at_cme(at, cause->code);
	}
	result = run_inner(rehearsal, at, call);
	rehearsal->lost_fields = 0;
	rehearsal->is_other_model = false;
	return result;
}

static void take_model(struct rehearsal *rehearsal, struct fota_bytes model)
{
	size_t len = model.len <= FOTA_NAME_MAX_BYTES ? model.len : 0;

	memcpy(rehearsal->model, model.ptr, len);
	rehearsal->model[len] = 0;
}

/* A session is used up if the command was good but for what the session makes of it. */
static enum at_result run_cscfota(struct at_server *at, const struct at_call *call)
{
	struct rehearsal *rehearsal = call->ctx;
	struct fota_session_info info;
	enum at_result result;

	fota_session_get(rehearsal->cfg.session, &info);
	if (info.is_running || !info.is_on) { return run_inner(rehearsal, at, call); }
	take_model(rehearsal, call->args[1].text);
	rehearsal->play = *next_session(rehearsal);
	rehearsal->played_count++;
	log_begin(rehearsal);
	if (rehearsal->play.cause->step == REHEARSAL_COMMAND) { return run_refused(rehearsal, at, call); }
	clear_faults(rehearsal);
	make_plan(&rehearsal->play, &rehearsal->http.plan);
	result = run_inner(rehearsal, at, call);
	if (result != AT_OK) { rehearsal->played_count--; }
	return result;
}

/* AT+FOTACHECK meets what the next session is going to meet, and does not use it up. */
static enum at_result run_fotacheck(struct at_server *at, const struct at_call *call)
{
	struct rehearsal *rehearsal = call->ctx;
	struct fota_session_info info;

	fota_session_get(rehearsal->cfg.session, &info);
	if (info.is_running || !info.is_on) { return run_inner(rehearsal, at, call); }
	take_model(rehearsal, call->args[1].text);
	rehearsal->play = *next_session(rehearsal);
	if (rehearsal->play.cause->step == REHEARSAL_COMMAND) { return run_refused(rehearsal, at, call); }
	clear_faults(rehearsal);
	make_plan(&rehearsal->play, &rehearsal->http.plan);
	return run_inner(rehearsal, at, call);
}

/* Every row of the FOTA commands goes through here: a table has one context. */
static enum at_result run_row(struct at_server *at, const struct at_call *call)
{
	if (call->form == AT_SET && strcmp(call->cmd->name, "+CSCFOTA") == 0) { return run_cscfota(at, call); }
	if (call->form == AT_SET && strcmp(call->cmd->name, "+FOTACHECK") == 0) { return run_fotacheck(at, call); }
	return run_inner(call->ctx, at, call);
}

struct at_table rehearsal_table(struct rehearsal *rehearsal, struct at_table inner)
{
	size_t count = inner.count < ROW_MAX ? inner.count : ROW_MAX;

	rehearsal->inner = inner;
	for (size_t i = 0; i < count; i++) {
		rehearsal->rows[i] = inner.rows[i];
		rehearsal->rows[i].run = run_row;
	}
	return (struct at_table) { rehearsal->rows, count, rehearsal };
}

/* ---- open and close ---- */

static void init_flash(struct rehearsal *rehearsal)
{
	uint8_t *at = rehearsal->memory;

	for (unsigned slot = 0; slot < FOTA_SLOT_COUNT; slot++) {
		sim_flash_init(&rehearsal->slot_flash[slot], at, at + SLOT_BYTES, SLOT_BYTES, ERASE_BYTES, 1);
		sim_fault_init(&rehearsal->slots[slot], &rehearsal->slot_flash[slot].flash);
		at += (size_t)2 * SLOT_BYTES;
	}
	sim_flash_init(&rehearsal->journal_flash, at, at + JOURNAL_BYTES, JOURNAL_BYTES, ERASE_BYTES, 1);
	sim_fault_init(&rehearsal->journal, &rehearsal->journal_flash.flash);
}

static void init_ports(struct rehearsal *rehearsal)
{
	struct sim_http_cfg http = {
		.clock = &rehearsal->clock,
		.crypto = &rehearsal->cfg.crypto,
		.secret_of = secret_of,
		.sign = sign_offer,
		.stop = reach_point,
		.event = tell_session,
		.ctx = rehearsal,
	};

	rehearsal->clock = (struct fota_clock) { rehearsal, get_now_ms, get_unix_s };
	rehearsal->crypto = (struct fota_crypto) { rehearsal,     hmac_sha256, sha256_begin, sha256_update,
						   sha256_finish, sha1,        p256_verify };
	rehearsal->identity = (struct fota_identity) { rehearsal, get_identity };
	rehearsal_init_install(rehearsal);
	sim_http_init(&rehearsal->http, &http);
}

enum fota_err rehearsal_open(struct rehearsal **out, const struct rehearsal_cfg *cfg)
{
	struct rehearsal *rehearsal = calloc(1, sizeof(*rehearsal));

	*out = NULL;
	if (!rehearsal) { return FOTA_ERR_IO; }
	rehearsal->memory = malloc(2 * ((size_t)FOTA_SLOT_COUNT * SLOT_BYTES + JOURNAL_BYTES));
	if (!rehearsal->memory || sign_key_generate(&rehearsal->signer, NULL)) {
		free(rehearsal->memory);
		free(rehearsal);
		return FOTA_ERR_IO;
	}
	rehearsal->cfg = *cfg;
	rehearsal->play = cfg->file->further;
	init_flash(rehearsal);
	init_ports(rehearsal);
	*out = rehearsal;
	return FOTA_ERR_OK;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
	if (!rehearsal) { return; }
	free(rehearsal->memory);
	sign_key_close(&rehearsal->signer);
	explicit_bzero(rehearsal, sizeof(*rehearsal));
	free(rehearsal);
}

struct rehearsal_ports rehearsal_get_ports(const struct rehearsal *rehearsal)
{
	return (struct rehearsal_ports) {
		.http = &rehearsal->http.port,
		.slots = { &rehearsal->slots[0].flash, &rehearsal->slots[1].flash },
		.boot_slots = { &rehearsal->slot_flash[0].flash, &rehearsal->slot_flash[1].flash },
		.boot_journal = &rehearsal->journal_flash.flash,
		.key = &rehearsal->signer.public_key,
		.installer = &rehearsal->installer,
		.journal = &rehearsal->journal.flash,
		.clock = &rehearsal->clock,
		.crypto = &rehearsal->crypto,
		.identity = &rehearsal->identity,
	};
}

void rehearsal_set_limits(struct fota_session_limits *limits)
{
	if (!limits->retry_count) { limits->retry_count = 1; }
	if (!limits->retry_base_ms) { limits->retry_base_ms = 20; }
	if (!limits->storage_ms) { limits->storage_ms = 300; }
	/* 509 comes by a jump of the clock, which has to reach it */
	if (!limits->session_ms || limits->session_ms > SESSION_MS) { limits->session_ms = SESSION_MS; }
	limits->sync_bytes = ERASE_BYTES; /* what was received is stored: a part is as large as it looks */
}

/* ---- the loop ---- */

void rehearsal_perform(struct rehearsal *rehearsal)
{
	if (rehearsal->is_end_due) { end_session(rehearsal); }
	rehearsal_go_on_with_install(rehearsal);
	sim_http_perform(&rehearsal->http);
}

static uint32_t sooner(uint32_t ms, uint64_t due_ms, uint64_t now_ms)
{
	if (due_ms <= now_ms) { return 0; }
	return due_ms - now_ms < ms ? (uint32_t)(due_ms - now_ms) : ms;
}

uint32_t rehearsal_next_ms(const struct rehearsal *rehearsal)
{
	uint32_t http_ms = sim_http_next_ms(&rehearsal->http);
	uint64_t now_ms = rehearsal_now(rehearsal);

	if (rehearsal->is_end_due || rehearsal->is_install_due) { return 0; }
	if (rehearsal->is_restart_due) { http_ms = sooner(http_ms, rehearsal->restart_ms, now_ms); }
	return rehearsal->trial_end_ms ? sooner(http_ms, rehearsal->trial_end_ms, now_ms) : http_ms;
}

bool rehearsal_take_restart(struct rehearsal *rehearsal, uint32_t *boot_ms)
{
	if (!rehearsal->is_restart_due || rehearsal_now(rehearsal) < rehearsal->restart_ms) { return false; }
	rehearsal->is_restart_due = false;
	*boot_ms = rehearsal->cfg.file->boot_ms;
	return true;
}

void rehearsal_restart(struct rehearsal *rehearsal)
{
	log_line(rehearsal->cfg.log, LOG_LEVEL_INFO, PART, "restarting");
	rehearsal->is_end_due = false;
	rehearsal->is_restart_due = false;
	rehearsal->is_install_due = false;
	clear_faults(rehearsal);
	rehearsal->http.port.cancel(rehearsal->http.port.ctx);
}
