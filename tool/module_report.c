/* SPDX-License-Identifier: Apache-2.0 */
#include "module_report.h"

#include <string.h>

#include "fota/code.h"

/* Numbers of +CME ERROR below this are those of 3GPP TS 27.007, not result codes. */
#define FOTA_CME_FIRST 300

struct number_text {
	int number;
	const char *text;
};

/* The ones of TS 27.007 9.2.1 that a command of ours can meet. */
static const struct number_text cme_texts[] = {
	{ 0, "phone failure" },
	{ 3, "operation not allowed" },
	{ 4, "operation not supported" },
	{ 10, "SIM not inserted" },
	{ 13, "SIM failure" },
	{ 14, "SIM busy" },
	{ 20, "memory full" },
	{ 22, "not found" },
	{ 23, "memory failure" },
	{ 30, "no network service" },
	{ 31, "network timeout" },
	{ 50, "incorrect parameters" },
	{ 51, "command disabled" },
	{ 52, "command aborted" },
	{ 100, "unknown" },
};

static const char *cme_text(int number)
{
	for (size_t i = 0; i < sizeof cme_texts / sizeof *cme_texts; i++) {
		if (cme_texts[i].number == number) { return cme_texts[i].text; }
	}
	return "not a number of 3GPP TS 27.007";
}

struct class_row {
	enum fota_code_class code_class;
	enum tool_status status;
};

/* P ends a session only as code 4 without anything after it. */
static const struct class_row class_rows[] = {
	{ FOTA_CODE_CLASS_P, TOOL_STATUS_RETRY },
	{ FOTA_CODE_CLASS_E, TOOL_STATUS_CANCELLED },
	{ FOTA_CODE_CLASS_R, TOOL_STATUS_RETRY },
	{ FOTA_CODE_CLASS_X, TOOL_STATUS_CHANGE },
};

static enum tool_status status_of(const struct fota_code_info *info)
{
	if (info->number == FOTA_CODE_DOWNLOADED) { return TOOL_STATUS_OK; }
	if (info->number == FOTA_CODE_NO_VERSION) { return TOOL_STATUS_NOTHING; }
	for (size_t i = 0; i < sizeof class_rows / sizeof *class_rows; i++) {
		if (class_rows[i].code_class == info->code_class) { return class_rows[i].status; }
	}
	return TOOL_STATUS_FAIL;
}

static enum tool_status explain_code(const struct module_event *end, struct tool_error *message)
{
	const struct fota_code_info *info = fota_code_find(end->code);

	if (!info) {
		return tool_fail(message, TOOL_STATUS_MODULE,
				 "the module ended with code %d, which is no known result code; ask its maker",
				 end->code);
	}
	if (info->number == FOTA_CODE_DOWNLOADED) { return TOOL_STATUS_OK; }
	return tool_fail(message, status_of(info), "code %d, %s: %s", info->number, info->text,
			 fota_code_advice(info->number));
}

static enum tool_status explain_refusal(const struct module_event *end, struct tool_error *message)
{
	const struct fota_code_info *info = end->code >= FOTA_CME_FIRST ? fota_code_find(end->code) : NULL;

	if (info) {
		return tool_fail(message, status_of(info), "refused while %s: code %d, %s: %s", end->step, info->number,
				 info->text, fota_code_advice(info->number));
	}
	if (end->code > 0) {
		return tool_fail(message, TOOL_STATUS_MODULE, "the module refuses while %s: %s (%s)", end->step,
				 end->text, cme_text(end->code));
	}
	return tool_fail(message, TOOL_STATUS_MODULE,
			 "the module answers %s while %s and gives no reason; check that it has AT+CAPFOTA and "
			 "AT+CSCFOTA, and the parameters",
			 end->text, end->step);
}

struct outcome_row {
	enum module_outcome outcome;
	enum tool_status status;
	const char *format; /* one %s: the step */
};

static const struct outcome_row outcome_rows[] = {
	{ MODULE_OUTCOME_NO_ANSWER, TOOL_STATUS_MODULE,
	  "no answer from the module (%s); check port, baud rate and power, and that nobody else uses the port" },
	{ MODULE_OUTCOME_RESTARTED, TOOL_STATUS_RETRY,
	  "the module restarted (%s) and lost the session; start it again, a stored part is kept" },
	{ MODULE_OUTCOME_GONE, TOOL_STATUS_MODULE,
	  "the port closed (%s): the module was unplugged, restarted or ended; start again when it is back" },
	{ MODULE_OUTCOME_TIMEOUT, TOOL_STATUS_RETRY,
	  "the time limit is over (%s) and the session was cancelled; start it again to go on, or raise --timeout" },
	{ MODULE_OUTCOME_CANCELLED, TOOL_STATUS_CANCELLED,
	  "cancelled (%s) without a final code of the module; AT+CAPFOTA=0 stops what may still run" },
	{ MODULE_OUTCOME_TOO_LONG, TOOL_STATUS_CHANGE,
	  "the parameters are too long for one command (%s); shorten them" },
};

enum tool_status module_report_explain(const struct module_event *end, struct tool_error *message)
{
	message->text[0] = '\0';
	if (end->outcome == MODULE_OUTCOME_CODE) { return explain_code(end, message); }
	if (end->outcome == MODULE_OUTCOME_REFUSED) { return explain_refusal(end, message); }
	for (size_t i = 0; i < sizeof outcome_rows / sizeof *outcome_rows; i++) {
		if (outcome_rows[i].outcome != end->outcome) { continue; }
		snprintf(message->text, sizeof message->text, outcome_rows[i].format, end->step);
		return outcome_rows[i].status;
	}
	return tool_fail(message, TOOL_STATUS_FAIL, "the session ended without a reason");
}

void module_report_init(struct module_report *report, const char *target, bool is_json, bool is_transcript)
{
	FILE *out = is_json ? stderr : stdout;

	*report = (struct module_report) {
		.out = out,
		.is_json = is_json,
		.is_transcript = is_transcript,
		.target = target,
		.codes = json_array(),
		.begin_ms = tool_now_ms(),
		.status = TOOL_STATUS_FAIL,
	};
	/* The transcript has the module's own progress lines. */
	tool_progress_init(&report->progress, is_transcript ? NULL : out, "Download");
}

static void print_line(struct module_report *report, const char *before, const char *text)
{
	tool_progress_clear(&report->progress);
	fputs(before, report->out);
	tool_print_plain(report->out, text);
	fputc('\n', report->out);
	fflush(report->out);
}

static void take_code(struct module_report *report, int code)
{
	const struct fota_code_info *info = fota_code_find(code);
	char line[160];

	json_array_append_new(report->codes, json_integer(code));
	if (report->is_transcript) { return; } /* it has the line itself */
	snprintf(line, sizeof line, "+CSCFOTA: %d  %s", code, info ? info->text : "unknown");
	print_line(report, "", line);
}

static void take_progress(struct module_report *report, const struct module_event *event)
{
	report->received_bytes = event->received_bytes;
	report->total_bytes = event->total_bytes;
	if (event->total_bytes) { tool_progress_set(&report->progress, event->received_bytes, event->total_bytes); }
}

void module_report_event(void *ctx, const struct module_event *event)
{
	struct module_report *report = ctx;

	switch (event->kind) {
	case MODULE_EVENT_SEND:
	case MODULE_EVENT_LINE:
		if (!report->is_transcript) { return; }
		print_line(report, event->kind == MODULE_EVENT_SEND ? "> " : "< ", event->text);
		return;
	case MODULE_EVENT_CODE:
		take_code(report, event->code);
		return;
	case MODULE_EVENT_PROGRESS:
		take_progress(report, event);
		return;
	case MODULE_EVENT_END:
		tool_progress_clear(&report->progress);
		report->code = event->code;
		report->status = module_report_explain(event, &report->message);
		tool_make_plain(report->message.text); /* it may quote the module */
		return;
	}
}

static void print_json(const struct module_report *report)
{
	const struct fota_code_info *info = fota_code_find(report->code);
	const char *message = report->message.text[0] ? report->message.text : "done";
	json_t *root = json_pack("{s:i, s:s, s:i, s:O, s:I, s:I, s:f}", "status", (int)report->status, "message",
				 message, "code", report->code, "codes", report->codes, "received",
				 (json_int_t)report->received_bytes, "total", (json_int_t)report->total_bytes,
				 "seconds", (double)(tool_now_ms() - report->begin_ms) / 1000);

	/* Left out if it is no UTF-8: modules take any bytes, JSON does not. */
	json_object_set_new(root, "target", json_string(report->target));
	if (root && info) {
		json_object_set_new(root, "text", json_string(info->text));
		json_object_set_new(root, "advice", json_string(fota_code_advice(info->number)));
	}
	if (root) { json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)); }
	putchar('\n');
	json_decref(root);
}

enum tool_status module_report_finish(struct module_report *report, struct tool_error *err)
{
	if (report->is_json) { print_json(report); }
	if (report->status == TOOL_STATUS_OK && !report->is_json) {
		print_line(report, "Done, the module has the package, stored and verified: ", report->target);
	}
	json_decref(report->codes);
	*err = report->message;
	return report->status;
}
