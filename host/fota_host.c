/* SPDX-License-Identifier: Apache-2.0 */
/* The steps are rows of one table: what is sent, and where OK, an error and silence
 * lead. Invariants: one command waits for its answer at a time; nothing is sent in
 * front of OK to AT; what was changed for the session (CMEE, progress) is put back on
 * every way to the end on which the module still answers.
 *
 * Real modules are met as they are: echo on or off, noise, results of others in
 * between, no progress. Silence before the session starts leads back to AT, twice;
 * AT+CSCFOTA itself is never sent again, since it may have been taken.
 *
 * The codes are a table of their own, so that this file needs no other; a test compares
 * it with the project's list. */
#include "fota_host.h"

#include <string.h>

/* ---- result codes ---- */

#if FOTA_HOST_TEXTS
#define ROW(number, code_class, text, advice) { number, code_class, text, advice },
#else
#define ROW(number, code_class, text, advice) { number, code_class, "", "" },
#endif

#define P FOTA_HOST_PROGRESS
#define E FOTA_HOST_NOTHING
#define R FOTA_HOST_RETRY
#define X FOTA_HOST_CHANGE

/* clang-format off */
static const struct fota_host_code codes[] = {
	ROW(1, X, "unknown error", "read the log of the module; report it to its maker")
	ROW(2, P, "check version finished", "nothing to do, the download begins")
	ROW(3, P, "download finished", "the package is stored and verified")
	ROW(4, P, "download partial finished", "a part is stored; the next session goes on from it")
	ROW(5, E, "no matched version", "it runs already, is not published, or is older: then sign its manifest anew")
	ROW(301, X, "not enough memory", "free storage on the module, or make the package smaller")
	ROW(302, X, "invalid parameter", "check the five parameters: quotes, lengths, digits")
	ROW(303, X, "invalid operation", "switch the service on first: AT+CAPFOTA=1")
	ROW(304, X, "IO failed", "the storage of the module fails; have it checked")
	ROW(305, R, "IO timeout", "the storage does not answer; try again, then have it checked")
	ROW(306, X, "download file verification failed",
	    "try again; if it stays, check the trusted keys, upload the package again")
	ROW(307, E, "got cancelled", "start a new session when ready; a stored part is kept")
	ROW(308, R, "interface nesting error",
	    "a session or a trial is on: await its end, AT+FOTACANCEL or AT+FOTACONFIRM")
	ROW(401, X, "invalid device information", "use the OEM and model of the product on the platform")
	ROW(402, X, "invalid platform information", "check product ID, product secret and the module's clock")
	ROW(403, X, "missing device information", "configure the module's identity and model")
	ROW(404, X, "version number is not configured", "configure the module's firmware version")
	ROW(405, X, "internal error", "read the logs of module and platform; report it")
	ROW(501, X, "invalid URL", "correct the server URL; plain HTTP must be allowed on both sides")
	ROW(502, R, "unable to resolve domain name", "check the server's name and the module's DNS")
	ROW(503, R, "cannot connect to the server", "check address, port, network and the server's certificate")
	ROW(504, R, "invalid request, server returned error", "read the platform's log; try again later")
	ROW(505, R, "not in range", "the server does not serve ranges properly; check proxies between")
	ROW(506, R, "HTTP POST request error", "the server is no platform of ours, or a proxy answers instead")
	ROW(507, X, "re-download start error", "the stored part is of no use and a new start failed; check both")
	ROW(508, R, "operation is aborted", "the module stopped the session; start it again")
	ROW(509, R, "operation not completed", "the session's time limit is over; start it again to go on")
	ROW(510, X, "too many retargeting times", "correct the redirects of the server")
	ROW(511, R, "unable to get data from socket", "the network stalls; try again with a better signal")
	ROW(512, R, "error sending data via socket", "the connection broke; try again")
	ROW(513, R, "error receiving data via socket", "the connection broke; try again, it goes on")
	ROW(514, R, "invalid socket connection", "the server closed at once; check what listens there")
};
/* clang-format on */

#define CODE_DOWNLOADED 3
#define CODE_PARTIAL    4
#define CODE_CANCELLED  307
#define CODE_UNKNOWN    1
#define CME_FIRST       300 /* numbers of +CME ERROR below are those of TS 27.007 */

const struct fota_host_code *fota_host_code_list(size_t *count)
{
	*count = sizeof(codes) / sizeof(codes[0]);
	return codes;
}

const struct fota_host_code *fota_host_code_find(int number)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].number == number) { return &codes[i]; }
	}
	return NULL;
}

static bool is_final_code(int code)
{
	const struct fota_host_code *info = fota_host_code_find(code);

	return code == CODE_DOWNLOADED || !info || info->code_class != FOTA_HOST_PROGRESS;
}

char fota_host_next(const struct fota_host_event *end)
{
	bool is_code =
		end->outcome == FOTA_HOST_DONE_CODE || (end->outcome == FOTA_HOST_REFUSED && end->code >= CME_FIRST);

	if (end->outcome == FOTA_HOST_CANCELLED) { return FOTA_HOST_NOTHING; }
	if (!is_code) { return end->outcome == FOTA_HOST_REFUSED ? FOTA_HOST_CHANGE : FOTA_HOST_RETRY; }
	if (!end->info) { return FOTA_HOST_CHANGE; }
	/* code 4 and nothing behind it: the part is there, the end is not known */
	return end->code == CODE_PARTIAL ? FOTA_HOST_RETRY : end->info->code_class;
}

/* ---- text ---- */

static bool is_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *skip_blanks(const char *text)
{
	while (*text == ' ') {
		text++;
	}
	return text;
}

/* Digits up to 2^63; no sign, no blank inside. Moves *text behind them. */
static bool read_number(const char **text, uint64_t *number)
{
	const char *at = *text;

	*number = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (*number > UINT64_MAX / 32) { return false; }
		*number = *number * 10 + (uint64_t)(*at - '0');
	}
	if (at == *text) { return false; }
	*text = at;
	return true;
}

/* The numbers of "<name>: <a>[,<b>]"; true if there are exactly `count`. */
static bool read_numbers(const char *line, const char *name, uint64_t *numbers, unsigned count)
{
	const char *at = line + strlen(name);

	if (!is_prefix(line, name) || *at != ':') { return false; }
	at++;
	for (unsigned i = 0; i < count; i++) {
		at = skip_blanks(at);
		if (i > 0 && *at++ != ',') { return false; }
		at = skip_blanks(at);
		if (!read_number(&at, &numbers[i])) { return false; }
	}
	return *skip_blanks(at) == '\0';
}

/* Volatile, so that a compiler does not leave it out. */
static void wipe(char *bytes, size_t len)
{
	volatile char *at = bytes;

	for (size_t i = 0; i < len; i++) {
		at[i] = 0;
	}
}

/* ---- steps ---- */

enum step {
	STEP_NONE, /* so that 0 is no step */
	STEP_SYNC,
	STEP_SETTLE,
	STEP_ERRORS_READ,
	STEP_ERRORS_ON,
	STEP_PROGRESS_ON,
	STEP_SERVICE_ON,
	STEP_START,
	STEP_FOLLOW,
	STEP_PROBE,
	STEP_CANCEL,
	STEP_SERVICE_OFF,
	STEP_CANCEL_WAIT,
	STEP_PROGRESS_OFF,
	STEP_ERRORS_BACK,
	STEP_END,
	/* where a row leads, besides the steps themselves */
	TO_NO_ANSWER, /* the end; the module is not asked for anything more */
	TO_REFUSED,   /* puts back, then the end */
	TO_RESYNC,    /* AT again, if that was not tried too often */
	TO_RETRY,     /* the same again */
	TO_STOPPED,   /* no final code came: the reason of the stop counts */
};

#define RESYNC_MAX       2u
#define SILENT_PROBE_MAX 5u
#define QUIET_SYNC_EVERY 3u

struct step_row {
	const char *name;
	const char *command; /* NULL: waits */
	uint8_t on_ok, on_error, on_silence;
	bool (*is_needed)(const struct fota_host *host); /* NULL: always; else goes to on_ok */
};

static bool is_resynced(const struct fota_host *host)
{
	return host->tries > 1;
}

static bool is_errors_on_needed(const struct fota_host *host)
{
	return host->is_cmee_changed || (host->cmee >= 0 && host->cmee != 1);
}

static bool is_errors_back_needed(const struct fota_host *host)
{
	return host->is_cmee_changed;
}

static bool is_progress_off_needed(const struct fota_host *host)
{
	return host->has_progress;
}

static const struct step_row rows[] = {
	[STEP_SYNC] = { "synchronising with the module", "AT", STEP_SETTLE, TO_RETRY, TO_RETRY, NULL },
	[STEP_SETTLE] = { "synchronising with the module", NULL, STEP_ERRORS_READ, 0, STEP_ERRORS_READ, is_resynced },
	[STEP_ERRORS_READ] = { "reading the error mode", "AT+CMEE?", STEP_ERRORS_ON, STEP_PROGRESS_ON, TO_RESYNC,
			       NULL },
	[STEP_ERRORS_ON] = { "asking for numbered errors", "AT+CMEE=1", STEP_PROGRESS_ON, STEP_PROGRESS_ON, TO_RESYNC,
			     is_errors_on_needed },
	[STEP_PROGRESS_ON] = { "asking for progress", "AT+FOTAPROG=1", STEP_SERVICE_ON, STEP_SERVICE_ON, TO_RESYNC,
			       NULL },
	[STEP_SERVICE_ON] = { "switching the service on", "AT+CAPFOTA=1", STEP_START, TO_REFUSED, TO_RESYNC, NULL },
	[STEP_START] = { "starting the session", "AT+CSCFOTA=", STEP_FOLLOW, TO_REFUSED, TO_NO_ANSWER, NULL },
	[STEP_FOLLOW] = { "following the session", NULL, 0, 0, STEP_PROBE, NULL },
	[STEP_PROBE] = { "following the session", "AT+CAPFOTA?", STEP_FOLLOW, STEP_FOLLOW, STEP_FOLLOW, NULL },
	[STEP_CANCEL] = { "cancelling", "AT+FOTACANCEL", STEP_CANCEL_WAIT, STEP_SERVICE_OFF, STEP_SERVICE_OFF, NULL },
	[STEP_SERVICE_OFF] = { "cancelling", "AT+CAPFOTA=0", STEP_CANCEL_WAIT, STEP_CANCEL_WAIT, TO_STOPPED, NULL },
	[STEP_CANCEL_WAIT] = { "cancelling", NULL, 0, 0, TO_STOPPED, NULL },
	[STEP_PROGRESS_OFF] = { "putting settings back", "AT+FOTAPROG=0", STEP_ERRORS_BACK, STEP_ERRORS_BACK,
				STEP_ERRORS_BACK, is_progress_off_needed },
	[STEP_ERRORS_BACK] = { "putting settings back", "AT+CMEE=", STEP_END, STEP_END, STEP_END,
			       is_errors_back_needed },
	[STEP_END] = { "done", NULL, 0, 0, 0, NULL },
};

static bool is_waiting(const struct fota_host *host)
{
	return rows[host->step].command == NULL;
}

static bool is_past(uint32_t now_ms, uint32_t deadline_ms)
{
	return (int32_t)(now_ms - deadline_ms) >= 0;
}

static void emit(const struct fota_host *host, const struct fota_host_event *event)
{
	if (host->cfg.event) { host->cfg.event(host->cfg.ctx, event); }
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static void set_defaults(struct fota_host_limits *limits)
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
static uint32_t step_ms(const struct fota_host *host)
{
	const struct fota_host_limits *limits = &host->cfg.limits;

	switch (host->step) {
	case STEP_SYNC:
		return limits->sync_ms;
	case STEP_SETTLE:
		return limits->settle_ms;
	case STEP_FOLLOW:
		return host->code == CODE_PARTIAL ? limits->partial_ms : limits->silence_ms;
	case STEP_CANCEL_WAIT:
		return limits->cancel_ms;
	default:
		return limits->answer_ms;
	}
}

/* ---- sending ---- */

static void write_bytes(const struct fota_host *host, const char *bytes, size_t len)
{
	if (len) { host->cfg.write(host->cfg.ctx, bytes, len); }
}

static void write_text(const struct fota_host *host, const char *text)
{
	write_bytes(host, text, strlen(text));
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

/* Quote, backslash and control characters go as backslash and two hex digits (V.250
 * 5.4.2.2). */
static void write_string(const struct fota_host *host, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *from = value;

	write_text(host, "\"");
	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;
		char escape[3] = { '\\', hex[byte >> 4], hex[byte & 15] };

		if (is_plain(byte)) { continue; }
		write_bytes(host, from, (size_t)(value - from));
		write_bytes(host, escape, sizeof(escape));
		from = value + 1;
	}
	write_bytes(host, from, (size_t)(value - from));
	write_text(host, "\"");
}

static void write_parameters(const struct fota_host *host)
{
	const struct fota_host_request *request = &host->cfg.request;
	const char *const values[] = { request->oem, request->model, request->product, request->secret,
				       request->target };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		write_text(host, i ? "," : "");
		write_string(host, values[i]);
	}
}

static void write_uint(const struct fota_host *host, unsigned number)
{
	char digits[10];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	write_bytes(host, digits + at, sizeof(digits) - at);
}

static void send_command(const struct fota_host *host)
{
	/* A module left in numeric or quiet mode answers AT with nothing that says OK. */
	bool is_loud = host->step == STEP_SYNC && host->tries % QUIET_SYNC_EVERY == 0;

	write_text(host, is_loud ? "ATQ0V1" : rows[host->step].command);
	if (host->step == STEP_START) { write_parameters(host); }
	if (host->step == STEP_ERRORS_BACK) { write_uint(host, (unsigned)host->cmee); }
	write_text(host, "\r");
}

/* ---- going on ---- */

static void settle_outcome(struct fota_host *host, unsigned outcome)
{
	host->outcome = (uint8_t)outcome;
	host->failed_step = host->step;
}

static void end(struct fota_host *host, unsigned outcome)
{
	struct fota_host_event event = { .kind = FOTA_HOST_END, .text = host->refusal };
	bool has_code;

	if (host->step == STEP_END) { return; }
	if (host->outcome == FOTA_HOST_RUNNING) { host->outcome = (uint8_t)outcome; }
	event.step = rows[host->failed_step ? host->failed_step : host->step].name;
	event.outcome = (enum fota_host_outcome)host->outcome;
	has_code = event.outcome == FOTA_HOST_DONE_CODE || event.outcome == FOTA_HOST_REFUSED;
	event.code = has_code ? host->code : 0;
	event.info = fota_host_code_find(event.code);
	event.is_part_kept = host->is_part_kept;
	host->step = STEP_END;
	wipe(host->line, sizeof(host->line));
	emit(host, &event);
}

static void enter(struct fota_host *host, unsigned step)
{
	while (rows[step].is_needed && !rows[step].is_needed(host)) {
		step = rows[step].on_ok;
	}
	if (step == STEP_END) {
		end(host, FOTA_HOST_RUNNING);
		return;
	}
	if (step != STEP_SYNC) { host->tries = 0; }
	host->step = (uint8_t)step;
	host->tries++;
	host->deadline_ms = host->now_ms + step_ms(host);
	if (step == STEP_ERRORS_ON) { host->is_cmee_changed = true; }
	if (rows[step].command) { send_command(host); }
}

static void retry(struct fota_host *host)
{
	if (host->is_stopping) {
		end(host, host->stop_reason);
	} else if (host->tries >= host->cfg.limits.sync_tries) {
		end(host, FOTA_HOST_NO_ANSWER);
	} else {
		enter(host, host->step);
	}
}

static void resync(struct fota_host *host)
{
	if (host->is_stopping || host->resyncs++ >= RESYNC_MAX) {
		end(host, host->is_stopping ? host->stop_reason : (unsigned)FOTA_HOST_NO_ANSWER);
		return;
	}
	host->tries = 1; /* so that answers that come late are waited for */
	enter(host, STEP_SYNC);
}

/* Where a stop or a final code that came meanwhile leads instead. */
static unsigned redirected(const struct fota_host *host, unsigned target)
{
	bool is_back = target >= STEP_PROGRESS_OFF && target <= STEP_END;

	if (host->outcome != FOTA_HOST_RUNNING && !is_back) { return STEP_PROGRESS_OFF; }
	if (!host->is_stopping || target >= STEP_CANCEL) { return target; }
	return host->step >= STEP_START ? (unsigned)STEP_CANCEL : (unsigned)TO_STOPPED;
}

static void go(struct fota_host *host, unsigned target)
{
	target = redirected(host, target);
	switch (target) {
	case TO_NO_ANSWER:
		end(host, FOTA_HOST_NO_ANSWER);
		return;
	case TO_RETRY:
		retry(host);
		return;
	case TO_RESYNC:
		resync(host);
		return;
	case TO_REFUSED:
		settle_outcome(host, FOTA_HOST_REFUSED);
		enter(host, STEP_PROGRESS_OFF);
		return;
	case TO_STOPPED:
		settle_outcome(host, host->stop_reason);
		enter(host, STEP_PROGRESS_OFF);
		return;
	default:
		enter(host, target);
	}
}

/* ---- lines ---- */

static void take_code(struct fota_host *host, int code)
{
	bool is_own;

	if (host->step < STEP_START || host->outcome != FOTA_HOST_RUNNING) { return; }
	host->code = code;
	host->is_part_kept = host->is_part_kept || code == CODE_PARTIAL;
	emit(host,
	     &(struct fota_host_event) { .kind = FOTA_HOST_CODE, .code = code, .info = fota_host_code_find(code) });
	if (is_waiting(host)) { host->deadline_ms = host->now_ms + step_ms(host); }
	if (!is_final_code(code)) { return; }
	/* The 307 that our own stop brought about is told as that stop. */
	is_own = code == CODE_CANCELLED && host->stop_reason == FOTA_HOST_TIMEOUT;
	settle_outcome(host, is_own ? FOTA_HOST_TIMEOUT : FOTA_HOST_DONE_CODE);
	if (is_waiting(host)) { enter(host, STEP_PROGRESS_OFF); }
}

static void take_progress(const struct fota_host *host, const uint64_t *numbers)
{
	if (host->step < STEP_START || host->outcome != FOTA_HOST_RUNNING) { return; }
	emit(host, &(struct fota_host_event) {
			   .kind = FOTA_HOST_MOVED, .received_bytes = numbers[0], .total_bytes = numbers[1] });
}

/* What SIMCom modules say when they have started. */
static bool is_boot_line(const char *line)
{
	return strcmp(line, "RDY") == 0 || is_prefix(line, "*ATREADY:");
}

static void take_result(struct fota_host *host, const char *line)
{
	uint64_t numbers[2];

	if (read_numbers(line, "+CSCFOTA", numbers, 1)) {
		take_code(host, numbers[0] <= 9999 ? (int)numbers[0] : CODE_UNKNOWN);
	} else if (read_numbers(line, "+FOTAPROG", numbers, 2)) {
		take_progress(host, numbers);
	} else if (host->step >= STEP_FOLLOW && is_boot_line(line)) {
		end(host, FOTA_HOST_RESTARTED);
	} else if (host->step == STEP_ERRORS_READ && read_numbers(line, "+CMEE", numbers, 1)) {
		if (!host->is_cmee_changed && numbers[0] <= INT16_MAX) { host->cmee = (int16_t)numbers[0]; }
	} else if (host->step == STEP_PROBE && read_numbers(line, "+CAPFOTA", numbers, 1) && numbers[0] == 0) {
		settle_outcome(host, FOTA_HOST_RESTARTED);
	}
}

static void take_ok(struct fota_host *host)
{
	if (host->step == STEP_PROGRESS_ON) { host->has_progress = true; }
	if (host->step == STEP_START) { emit(host, &(struct fota_host_event) { .kind = FOTA_HOST_ACCEPTED }); }
	go(host, rows[host->step].on_ok);
}

static void copy_refusal(struct fota_host *host, const char *line)
{
	size_t len = strlen(line);

	if (len >= sizeof(host->refusal)) { len = sizeof(host->refusal) - 1; }
	memcpy(host->refusal, line, len);
	host->refusal[len] = '\0';
}

static void take_error(struct fota_host *host, const char *line)
{
	uint64_t number;

	if (rows[host->step].on_error == TO_REFUSED) {
		bool has_number = read_numbers(line, "+CME ERROR", &number, 1) && number <= 9999;

		host->code = has_number ? (int)number : 0;
		copy_refusal(host, line);
	}
	go(host, rows[host->step].on_error);
}

static bool is_error(const char *line)
{
	return strcmp(line, "ERROR") == 0 || is_prefix(line, "+CME ERROR:") || is_prefix(line, "+CMS ERROR:");
}

/* A final result while nothing is asked is late, or meant for somebody else. */
static void take_final(struct fota_host *host, const char *line)
{
	if (is_waiting(host)) { return; }
	if (strcmp(line, "OK") == 0) {
		take_ok(host);
	} else if (is_error(line)) {
		take_error(host, line);
	}
}

static bool is_ending(const char *line, const char *end_text)
{
	size_t len = strlen(line), end_len = strlen(end_text);

	return len >= end_len && strcmp(line + len - end_len, end_text) == 0;
}

/* Noise may stand in front of an echo. No answer has a command in it, but the bare AT
 * could be the end of a word. */
static bool is_echo(const struct fota_host *host, const char *line)
{
	if (is_waiting(host)) { return false; }
	if (host->step == STEP_SYNC) { return is_ending(line, "AT") || is_ending(line, "ATQ0V1"); }
	return strstr(line, rows[host->step].command) != NULL;
}

static void take_line(struct fota_host *host)
{
	if (is_echo(host, host->line)) { return; }
	emit(host, &(struct fota_host_event) { .kind = FOTA_HOST_LINE, .text = host->line });
	take_result(host, host->line);
	if (host->step != STEP_END) { take_final(host, host->line); }
}

static bool is_noise(const struct fota_host *host, unsigned char byte)
{
	if (byte < 0x20 || byte == 0x7f) { return true; }
	return host->line_len == 0 && (byte == ' ' || byte >= 0x80);
}

/* Lines end at CR and at LF. Other control characters, and noise in front of the first
 * visible character, are dropped. */
static void take_byte(struct fota_host *host, unsigned char byte)
{
	if (byte != '\r' && byte != '\n') {
		if (is_noise(host, byte) || host->line_len == FOTA_HOST_LINE_BYTES) { return; }
		host->line[host->line_len++] = (char)byte;
		return;
	}
	if (host->line_len == 0) { return; }
	host->line[host->line_len] = '\0';
	host->line_len = 0;
	take_line(host);
}

/* ---- public ---- */

void fota_host_init(struct fota_host *host, const struct fota_host_cfg *cfg, uint32_t now_ms)
{
	*host = (struct fota_host) { .cfg = *cfg, .now_ms = now_ms, .cmee = -1 };
	set_defaults(&host->cfg.limits);
	host->session_deadline_ms = now_ms + host->cfg.limits.session_ms;
	enter(host, STEP_SYNC);
}

void fota_host_feed(struct fota_host *host, const void *bytes, size_t len, uint32_t now_ms)
{
	const unsigned char *at = bytes;

	host->now_ms = now_ms;
	if (len) { host->silent_probes = 0; }
	/* Waiting for silence means that every byte starts the wait again. */
	if (len && (host->step == STEP_SETTLE || (host->step == STEP_FOLLOW && host->code != CODE_PARTIAL))) {
		host->deadline_ms = now_ms + step_ms(host);
	}
	for (size_t i = 0; i < len && host->step != STEP_END; i++) {
		take_byte(host, at[i]);
	}
}

static void stop(struct fota_host *host, enum fota_host_outcome reason)
{
	if (host->is_stopping || host->step == STEP_END || host->outcome != FOTA_HOST_RUNNING) { return; }
	host->is_stopping = true;
	host->stop_reason = (uint8_t)reason;
	if (host->step <= STEP_SETTLE) {
		end(host, reason);
	} else if (host->step == STEP_FOLLOW) {
		enter(host, STEP_CANCEL);
	}
	/* Any other step is left when its answer comes. */
}

static void be_silent(struct fota_host *host)
{
	if (host->step == STEP_FOLLOW && host->code == CODE_PARTIAL) {
		settle_outcome(host, FOTA_HOST_DONE_CODE);
		enter(host, STEP_PROGRESS_OFF);
		return;
	}
	if (host->step == STEP_PROBE && ++host->silent_probes >= SILENT_PROBE_MAX) {
		go(host, TO_NO_ANSWER);
		return;
	}
	go(host, rows[host->step].on_silence);
}

void fota_host_tick(struct fota_host *host, uint32_t now_ms)
{
	host->now_ms = now_ms;
	if (is_past(now_ms, host->session_deadline_ms)) { stop(host, FOTA_HOST_TIMEOUT); }
	if (host->step != STEP_END && is_past(now_ms, host->deadline_ms)) { be_silent(host); }
}

void fota_host_cancel(struct fota_host *host, uint32_t now_ms)
{
	host->now_ms = now_ms;
	stop(host, FOTA_HOST_CANCELLED);
}

void fota_host_gone(struct fota_host *host)
{
	end(host, FOTA_HOST_GONE);
}

void fota_host_abandon(struct fota_host *host)
{
	end(host, FOTA_HOST_CANCELLED);
}

uint32_t fota_host_wait_ms(const struct fota_host *host, uint32_t now_ms)
{
	uint32_t wait_ms = is_past(now_ms, host->deadline_ms) ? 0 : host->deadline_ms - now_ms;
	uint32_t left_ms = is_past(now_ms, host->session_deadline_ms) ? 0 : host->session_deadline_ms - now_ms;

	/* the session's limit has nothing to stop once its end is decided */
	if (host->is_stopping || host->outcome != FOTA_HOST_RUNNING) { return wait_ms; }
	return left_ms < wait_ms ? left_ms : wait_ms;
}

bool fota_host_is_ended(const struct fota_host *host)
{
	return host->step == STEP_END;
}
