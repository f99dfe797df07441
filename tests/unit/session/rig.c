/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig_priv.h"

#define ZERO_MAX 1000u  /* ticks in a row that are due at once: a busy loop */
#define STEP_MAX 200000 /* of one session */

bool rig_case(struct rig *rig, const char *format, ...)
{
	const char *chosen = getenv("REPLAY");
	va_list args;

	va_start(args, format);
	(void)vsnprintf(rig->id, sizeof(rig->id), format, args);
	va_end(args);
	return !chosen || strcmp(chosen, rig->id) == 0;
}

/* ---- ports ---- */

static uint64_t clock_now(void *ctx)
{
	return ((struct rig *)ctx)->now_ms;
}

static uint64_t clock_unix(void *ctx)
{
	const struct rig *rig = ctx;

	return rig->unix_s ? rig->unix_s + rig->now_ms / 1000 : 0;
}

static enum fota_err random_fill(void *ctx, uint8_t *dst, size_t len)
{
	struct rig *rig = ctx;

	if (rig->is_random_broken) { return FOTA_ERR_IO; }
	for (size_t i = 0; i < len; i++) {
		rig->random_state = rig->random_state * 1664525u + 1013904223u;
		dst[i] = (uint8_t)(rig->random_state >> 24);
	}
	return FOTA_ERR_OK;
}

static struct fota_bytes identity_get(void *ctx, enum fota_identity_field field)
{
	return fota_bytes_of(((struct rig *)ctx)->texts[field]);
}

/* ---- notices: what holds for every session ---- */

static void check_code(struct rig *rig, enum fota_code code)
{
	const char *codes = rig_codes(rig);
	size_t len = strlen(codes);
	bool is_first = len == 0;
	bool is_behind_partial = len >= 1 && codes[len - 1] == '4' && (len == 1 || codes[len - 2] == ' ');

	rig_require(rig, !rig->is_starting); /* never from inside fota_session_start */
	rig_require(rig, !rig->is_over);     /* nothing after the final code */
	rig_require(rig, fota_code_find((int)code) != NULL);
	if (code == FOTA_CODE_CHECKED) { rig_require(rig, is_first); }
	if (code == FOTA_CODE_PARTIAL || code == FOTA_CODE_DOWNLOADED) { rig_require(rig, !is_behind_partial); }
	rig->is_over = code != FOTA_CODE_CHECKED && code != FOTA_CODE_PARTIAL;
}

static bool is_of_session(enum fota_notice_kind kind)
{
	return kind != FOTA_NOTICE_REPORTED && kind != FOTA_NOTICE_RESULT && kind != FOTA_NOTICE_RESTART;
}

static void on_notice(void *ctx, const struct fota_notice *notice)
{
	struct rig *rig = ctx;

	if (rig->is_dead) { return; } /* nobody hears what is said without power */
	rig_require(rig, rig->notice_count < RIG_NOTICE_MAX);
	rig_require(rig, notice->step != NULL);
	if (notice->kind == FOTA_NOTICE_CODE) { check_code(rig, notice->code); }
	if (notice->kind == FOTA_NOTICE_RESTART) { rig->is_restart_asked = true; }
	if (is_of_session(notice->kind)) { rig_require(rig, notice->origin == rig->origin); }
	rig_require(rig, notice->received_bytes <= RIG_IMAGE_MAX);
	rig->notices[rig->notice_count++] = (struct rig_notice) { *notice, rig->now_ms };
}

/* ---- making and breaking ---- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static void fill_cfg(struct rig_cfg *cfg)
{
	cfg->slot_erase_bytes = or_default(cfg->slot_erase_bytes, 4096);
	cfg->slot_prog_bytes = or_default(cfg->slot_prog_bytes, 256);
	cfg->journal_erase_bytes = or_default(cfg->journal_erase_bytes, 4096);
	cfg->journal_prog_bytes = or_default(cfg->journal_prog_bytes, 16);
	cfg->work_bytes = or_default(cfg->work_bytes, FOTA_WORK_MIN_BYTES);
	cfg->chunk_bytes = or_default(cfg->chunk_bytes, 1000);
	cfg->limits.sync_bytes = or_default(cfg->limits.sync_bytes, 4096);
	if (!cfg->server) { cfg->server = RIG_SERVER; }
	if (cfg->has_installer) { cfg->has_bootenv = true; }
	if (cfg->has_bootenv) { cfg->has_slots = !cfg->has_installer; }
}

/* ---- releases ---- */

static const struct {
	const char *version;
	uint32_t image_bytes;
} releases[] = {
	{ RIG_VERSION, 9001 },
	{ RIG_TARGET, RIG_IMAGE_BYTES },
	{ "SIM7600M21_LE11_181025_V3.00", 17003 },
	{ "SIM7600M21_LE11_181025_V4.00", 12288 },
};

static uint32_t image_state(const struct rig *rig, int n)
{
	return rig->cfg.seed * 7919u + 1 + ((unsigned)n - 1) * 65537u;
}

static uint8_t next_byte(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint8_t)(*state >> 24);
}

const char *rig_version_of(int n)
{
	return releases[n].version;
}

void rig_publish(struct rig *rig, int n)
{
	uint32_t state = image_state(rig, n);

	for (size_t i = 0; i < sizeof(rig->image); i++) {
		rig->image[i] = next_byte(&state);
	}
	rig->release = n;
	rig->image_bytes = releases[n].image_bytes;
	rig->target = releases[n].version;
	rig->sequence = (uint64_t)n;
}

static bool is_release(const struct rig *rig, const struct rig_area *area, int n)
{
	uint32_t state = image_state(rig, n);

	for (size_t i = 0; i < releases[n].image_bytes; i++) {
		if (area->cells[i] != next_byte(&state)) { return false; }
	}
	return true;
}

int rig_release_in(const struct rig *rig, const struct rig_area *area)
{
	for (int n = 0; n <= RIG_RELEASE_MAX; n++) {
		if (is_release(rig, area, n)) { return n; }
	}
	return -1;
}

/* What the module left its factory with. */
static void fill_factory(struct rig *rig)
{
	uint32_t state = image_state(rig, 0);

	for (size_t i = 0; i < releases[0].image_bytes; i++) {
		rig->slot.cells[i] = rig->slot.durable_cells[i] = next_byte(&state);
	}
}

static enum fota_err installer_start(void *ctx, const struct fota_flash *area, const struct fota_image *image)
{
	struct rig *rig = ctx;

	rig_require(rig, area == &rig->slot.port && image->size_bytes == rig->image_bytes && !rig->is_installer_on);
	rig->is_installer_on = true;
	return FOTA_ERR_OK;
}

static void installer_cancel(void *ctx)
{
	((struct rig *)ctx)->is_installer_on = false;
}

/* The old order or the new one after a cut, as U-Boot's redundant environment. */
static enum fota_err bootenv_set(void *ctx, const struct fota_boot *boot)
{
	struct rig *rig = ctx;
	bool is_cut;

	if (rig->is_dead || rig->is_env_broken) { return FOTA_ERR_IO; }
	is_cut = rig_counts_cut(rig);
	if (!is_cut || rig_dice(rig) & 1) {
		rig->env = (struct rig_env) { boot->active, boot->tries_left,
					      boot->state == FOTA_BOOT_ARMED || boot->state == FOTA_BOOT_TRIAL };
	}
	return is_cut ? FOTA_ERR_IO : FOTA_ERR_OK;
}

static void fill_ports(struct rig *rig)
{
	rig->bootenv = (struct fota_bootenv) { rig, bootenv_set };
	rig->clock = (struct fota_clock) { rig, clock_now, clock_unix };
	rig->random = (struct fota_random) { rig, random_fill };
	rig->identity = (struct fota_identity) { rig, identity_get };
	rig->installer = (struct fota_installer) { rig, installer_start, installer_cancel };
	if (!rig->posix.mac_ctx) { rig_require(rig, posix_crypto_init(&rig->posix) == FOTA_ERR_OK); }
	rig->crypto = posix_crypto_port(&rig->posix);
	rig_keys_init(rig);
	rig_http_init(rig);
	rig_area_init(rig, &rig->slot, RIG_SLOT_BYTES, rig->cfg.slot_erase_bytes, rig->cfg.slot_prog_bytes);
	rig_area_init(rig, &rig->slot_b, RIG_SLOT_BYTES, rig->cfg.slot_erase_bytes, rig->cfg.slot_prog_bytes);
	rig_area_init(rig, &rig->journal, RIG_JOURNAL_BYTES, rig->cfg.journal_erase_bytes, rig->cfg.journal_prog_bytes);
}

static void fill_session_cfg(struct rig *rig)
{
	rig->session_cfg = (struct fota_session_cfg) {
		.http = &rig->http_port,
		.slots = { &rig->slot.port, rig->cfg.has_slots ? &rig->slot_b.port : NULL },
		.bootenv = rig->cfg.has_bootenv ? &rig->bootenv : NULL,
		.installer = rig->cfg.has_installer ? &rig->installer : NULL,
		.policy = rig->cfg.policy,
		.keys = &rig->signer.public_key,
		.key_count = 1,
		.journal = &rig->journal.port,
		.clock = &rig->clock,
		.random = &rig->random,
		.crypto = &rig->crypto,
		.identity = &rig->identity,
		.server_url = fota_bytes_of(rig->cfg.server),
		.allow_plain = rig->cfg.allow_plain,
		.limits = rig->cfg.limits,
		/* exactly as much as promised, at the end, so that a sanitizer sees what goes over it */
		.work = { rig->work + sizeof(rig->work) - rig->cfg.work_bytes, rig->cfg.work_bytes },
		.notify = on_notice,
		.notify_ctx = rig,
	};
}

void rig_init(struct rig *rig, const struct rig_cfg *cfg)
{
	static const char *const texts[] = {
		[FOTA_IDENTITY_OEM] = RIG_OEM,
		[FOTA_IDENTITY_MODEL] = RIG_MODEL,
		[FOTA_IDENTITY_DEVICE] = RIG_DEVICE,
		[FOTA_IDENTITY_VERSION] = RIG_VERSION,
	};
	struct posix_crypto posix = rig->posix;
	struct sign_key signer = rig->signer, foreign = rig->foreign;
	char id[sizeof(rig->id)];

	memcpy(id, rig->id, sizeof(id));
	memset(rig, 0, offsetof(struct rig, notices)); /* which are many, and counted */
	rig->notice_count = 0;
	memcpy(rig->id, id, sizeof(id));
	rig->posix = posix;
	rig->signer = signer;
	rig->foreign = foreign;
	rig->sequence = 1;
	rig->cfg = *cfg;
	fill_cfg(&rig->cfg);
	rig->random_state = rig->cfg.seed + 1;
	rig->now_ms = 1000;
	rig->unix_s = rig->platform_s = RIG_UNIX_S;
	memcpy(rig->texts, texts, sizeof(texts));
	rig_publish(rig, 1);
	fill_ports(rig);
	if (rig->cfg.has_slots) { fill_factory(rig); }
	fill_session_cfg(rig);
	rig_boot(rig);
}

void rig_close(struct rig *rig)
{
	rig_require(rig, rig->slot.sim.violation_count == 0 && rig->slot_b.sim.violation_count == 0);
	rig_require(rig, rig->journal.sim.violation_count == 0);
}

struct rig_area *rig_target_area(struct rig *rig)
{
	if (!rig->cfg.has_slots) { return &rig->slot; }
	return fota_boot_target(&rig->session.record.boot) ? &rig->slot_b : &rig->slot;
}

int rig_result(const struct rig *rig)
{
	for (unsigned i = rig->notice_count; i > 0; i--) {
		const struct fota_notice *notice = &rig->notices[i - 1].notice;

		if (notice->kind == FOTA_NOTICE_RESULT) { return (int)notice->code; }
	}
	return -1;
}

void rig_twist(struct rig *rig, struct rig_twist twist)
{
	for (size_t i = 0; i < RIG_TWIST_MAX; i++) {
		if (rig->twists[i].effect != RIG_FINE) { continue; }
		rig->twists[i] = twist;
		if (twist.first) {
			rig->twists[i].first += rig->http.counts[twist.kind];
			rig->twists[i].last += rig->http.counts[twist.kind];
		}
		return;
	}
	rig_require(rig, !"room for a twist");
}

void rig_clear_twists(struct rig *rig)
{
	memset(rig->twists, 0, sizeof(rig->twists));
}

void rig_fault(struct rig *rig, struct rig_fault fault)
{
	rig->fault = fault;
	rig->op_count = 0;
}

static void heal_area(struct rig *rig, struct rig_area *area)
{
	enum fota_err ignored;

	if (!area->is_hung) { return; }
	area->is_hung = false;
	(void)sim_flash_complete(&area->sim, &ignored);
	fota_session_storage(&rig->session, FOTA_ERR_OK);
}

void rig_heal(struct rig *rig)
{
	rig->fault = (struct rig_fault) { RIG_OP_FINE, 0, 0 };
	heal_area(rig, &rig->slot);
	heal_area(rig, &rig->slot_b);
	heal_area(rig, &rig->journal);
}

void rig_stop_at(struct rig *rig, enum rig_stop stop, uint32_t n)
{
	rig->stop = stop;
	rig->stop_at = n;
	rig->call_count = 0;
	rig->has_stopped = false;
}

void rig_call(struct rig *rig)
{
	rig->call_count++;
	if (rig->stop_at == 0 || rig->call_count != rig->stop_at) { return; }
	rig->has_stopped = true;
	switch (rig->stop) {
	case RIG_STOP_CANCEL:
		(void)!fota_session_cancel(&rig->session);
		break;
	case RIG_STOP_OFF:
		fota_session_set_on(&rig->session, false);
		break;
	case RIG_STOP_ABORT:
		fota_session_abort(&rig->session);
		break;
	case RIG_STOP_TIME:
		rig->now_ms += rig->session.limits.session_ms;
		break;
	default:
		break;
	}
}

/* ---- playing ---- */

struct fota_request rig_request(const struct rig *rig)
{
	return (struct fota_request) {
		.oem = fota_bytes_of(RIG_OEM),
		.model = fota_bytes_of(RIG_MODEL),
		.product = fota_bytes_of(RIG_PRODUCT),
		.secret = fota_bytes_of(RIG_SECRET),
		.target = fota_bytes_of(rig->target),
	};
}

enum fota_code rig_start(struct rig *rig)
{
	struct fota_request req = rig_request(rig);
	unsigned before = rig->notice_count;
	enum fota_code code;

	rig->is_starting = true;
	code = fota_session_start(&rig->session, &req, rig->origin + 1);
	rig->is_starting = false;
	rig_require(rig, rig->notice_count == before);
	if (code) { return code; }
	rig->origin++;
	rig->first_notice = before;
	rig->is_over = false;
	return FOTA_CODE_NONE;
}

static bool complete_storage(struct rig *rig)
{
	enum fota_err result;

	if (!rig_complete_any(rig, &result)) { return false; }
	rig_call(rig);
	fota_session_storage(&rig->session, result);
	return true;
}

static bool pass_time(struct rig *rig, uint32_t next_ms)
{
	rig->zero_count = next_ms ? 0 : rig->zero_count + 1;
	rig_require(rig, rig->zero_count < ZERO_MAX); /* no busy loop */
	if (next_ms == UINT32_MAX) { return false; }
	rig->now_ms += next_ms;
	return true;
}

bool rig_step(struct rig *rig)
{
	bool has_moved;

	if (rig->is_dead) { return false; }
	has_moved = complete_storage(rig) || rig_http_step(rig);
	if (rig->is_dead) { return false; }
	if (!has_moved && !pass_time(rig, fota_session_next_ms(&rig->session))) { return false; }
	if (has_moved) {
		rig->now_ms++;
		rig->zero_count = 0;
	}
	rig_call(rig);
	fota_session_tick(&rig->session);
	return !rig->is_dead;
}

static bool is_done(const struct rig *rig)
{
	struct fota_session_info info;

	fota_session_get(&rig->session, &info);
	return !info.is_running && (rig->session.io.is_stuck || fota_session_is_quiet(&rig->session));
}

void rig_finish(struct rig *rig)
{
	unsigned steps = 0;

	while (!is_done(rig)) {
		rig_require(rig, ++steps < STEP_MAX);
		if (!rig_step(rig)) { break; }
	}
	rig_require(rig, rig->is_dead || (is_done(rig) && rig->is_over));
}

void rig_idle(struct rig *rig, uint64_t ms)
{
	uint64_t end = rig->now_ms + ms;
	unsigned steps = 0;

	while (rig->now_ms < end && !rig->is_dead) {
		uint32_t next_ms = fota_session_next_ms(&rig->session);

		rig_require(rig, ++steps < STEP_MAX);
		if (complete_storage(rig) || rig_http_step(rig)) {
			fota_session_tick(&rig->session);
			continue;
		}
		if (next_ms > end - rig->now_ms) {
			rig->now_ms = end;
			break;
		}
		(void)rig_step(rig);
	}
}

const char *rig_play(struct rig *rig)
{
	rig_require(rig, rig_start(rig) == FOTA_CODE_NONE);
	rig_finish(rig);
	return rig_codes(rig);
}

const char *rig_codes(struct rig *rig)
{
	size_t len = 0;

	rig->codes[0] = 0;
	for (unsigned i = rig->first_notice; i < rig->notice_count; i++) {
		const struct fota_notice *notice = &rig->notices[i].notice;

		if (notice->kind != FOTA_NOTICE_CODE || len + 5 > sizeof(rig->codes)) { continue; }
		len += (size_t)snprintf(rig->codes + len, sizeof(rig->codes) - len, "%s%d", len ? " " : "",
					notice->code);
	}
	return rig->codes;
}

enum fota_code rig_final(struct rig *rig)
{
	const char *codes = rig_codes(rig);
	const char *last = strrchr(codes, ' ');

	return (enum fota_code)atoi(last ? last + 1 : codes);
}

bool rig_has_code(struct rig *rig, enum fota_code code)
{
	for (unsigned i = rig->first_notice; i < rig->notice_count; i++) {
		const struct fota_notice *notice = &rig->notices[i].notice;

		if (notice->kind == FOTA_NOTICE_CODE && notice->code == code) { return true; }
	}
	return false;
}

bool rig_is_image_stored(struct rig *rig)
{
	struct fota_session_info info;

	fota_session_get(&rig->session, &info);
	return info.state == FOTA_STATE_READY && info.received_bytes == rig->image_bytes &&
	       memcmp(rig_target_area(rig)->cells, rig->image, rig->image_bytes) == 0;
}

unsigned rig_count(const struct rig *rig, enum rig_kind kind)
{
	return rig->http.counts[kind];
}

struct rig_request *rig_last_request(struct rig *rig, enum rig_kind kind)
{
	for (unsigned i = rig->request_count; i > 0 && i + RIG_REQUEST_MAX > rig->request_count; i--) {
		if (rig->requests[(i - 1) % RIG_REQUEST_MAX].kind == kind) {
			return &rig->requests[(i - 1) % RIG_REQUEST_MAX];
		}
	}
	rig_require(rig, !"a request of this kind");
	return NULL;
}
