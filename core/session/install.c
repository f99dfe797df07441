/* SPDX-License-Identifier: Apache-2.0 */
/* From the verified package to the confirmed version.
 *
 * Whatever changes which slot runs is an order: it waits until nothing else uses the
 * journal, changes the record, and counts when the journal has it (phase SETTLING). Only
 * then the boot loader is told, and the module restarts. A cut before leaves the old
 * order, a cut after it the new one; telling the boot loader is repeated at each start.
 *
 * What a start finds is told from the record alone: a result that no host has heard of
 * (TELL), or a package whose slot is the confirmed one by now (CLOSE). */
#include "internal.h"

#define WINDOW_POLL_MS  30000u /* how late an automatic installation may notice its window */
#define SETTLE_RETRY_MS 60000u
#define DAY_MIN         1440u

static struct fota_boot *boot_of(struct fota_session *s)
{
	return &s->record.boot;
}

/* ---- what is due ---- */

bool session_is_ready(const struct fota_session *s)
{
	const struct fota_record *record = &s->record;

	return record->package.is_verified && record->boot.state == FOTA_BOOT_IDLE &&
	       record->package.slot != record->boot.active && session_is_package_trusted(s);
}

/* An order that changes what runs, or will: a result that is told does not. */
static bool is_changing(const struct fota_session *s)
{
	return (s->order != ORDER_NONE && s->order != ORDER_TELL && s->order != ORDER_CLOSE) || s->next_order;
}

bool session_is_installing(const struct fota_session *s)
{
	return s->record.boot.state != FOTA_BOOT_IDLE || is_changing(s) || s->is_restarting;
}

static bool is_on_trial(const struct fota_session *s)
{
	return s->record.boot.state == FOTA_BOOT_TRIAL;
}

static bool is_window_open(const struct fota_session *s)
{
	const struct fota_session_policy *policy = &s->policy;
	unsigned from = policy->window_from_min, to = policy->window_to_min;
	uint64_t time_s = session_unix_s(s);
	unsigned now = (unsigned)(time_s / 60 % DAY_MIN);

	if (from == to) { return true; }
	if (time_s == 0) { return false; }
	return from < to ? now >= from && now < to : now >= from || now < to;
}

static bool is_auto_install(const struct fota_session *s)
{
	return s->policy.is_auto_install && session_is_ready(s) && !s->is_running;
}

static bool is_result_untold(const struct fota_session *s)
{
	return s->record.boot.result.is_there && !s->record.boot.result.is_told;
}

/* The package was installed and confirmed; its report is still to be queued. */
static bool is_open(const struct fota_session *s)
{
	const struct fota_package *package = &s->record.package;

	return package->is_verified && package->slot == s->record.boot.active;
}

static enum session_order due_order(const struct fota_session *s)
{
	if (s->order != ORDER_NONE) { return (enum session_order)s->order; }
	if (is_result_untold(s)) { return ORDER_TELL; }
	if (is_open(s)) { return ORDER_CLOSE; }
	if (is_on_trial(s) && session_now_ms(s) >= s->trial_due_ms) { return ORDER_ROLL_BACK; }
	if (is_auto_install(s) && is_window_open(s)) { return ORDER_INSTALL; }
	return ORDER_NONE;
}

/* Nothing may begin before it is done, not even a session that was accepted while the
 * journal was still read. */
static bool may_settle(const struct fota_session *s)
{
	return !s->is_going_down && !s->is_restarting && !s->is_unloaded && !s->io.is_stuck &&
	       session_now_ms(s) >= s->settle_due_ms;
}

bool session_is_order_due(const struct fota_session *s)
{
	if (s->phase != PHASE_IDLE && s->phase != PHASE_REPORTING) { return false; }
	return may_settle(s) && due_order(s) != ORDER_NONE;
}

uint64_t session_order_ms(const struct fota_session *s)
{
	uint64_t now = session_now_ms(s);

	if (s->is_running || s->is_going_down || s->is_restarting || s->io.is_stuck) { return UINT64_MAX; }
	if (s->settle_due_ms > now) { return s->settle_due_ms; }
	if (is_on_trial(s)) { return s->trial_due_ms; }
	return is_auto_install(s) ? now + WINDOW_POLL_MS : UINT64_MAX;
}

/* ---- after a start ---- */

/* The image on trial does not run after all: the boot loader found it damaged, or could not
 * count its start. */
static bool is_trial_lost(const struct fota_session *s)
{
	const struct fota_boot *boot = &s->record.boot;

	return boot->state == FOTA_BOOT_ARMED ||
	       (boot->state == FOTA_BOOT_TRIAL && s->cfg->running_slot != fota_boot_target(boot));
}

static enum fota_err tell_boot_loader(struct fota_session *s)
{
	const struct fota_bootenv *env = s->cfg->bootenv;

	return env ? env->set(env->ctx, boot_of(s)) : FOTA_ERR_OK;
}

/* The record says another slot than the one that runs, and no boot loader will change that: the
 * confirmed image was damaged, and the journal could not be written then. What runs must not
 * become the place of the next package. */
static void adopt_running(struct fota_session *s)
{
	const struct fota_bootenv *env = s->cfg->bootenv;
	struct fota_boot *boot = boot_of(s);

	if (boot->state != FOTA_BOOT_IDLE || (env && !env->is_told_only) || !s->cfg->slots[1]) { return; }
	boot->active = (uint8_t)s->cfg->running_slot;
}

/* An automatic confirmation waits for the acknowledgement of a report: if none is on its way or will be
 * made with the result, one is made. */
static void ask_for_contact(struct fota_session *s)
{
	bool is_due = is_on_trial(s) && !is_result_untold(s);

	if (is_due && s->record.report_count == 0) { session_add_report(s, FOTA_REPORT_INSTALLING, FOTA_CODE_NONE); }
}

void session_resume_installation(struct fota_session *s)
{
	struct fota_package *package = &s->record.package;

	if (boot_of(s)->state == FOTA_BOOT_INSTALLING || is_trial_lost(s)) {
		fota_boot_roll_back(boot_of(s), FOTA_CODE_ABORTED);
	}
	/* of a version that had one slot and no manifests */
	if (package->slot == boot_of(s)->active && !package->secret.len) { memset(package, 0, sizeof(*package)); }
	adopt_running(s);
	(void)!tell_boot_loader(s); /* once more: power may have gone between the journal and it */
	if (!is_on_trial(s)) { return; }
	s->trial_due_ms = session_now_ms(s) + UINT64_C(1000) * s->limits.trial_s;
	ask_for_contact(s); /* an earlier start on trial has told, and was heard, but not confirmed */
}

/* ---- orders ---- */

static enum fota_report_state state_of_result(unsigned code)
{
	static const uint16_t ran[] = { FOTA_CODE_CANCELLED, FOTA_CODE_ABORTED, FOTA_CODE_INCOMPLETE };

	for (size_t i = 0; i < sizeof(ran) / sizeof(ran[0]); i++) {
		if (ran[i] == code) { return FOTA_REPORT_ROLLED_BACK; }
	}
	return FOTA_REPORT_FAILED;
}

/* Told before it is stored: rather twice than never. */
static void tell_result(struct fota_session *s)
{
	struct fota_boot_result *result = &boot_of(s)->result;

	result->is_told = true;
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_RESULT,
						  .code = (enum fota_code)result->code,
						  .old_version = fota_text_get(&result->old_version),
						  .target = fota_text_get(&result->new_version) });
	if (is_on_trial(s)) {
		session_add_report(s, FOTA_REPORT_INSTALLING, FOTA_CODE_NONE);
		return;
	}
	if (!s->record.package.is_verified || !result->code) { return; }
	session_add_report(s, state_of_result(result->code), (enum fota_code)result->code);
	memset(&s->record.package, 0, sizeof(s->record.package));
}

static void close_package(struct fota_session *s)
{
	session_add_report(s, FOTA_REPORT_INSTALLED, FOTA_CODE_NONE);
	memset(&s->record.package, 0, sizeof(s->record.package));
}

static void arm(struct fota_session *s)
{
	const struct fota_package *package = &s->record.package;
	struct fota_image image = { .version = package->target,
				    .size_bytes = package->total_bytes,
				    .sequence = package->sequence };

	memcpy(image.digest, package->digest, sizeof(image.digest));
	fota_boot_arm(boot_of(s), &image, session_identity(s, FOTA_IDENTITY_VERSION), s->limits.trial_starts);
	if (s->order == ORDER_INSTALL && s->cfg->installer) { boot_of(s)->state = FOTA_BOOT_INSTALLING; }
}

static void roll_back(struct fota_session *s)
{
	fota_boot_roll_back(boot_of(s), s->roll_back_code ? (enum fota_code)s->roll_back_code : FOTA_CODE_INCOMPLETE);
}

static void confirm(struct fota_session *s)
{
	fota_boot_confirm(boot_of(s));
}

static void (*const orders[ORDER_COUNT])(struct fota_session *s) = {
	[ORDER_TELL] = tell_result, [ORDER_CLOSE] = close_package, [ORDER_INSTALL] = arm,
	[ORDER_INSTALLED] = arm,    [ORDER_CONFIRM] = confirm,     [ORDER_ROLL_BACK] = roll_back,
};

void session_enter_settling(struct fota_session *s)
{
	session_http_cancel(s); /* of a report: it stays in the journal */
	s->order = (uint8_t)due_order(s);
	s->undo = (struct session_undo) { boot_of(s)->state, boot_of(s)->active, boot_of(s)->tries_left,
					  boot_of(s)->floor };
	if (orders[s->order]) { orders[s->order](s); }
	session_journal_start(s, FOTA_JOURNAL_SNAPSHOT);
}

static void rest(struct fota_session *s)
{
	s->order = s->next_order;
	s->next_order = ORDER_NONE;
	if (s->order == ORDER_NONE) { s->roll_back_code = 0; }
	s->report_due_ms = session_now_ms(s);
	s->report_try_count = 0;
	session_go(s, PHASE_IDLE);
}

/* The module has to start anew; until it does, nothing else begins. */
static void restart(struct fota_session *s)
{
	s->is_restarting = true;
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_RESTART });
}

/* The journal has it. An order that the boot loader did not get is taken back, so that both say
 * the same. */
void session_settled(struct fota_session *s)
{
	unsigned order = s->order;

	if (order == ORDER_INSTALL && boot_of(s)->state == FOTA_BOOT_INSTALLING) {
		s->order = ORDER_NONE;
		session_go(s, PHASE_INSTALLING);
		return;
	}
	rest(s);
	if (order == ORDER_TELL || order == ORDER_CLOSE) { return; }
	if (tell_boot_loader(s) && boot_of(s)->state == FOTA_BOOT_ARMED) {
		fota_boot_roll_back(boot_of(s), FOTA_CODE_IO);
		return;
	}
	if (order != ORDER_CONFIRM) { restart(s); }
}

/* The version stays on trial, and what was ordered is due as soon as storage works. On trial the
 * result is always that the new version runs. */
static void keep_order(struct fota_session *s, unsigned order, unsigned roll_back_code)
{
	s->order = (uint8_t)order;
	s->roll_back_code = (uint16_t)roll_back_code;
	boot_of(s)->result.code = FOTA_CODE_NONE;
	boot_of(s)->result.is_told = true;
}

/* Nothing that is not stored counts. What was armed is over, with the code of the
 * storage; what was on trial stays so and is tried again. */
void session_settling_failed(struct fota_session *s)
{
	unsigned order = s->order, roll_back_code = s->roll_back_code;
	struct fota_boot *boot = boot_of(s);

	rest(s);
	s->settle_due_ms = session_now_ms(s) + SETTLE_RETRY_MS;
	if (order == ORDER_TELL || order == ORDER_CLOSE) { return; }
	boot->state = s->undo.state;
	boot->active = s->undo.active;
	boot->tries_left = s->undo.tries_left;
	boot->floor = s->undo.floor;
	if (order == ORDER_INSTALL || order == ORDER_INSTALLED) {
		fota_boot_roll_back(boot, (enum fota_code)s->fail_code);
		s->settle_due_ms = 0;
	}
	if (order == ORDER_CONFIRM || order == ORDER_ROLL_BACK) { keep_order(s, order, roll_back_code); }
}

/* ---- an installer of the system's own ---- */

void session_enter_installing(struct fota_session *s)
{
	const struct fota_installer *installer = s->cfg->installer;
	unsigned target = fota_boot_target(boot_of(s));

	if (installer->start(installer->ctx, session_area(s), &boot_of(s)->images[target])) {
		session_raise(s, EVENT_INSTALL_FAIL);
	}
}

void session_installer_done(struct fota_session *s)
{
	s->order = ORDER_INSTALLED;
	session_go(s, PHASE_SETTLING);
}

void session_installer_failed(struct fota_session *s)
{
	fota_boot_roll_back(boot_of(s), FOTA_CODE_UNKNOWN);
	rest(s);
}

/* The module goes down in the middle of it: the journal says so, and the next start
 * tells 508. */
void session_installer_stopped(struct fota_session *s)
{
	s->cfg->installer->cancel(s->cfg->installer->ctx);
	session_go(s, PHASE_IDLE);
}

/* ---- public ---- */

static enum fota_code ask(struct fota_session *s, enum session_order order)
{
	if (s->is_going_down) { return FOTA_CODE_ABORTED; }
	if (s->io.is_stuck) { return FOTA_CODE_IO_TIMEOUT; } /* it could not be stored */
	/* a host that heard of a result may answer before that is stored */
	*(s->order == ORDER_NONE ? &s->order : &s->next_order) = (uint8_t)order;
	return FOTA_CODE_NONE;
}

/* Whether there is anything to order is in the journal. */
static bool is_unknown(const struct fota_session *s)
{
	return s->is_unloaded && s->io.is_stuck;
}

enum fota_code fota_session_install(struct fota_session *s)
{
	if (is_unknown(s)) { return FOTA_CODE_IO_TIMEOUT; }
	if (s->is_running || session_is_installing(s)) { return FOTA_CODE_NESTING; }
	if (!session_is_ready(s)) { return FOTA_CODE_BAD_OPERATION; }
	return ask(s, ORDER_INSTALL);
}

enum fota_code fota_session_confirm(struct fota_session *s, bool is_kept)
{
	enum fota_code code;

	if (is_unknown(s)) { return FOTA_CODE_IO_TIMEOUT; }
	if (!is_on_trial(s) || is_changing(s) || s->is_restarting) { return FOTA_CODE_BAD_OPERATION; }
	code = ask(s, is_kept ? ORDER_CONFIRM : ORDER_ROLL_BACK);
	if (!code) { s->roll_back_code = is_kept ? 0 : FOTA_CODE_CANCELLED; }
	return code;
}

void fota_session_installed(struct fota_session *s, enum fota_err result)
{
	session_raise(s, result == FOTA_ERR_OK ? EVENT_INSTALL_DONE : EVENT_INSTALL_FAIL);
	session_pump(s);
}

void fota_session_set_policy(struct fota_session *s, const struct fota_session_policy *policy)
{
	s->policy = *policy;
	if (policy->is_auto_confirm) { ask_for_contact(s); }
}

void session_heard(struct fota_session *s)
{
	if (is_on_trial(s) && s->policy.is_auto_confirm && s->order == ORDER_NONE) { s->order = ORDER_CONFIRM; }
}
