/* SPDX-License-Identifier: Apache-2.0 */
/* The steps are rows of one table: what is sent, and where OK, an error and silence
 * lead. Invariants: one command waits for its answer at a time; nothing is sent in
 * front of OK to AT; what was changed for the session (CMEE, progress) is put back on
 * every way to the end on which the module still answers.
 *
 * Real modules are met as they are: echo on or off, noise, results of others in
 * between, no progress. Silence before the session starts leads back to AT, twice;
 * AT+CSCFOTA itself is never sent again, since it may have been taken. */
#include "module_session.h"

#include <stdio.h>
#include <string.h>

#include "fota/code.h"

/* Where a row leads, besides the steps themselves. */
enum {
	TO_NO_ANSWER = MODULE_STEP_END + 1, /* the end; the module is not asked for anything more */
	TO_REFUSED,                         /* puts back, then the end */
	TO_RESYNC,                          /* AT again, if that was not tried too often */
	TO_RETRY,                           /* the same again */
	TO_STOPPED,                         /* no final code came: the reason of the stop counts */
};

#define RESYNC_MAX       2u
#define SILENT_PROBE_MAX 5u
#define QUIET_SYNC_EVERY 3u

struct step_row {
	const char *name;
	const char *command; /* NULL: waits. For START the parameters are added */
	uint8_t on_ok, on_error, on_silence;
	bool (*is_needed)(const struct module_session *s); /* NULL: always; else goes to on_ok */
};

static bool is_resynced(const struct module_session *s)
{
	return s->tries > 1;
}

static bool is_errors_on_needed(const struct module_session *s)
{
	return s->is_cmee_changed || (s->cmee != UINT64_MAX && s->cmee != 1);
}

static bool is_errors_back_needed(const struct module_session *s)
{
	return s->is_cmee_changed;
}

static bool is_progress_off_needed(const struct module_session *s)
{
	return s->has_progress;
}

#define STEP(name) MODULE_STEP_##name

static const struct step_row rows[] = {
	[STEP(SYNC)] = { "synchronising with the module", "AT", STEP(SETTLE), TO_RETRY, TO_RETRY, NULL },
	[STEP(SETTLE)] = { "synchronising with the module", NULL, STEP(ERRORS_READ), 0, STEP(ERRORS_READ),
			   is_resynced },
	[STEP(ERRORS_READ)] = { "reading the error mode", "AT+CMEE?", STEP(ERRORS_ON), STEP(PROGRESS_ON), TO_RESYNC,
				NULL },
	[STEP(ERRORS_ON)] = { "asking for numbered errors", "AT+CMEE=1", STEP(PROGRESS_ON), STEP(PROGRESS_ON),
			      TO_RESYNC, is_errors_on_needed },
	[STEP(PROGRESS_ON)] = { "asking for progress", "AT+FOTAPROG=1", STEP(SERVICE_ON), STEP(SERVICE_ON), TO_RESYNC,
				NULL },
	[STEP(SERVICE_ON)] = { "switching the service on", "AT+CAPFOTA=1", STEP(START), TO_REFUSED, TO_RESYNC, NULL },
	[STEP(START)] = { "starting the session", "AT+CSCFOTA=", STEP(FOLLOW), TO_REFUSED, TO_NO_ANSWER, NULL },
	[STEP(FOLLOW)] = { "following the session", NULL, 0, 0, STEP(PROBE), NULL },
	[STEP(PROBE)] = { "following the session", "AT+CAPFOTA?", STEP(FOLLOW), STEP(FOLLOW), STEP(FOLLOW), NULL },
	[STEP(CANCEL)] = { "cancelling", "AT+FOTACANCEL", STEP(CANCEL_WAIT), STEP(SERVICE_OFF), STEP(SERVICE_OFF),
			   NULL },
	[STEP(SERVICE_OFF)] = { "cancelling", "AT+CAPFOTA=0", STEP(CANCEL_WAIT), STEP(CANCEL_WAIT), TO_STOPPED, NULL },
	[STEP(CANCEL_WAIT)] = { "cancelling", NULL, 0, 0, TO_STOPPED, NULL },
	[STEP(PROGRESS_OFF)] = { "putting settings back", "AT+FOTAPROG=0", STEP(ERRORS_BACK), STEP(ERRORS_BACK),
				 STEP(ERRORS_BACK), is_progress_off_needed },
	[STEP(ERRORS_BACK)] = { "putting settings back", "AT+CMEE=", STEP(END), STEP(END), STEP(END),
				is_errors_back_needed },
	[STEP(END)] = { "done", NULL, 0, 0, 0, NULL },
};

static void emit(struct module_session *s, const struct module_event *event)
{
	s->cfg.event(s->cfg.event_ctx, event);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static void set_defaults(struct module_limits *limits)
{
	limits->sync_ms = or_default(limits->sync_ms, 1000);
	limits->sync_tries = or_default(limits->sync_tries, 10);
	limits->settle_ms = or_default(limits->settle_ms, 300);
	limits->answer_ms = or_default(limits->answer_ms, 9000);
	limits->silence_ms = or_default(limits->silence_ms, 60000);
	limits->cancel_ms = or_default(limits->cancel_ms, 10000);
	limits->partial_ms = or_default(limits->partial_ms, 15000);
	/* An hour is the module's own limit; it tells its end first. */
	limits->session_ms = or_default(limits->session_ms, 3900000);
}

/* How long the step may be silent. */
static uint32_t step_ms(const struct module_session *s)
{
	switch (s->step) {
	case MODULE_STEP_SYNC:
		return s->cfg.limits.sync_ms;
	case MODULE_STEP_SETTLE:
		return s->cfg.limits.settle_ms;
	case MODULE_STEP_FOLLOW:
		return s->code == FOTA_CODE_PARTIAL ? s->cfg.limits.partial_ms : s->cfg.limits.silence_ms;
	case MODULE_STEP_CANCEL_WAIT:
		return s->cfg.limits.cancel_ms;
	default:
		return s->cfg.limits.answer_ms;
	}
}

static void add_parameters(struct module_session *s)
{
	const struct module_request *request = &s->cfg.request;
	const char *values[] = { request->oem, request->model, request->product, request->secret, request->target };

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		at_command_add(&s->sent, i ? "," : "");
		at_command_add_string(&s->sent, values[i]);
	}
}

static void build_command(struct module_session *s)
{
	char number[24];

	at_command_init(&s->sent, rows[s->step].command);
	if (s->step == MODULE_STEP_START) { add_parameters(s); }
	if (s->step == MODULE_STEP_ERRORS_BACK) {
		snprintf(number, sizeof number, "%llu", (unsigned long long)s->cmee);
		at_command_add(&s->sent, number);
	}
	/* A module left in numeric or quiet mode answers AT with nothing that says OK. */
	if (s->step == MODULE_STEP_SYNC && s->tries % QUIET_SYNC_EVERY == 0) { at_command_init(&s->sent, "ATQ0V1"); }
}

static void send_command(struct module_session *s)
{
	char wire[AT_COMMAND_MAX_BYTES + 2];
	char shown[AT_COMMAND_MAX_BYTES + 1];
	struct module_event event = { .kind = MODULE_EVENT_SEND, .text = shown };

	build_command(s);
	memcpy(shown, s->sent.text, s->sent.len + 1);
	at_mask(shown, s->cfg.request.secret);
	memcpy(wire, s->sent.text, s->sent.len);
	wire[s->sent.len] = '\r';
	event.send = (struct fota_bytes) { (const uint8_t *)wire, s->sent.len + 1 };
	emit(s, &event);
	explicit_bzero(wire, sizeof wire);
}

static void end(struct module_session *s, enum module_outcome outcome)
{
	struct module_event event = { .kind = MODULE_EVENT_END, .text = s->refusal };

	if (s->step == MODULE_STEP_END) { return; }
	if (s->outcome == MODULE_OUTCOME_NONE) { s->outcome = outcome; }
	event.step = s->failed_step ? s->failed_step : rows[s->step].name;
	event.outcome = s->outcome;
	event.code = s->outcome == MODULE_OUTCOME_CODE || s->outcome == MODULE_OUTCOME_REFUSED ? s->code : 0;
	s->step = MODULE_STEP_END;
	explicit_bzero(&s->sent, sizeof s->sent);
	emit(s, &event);
}

static void enter(struct module_session *s, unsigned step)
{
	while (rows[step].is_needed && !rows[step].is_needed(s)) {
		step = rows[step].on_ok;
	}
	if (step == MODULE_STEP_END) {
		end(s, MODULE_OUTCOME_NONE);
		return;
	}
	if (step != MODULE_STEP_SYNC) { s->tries = 0; }
	s->step = (enum module_step)step;
	s->tries++;
	s->deadline_ms = s->now_ms + step_ms(s);
	if (step == MODULE_STEP_ERRORS_ON) { s->is_cmee_changed = true; }
	if (rows[step].command) { send_command(s); }
}

static void settle_outcome(struct module_session *s, enum module_outcome outcome)
{
	s->outcome = outcome;
	s->failed_step = rows[s->step].name;
}

static void retry(struct module_session *s)
{
	if (s->is_stopping) {
		end(s, s->stop_reason);
	} else if (s->tries >= s->cfg.limits.sync_tries) {
		end(s, MODULE_OUTCOME_NO_ANSWER);
	} else {
		enter(s, s->step);
	}
}

static void resync(struct module_session *s)
{
	if (s->is_stopping || s->resyncs++ >= RESYNC_MAX) {
		end(s, s->is_stopping ? s->stop_reason : MODULE_OUTCOME_NO_ANSWER);
		return;
	}
	s->tries = 1; /* so that answers that come late are waited for */
	enter(s, MODULE_STEP_SYNC);
}

/* Where a stop or a final code that came meanwhile leads instead. */
static unsigned redirected(struct module_session *s, unsigned target)
{
	bool is_back = target >= MODULE_STEP_PROGRESS_OFF && target <= MODULE_STEP_END;

	if (s->outcome != MODULE_OUTCOME_NONE && !is_back) { return MODULE_STEP_PROGRESS_OFF; }
	if (!s->is_stopping || target >= MODULE_STEP_CANCEL) { return target; }
	return s->step >= MODULE_STEP_START ? (unsigned)MODULE_STEP_CANCEL : (unsigned)TO_STOPPED;
}

static void go(struct module_session *s, unsigned target)
{
	target = redirected(s, target);
	switch (target) {
	case TO_NO_ANSWER:
		end(s, MODULE_OUTCOME_NO_ANSWER);
		return;
	case TO_RETRY:
		retry(s);
		return;
	case TO_RESYNC:
		resync(s);
		return;
	case TO_REFUSED:
		settle_outcome(s, MODULE_OUTCOME_REFUSED);
		enter(s, MODULE_STEP_PROGRESS_OFF);
		return;
	case TO_STOPPED:
		settle_outcome(s, s->stop_reason);
		enter(s, MODULE_STEP_PROGRESS_OFF);
		return;
	default:
		enter(s, target);
	}
}

static bool is_final_code(int code)
{
	const struct fota_code_info *info = fota_code_find(code);

	return code == FOTA_CODE_DOWNLOADED || !info || info->code_class != FOTA_CODE_CLASS_P;
}

static bool is_waiting(const struct module_session *s)
{
	return rows[s->step].command == NULL;
}

static void take_code(struct module_session *s, int code)
{
	if (s->step < MODULE_STEP_START || s->outcome != MODULE_OUTCOME_NONE) { return; }
	s->code = code;
	emit(s, &(struct module_event) { .kind = MODULE_EVENT_CODE, .code = code });
	s->deadline_ms = is_waiting(s) ? s->now_ms + step_ms(s) : s->deadline_ms;
	if (!is_final_code(code)) { return; }
	/* The 307 that our own stop brought about is told as that stop. */
	bool is_own = code == FOTA_CODE_CANCELLED && s->stop_reason == MODULE_OUTCOME_TIMEOUT;
	settle_outcome(s, is_own ? MODULE_OUTCOME_TIMEOUT : MODULE_OUTCOME_CODE);
	if (is_waiting(s)) { enter(s, MODULE_STEP_PROGRESS_OFF); }
}

static void take_progress(struct module_session *s, const uint64_t *numbers)
{
	if (s->step < MODULE_STEP_START || s->outcome != MODULE_OUTCOME_NONE) { return; }
	emit(s, &(struct module_event) {
			.kind = MODULE_EVENT_PROGRESS, .received_bytes = numbers[0], .total_bytes = numbers[1] });
}

/* What SIMCom modules say when they have started. */
static bool is_boot_line(const char *line)
{
	return strcmp(line, "RDY") == 0 || strncmp(line, "*ATREADY:", 9) == 0;
}

static void take_result(struct module_session *s, const char *line)
{
	uint64_t numbers[2];

	if (at_numbers_of(line, "+CSCFOTA", numbers, 1)) {
		take_code(s, numbers[0] <= 9999 ? (int)numbers[0] : FOTA_CODE_UNKNOWN);
	} else if (at_numbers_of(line, "+FOTAPROG", numbers, 2)) {
		take_progress(s, numbers);
	} else if (s->step >= MODULE_STEP_FOLLOW && is_boot_line(line)) {
		end(s, MODULE_OUTCOME_RESTARTED);
	} else if (s->step == MODULE_STEP_ERRORS_READ && at_numbers_of(line, "+CMEE", numbers, 1)) {
		s->cmee = s->is_cmee_changed ? s->cmee : numbers[0];
	} else if (s->step == MODULE_STEP_PROBE && at_numbers_of(line, "+CAPFOTA", numbers, 1) && numbers[0] == 0) {
		settle_outcome(s, MODULE_OUTCOME_RESTARTED);
	}
}

static void take_ok(struct module_session *s)
{
	if (s->step == MODULE_STEP_PROGRESS_ON) { s->has_progress = true; }
	go(s, rows[s->step].on_ok);
}

static void take_error(struct module_session *s, const char *line, int number)
{
	if (rows[s->step].on_error == TO_REFUSED) {
		s->code = number > 0 ? number : 0;
		snprintf(s->refusal, sizeof s->refusal, "%s", line);
		at_mask(s->refusal, s->cfg.request.secret);
	}
	go(s, rows[s->step].on_error);
}

static void take_final(struct module_session *s, const char *line)
{
	int number;

	if (is_waiting(s)) { return; } /* an answer to nothing: late, or to somebody else */
	switch (at_final_of(line, &number)) {
	case AT_FINAL_OK:
		take_ok(s);
		return;
	case AT_FINAL_ERROR:
	case AT_FINAL_CME:
		take_error(s, line, number);
		return;
	default:
		return;
	}
}

/* Noise may stand in front of an echo, never behind it. */
static bool is_echo(const struct module_session *s, const char *line)
{
	size_t len = strlen(line);

	if (is_waiting(s) || len < s->sent.len) { return false; }
	return strcmp(line + len - s->sent.len, s->sent.text) == 0;
}

static void take_line(struct module_session *s, const char *line)
{
	char shown[AT_LINE_MAX_BYTES + 1];

	if (is_echo(s, line)) { return; }
	snprintf(shown, sizeof shown, "%s", line);
	at_mask(shown, s->cfg.request.secret);
	emit(s, &(struct module_event) { .kind = MODULE_EVENT_LINE, .text = shown });
	take_result(s, line);
	if (s->step != MODULE_STEP_END) { take_final(s, line); }
}

void module_session_init(struct module_session *s, const struct module_session_cfg *cfg, uint64_t now_ms)
{
	*s = (struct module_session) { .cfg = *cfg, .now_ms = now_ms, .cmee = UINT64_MAX };
	set_defaults(&s->cfg.limits);
	at_reader_init(&s->reader);
	s->session_deadline_ms = now_ms + s->cfg.limits.session_ms;
	at_command_init(&s->sent, rows[MODULE_STEP_START].command);
	add_parameters(s);
	if (s->sent.is_full) {
		end(s, MODULE_OUTCOME_TOO_LONG);
		return;
	}
	enter(s, MODULE_STEP_SYNC);
}

void module_session_feed(struct module_session *s, struct fota_bytes bytes, uint64_t now_ms)
{
	s->now_ms = now_ms;
	s->silent_probes = 0;
	/* Waiting for silence means that every byte starts the wait again. */
	if (s->step == MODULE_STEP_SETTLE || (s->step == MODULE_STEP_FOLLOW && s->code != FOTA_CODE_PARTIAL)) {
		s->deadline_ms = now_ms + step_ms(s);
	}
	for (size_t i = 0; i < bytes.len && s->step != MODULE_STEP_END; i++) {
		if (at_reader_feed(&s->reader, bytes.ptr[i])) { take_line(s, s->reader.line); }
	}
}

static void stop(struct module_session *s, enum module_outcome reason)
{
	if (s->is_stopping || s->step == MODULE_STEP_END || s->outcome != MODULE_OUTCOME_NONE) { return; }
	s->is_stopping = true;
	s->stop_reason = reason;
	if (s->step <= MODULE_STEP_SETTLE) {
		end(s, reason);
	} else if (s->step == MODULE_STEP_FOLLOW) {
		enter(s, MODULE_STEP_CANCEL);
	}
	/* Any other step is left when its answer comes. */
}

static void be_silent(struct module_session *s)
{
	if (s->step == MODULE_STEP_FOLLOW && s->code == FOTA_CODE_PARTIAL) {
		settle_outcome(s, MODULE_OUTCOME_CODE);
		enter(s, MODULE_STEP_PROGRESS_OFF);
		return;
	}
	if (s->step == MODULE_STEP_PROBE && ++s->silent_probes >= SILENT_PROBE_MAX) {
		go(s, TO_NO_ANSWER);
		return;
	}
	go(s, rows[s->step].on_silence);
}

void module_session_tick(struct module_session *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	if (now_ms >= s->session_deadline_ms) { stop(s, MODULE_OUTCOME_TIMEOUT); }
	if (s->step != MODULE_STEP_END && now_ms >= s->deadline_ms) { be_silent(s); }
}

void module_session_cancel(struct module_session *s, uint64_t now_ms)
{
	s->now_ms = now_ms;
	stop(s, MODULE_OUTCOME_CANCELLED);
}

void module_session_gone(struct module_session *s)
{
	end(s, MODULE_OUTCOME_GONE);
}

void module_session_abandon(struct module_session *s)
{
	end(s, MODULE_OUTCOME_CANCELLED);
}

uint64_t module_session_wait_ms(const struct module_session *s, uint64_t now_ms)
{
	uint64_t until_ms = s->deadline_ms;

	if (!s->is_stopping && s->session_deadline_ms < until_ms) { until_ms = s->session_deadline_ms; }
	return until_ms > now_ms ? until_ms - now_ms : 0;
}

bool module_session_is_ended(const struct module_session *s)
{
	return s->step == MODULE_STEP_END;
}
