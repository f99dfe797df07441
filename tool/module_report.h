/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs are told about an upgrade: its events as they come, and
 * its end as a status with advice. */
#ifndef TOOL_MODULE_REPORT_H
#define TOOL_MODULE_REPORT_H

#include <jansson.h>

#include "module_session.h"
#include "progress.h"
#include "status.h"

struct module_report {
	/* private */
	FILE *out; /* for people; standard error if JSON is asked for */
	bool is_json;
	bool is_transcript;
	const char *target;
	struct tool_progress progress;
	json_t *codes;
	uint64_t received_bytes, total_bytes;
	uint64_t begin_ms;
	enum tool_status status;
	struct tool_error message; /* empty if the upgrade is done */
	int code;
};

/* Keeps `target`. */
void module_report_init(struct module_report *report, const char *target, bool is_json, bool is_transcript);

/* Takes an event; `ctx` is the report. */
void module_report_event(void *ctx, const struct module_event *event);

/* Prints how it ended, frees, and gives the exit status; *err gets what went wrong. */
enum tool_status module_report_finish(struct module_report *report, struct tool_error *err);

/* The status of an end. Fills `message` with what happened and what to do next. */
enum tool_status module_report_explain(const struct module_event *end, struct tool_error *message);

#endif
