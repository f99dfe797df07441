/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the host's side of an upgrade with what a module might say. Each byte comes
 * from the module, but for OP, after which the next byte is an operation: silence,
 * a little time, or a cancellation.
 *
 * Properties: the secret is in nothing that is shown; the command with it is sent
 * once at most; the end is the last event, and a cancellation leads to it; what
 * was changed on the line is put back if the session ended with an answer, but for a
 * module that has restarted: it forgot by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module_session.h"

#define OP        0xfe
#define SECRET    "f9bbb0d76f894da090b6b69253616561"
#define TURNS_MAX 40u /* from a cancellation to the end */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct rig {
	struct module_session session;
	uint64_t now_ms;
	unsigned start_count, end_count;
	bool is_cmee_on;
};

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

static void take_command(struct rig *rig, const char *text)
{
	if (strncmp(text, "AT+CSCFOTA=", 11) == 0) { rig->start_count++; }
	if (strncmp(text, "AT+CMEE=", 8) == 0) { rig->is_cmee_on = strcmp(text, "AT+CMEE=1") == 0; }
	require(rig->start_count <= 1, "the command is sent once");
}

static void take_end(struct rig *rig, const struct module_event *event)
{
	bool is_answered = event->outcome == MODULE_OUTCOME_CODE || event->outcome == MODULE_OUTCOME_REFUSED;

	rig->end_count++;
	require(event->step && *event->step, "the end names its step");
	require(!is_answered || !rig->is_cmee_on, "the error mode is put back");
}

static bool is_boot_line(const char *line)
{
	return strcmp(line, "RDY") == 0 || strncmp(line, "*ATREADY:", 9) == 0;
}

static void take_event(void *ctx, const struct module_event *event)
{
	struct rig *rig = ctx;

	require(rig->end_count == 0, "the end is the last event");
	require(!event->text || !strstr(event->text, SECRET), "the secret is not shown");
	if (event->kind == MODULE_EVENT_SEND) { take_command(rig, event->text); }
	if (event->kind == MODULE_EVENT_LINE && is_boot_line(event->text)) { rig->is_cmee_on = false; }
	if (event->kind == MODULE_EVENT_END) { take_end(rig, event); }
}

static void be_silent(struct rig *rig)
{
	rig->now_ms += module_session_wait_ms(&rig->session, rig->now_ms);
	module_session_tick(&rig->session, rig->now_ms);
	require(rig->end_count || module_session_wait_ms(&rig->session, rig->now_ms) > 0,
		"a tick leaves nothing to do now");
}

static void operate(struct rig *rig, uint8_t op)
{
	switch (op % 4) {
	case 0:
		be_silent(rig);
		return;
	case 1:
		module_session_cancel(&rig->session, rig->now_ms);
		return;
	default:
		rig->now_ms += op;
		module_session_tick(&rig->session, rig->now_ms);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rig rig = { .now_ms = 1 };
	const struct module_session_cfg cfg = {
		.request = { "SIMCOM", "7600M21", "1540907004", SECRET, "V2" },
		.event = take_event,
		.event_ctx = &rig,
	};

	module_session_init(&rig.session, &cfg, rig.now_ms);
	for (size_t i = 0; i < len; i++) {
		if (data[i] == OP && i + 1 < len) {
			operate(&rig, data[++i]);
		} else {
			module_session_feed(&rig.session, (struct fota_bytes) { &data[i], 1 }, rig.now_ms);
		}
	}
	module_session_cancel(&rig.session, rig.now_ms);
	for (unsigned turn = 0; rig.end_count == 0; turn++) {
		require(turn < TURNS_MAX, "a cancellation leads to the end");
		be_silent(&rig);
	}
	return 0;
}
