/* SPDX-License-Identifier: Apache-2.0 */
/* The helper writes a command in pieces and tells lines as they came; here the pieces
 * become one command, and both lose the secret before anybody sees them. */
#include "module_session.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void emit(struct module_session *s, const struct module_event *event)
{
	s->cfg.event(s->cfg.event_ctx, event);
}

/* ---- commands ---- */

static void send_command(struct module_session *s)
{
	char wire[AT_COMMAND_MAX_BYTES + 2];
	char shown[AT_COMMAND_MAX_BYTES + 1];
	struct module_event event = { .kind = MODULE_EVENT_SEND, .text = shown };

	memcpy(shown, s->sent.text, s->sent.len + 1);
	at_mask(shown, s->cfg.request.secret);
	memcpy(wire, s->sent.text, s->sent.len);
	wire[s->sent.len] = '\r';
	event.send = (struct fota_bytes) { (const uint8_t *)wire, s->sent.len + 1 };
	emit(s, &event);
	explicit_bzero(wire, sizeof wire);
	explicit_bzero(&s->sent, sizeof s->sent);
}

static void take_piece(void *ctx, const char *bytes, size_t len)
{
	struct module_session *s = ctx;
	bool is_end = bytes[len - 1] == '\r';
	char piece[AT_COMMAND_MAX_BYTES + 1];

	len -= is_end ? 1 : 0;
	if (len > AT_COMMAND_MAX_BYTES) { len = AT_COMMAND_MAX_BYTES; } /* was checked before */
	memcpy(piece, bytes, len);
	piece[len] = '\0';
	at_command_add(&s->sent, piece);
	explicit_bzero(piece, sizeof piece);
	if (is_end) { send_command(s); }
}

/* ---- events ---- */

static enum module_outcome outcome_of(enum fota_host_outcome outcome)
{
	static const uint8_t outcomes[] = {
		[FOTA_HOST_RUNNING] = MODULE_OUTCOME_NONE,        [FOTA_HOST_DONE_CODE] = MODULE_OUTCOME_CODE,
		[FOTA_HOST_REFUSED] = MODULE_OUTCOME_REFUSED,     [FOTA_HOST_NO_ANSWER] = MODULE_OUTCOME_NO_ANSWER,
		[FOTA_HOST_RESTARTED] = MODULE_OUTCOME_RESTARTED, [FOTA_HOST_GONE] = MODULE_OUTCOME_GONE,
		[FOTA_HOST_TIMEOUT] = MODULE_OUTCOME_TIMEOUT,     [FOTA_HOST_CANCELLED] = MODULE_OUTCOME_CANCELLED,
	};

	return (enum module_outcome)outcomes[outcome];
}

static void take_text(struct module_session *s, enum module_event_kind kind, const struct fota_host_event *from)
{
	char shown[AT_LINE_MAX_BYTES + 1];

	snprintf(shown, sizeof shown, "%s", from->text);
	at_mask(shown, s->cfg.request.secret);
	emit(s, &(struct module_event) { .kind = kind,
					 .text = shown,
					 .step = from->step,
					 .code = from->code,
					 .outcome = outcome_of(from->outcome) });
}

static void take_event(void *ctx, const struct fota_host_event *event)
{
	struct module_session *s = ctx;

	switch (event->kind) {
	case FOTA_HOST_LINE:
		take_text(s, MODULE_EVENT_LINE, event);
		return;
	case FOTA_HOST_CODE:
		emit(s, &(struct module_event) { .kind = MODULE_EVENT_CODE, .code = event->code });
		return;
	case FOTA_HOST_MOVED:
		emit(s, &(struct module_event) { .kind = MODULE_EVENT_PROGRESS,
						 .received_bytes = event->received_bytes,
						 .total_bytes = event->total_bytes });
		return;
	case FOTA_HOST_END:
		take_text(s, MODULE_EVENT_END, event);
		return;
	case FOTA_HOST_ACCEPTED:
		return; /* the transcript has the OK */
	}
}

/* ---- public ---- */

/* Longer parameters are no request of anybody who means well: a module's line is
 * shorter still. */
static bool is_too_long(const struct fota_host_request *request)
{
	const char *values[] = { request->oem, request->model, request->product, request->secret, request->target };
	struct at_command command;
	bool is_full;

	at_command_init(&command, "AT+CSCFOTA=");
	for (size_t i = 0; i < COUNT(values); i++) {
		at_command_add(&command, i ? "," : "");
		at_command_add_string(&command, values[i]);
	}
	is_full = command.is_full;
	explicit_bzero(&command, sizeof command);
	return is_full;
}

void module_session_init(struct module_session *s, const struct module_session_cfg *cfg, uint64_t now_ms)
{
	struct fota_host_cfg host_cfg = {
		.request = cfg->request,
		.limits = cfg->limits,
		.write = take_piece,
		.event = take_event,
		.ctx = s,
	};

	*s = (struct module_session) { .cfg = *cfg };
	s->is_too_long = is_too_long(&cfg->request);
	if (s->is_too_long) {
		emit(s, &(struct module_event) { .kind = MODULE_EVENT_END,
						 .text = "",
						 .step = "starting the session",
						 .outcome = MODULE_OUTCOME_TOO_LONG });
		return;
	}
	fota_host_init(&s->host, &host_cfg, (uint32_t)now_ms);
}

void module_session_feed(struct module_session *s, struct fota_bytes bytes, uint64_t now_ms)
{
	if (!s->is_too_long) { fota_host_feed(&s->host, bytes.ptr, bytes.len, (uint32_t)now_ms); }
}

void module_session_tick(struct module_session *s, uint64_t now_ms)
{
	if (!s->is_too_long) { fota_host_tick(&s->host, (uint32_t)now_ms); }
}

void module_session_cancel(struct module_session *s, uint64_t now_ms)
{
	if (!s->is_too_long) { fota_host_cancel(&s->host, (uint32_t)now_ms); }
}

void module_session_gone(struct module_session *s)
{
	if (!s->is_too_long) { fota_host_gone(&s->host); }
}

void module_session_abandon(struct module_session *s)
{
	if (!s->is_too_long) { fota_host_abandon(&s->host); }
}

uint64_t module_session_wait_ms(const struct module_session *s, uint64_t now_ms)
{
	return s->is_too_long ? 0 : fota_host_wait_ms(&s->host, (uint32_t)now_ms);
}

bool module_session_is_ended(const struct module_session *s)
{
	return s->is_too_long || fota_host_is_ended(&s->host);
}
