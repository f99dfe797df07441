/* SPDX-License-Identifier: Apache-2.0 */
/* atfota module install, confirm, roll-back: what comes after the download.
 *
 * The module restarts on the way. Its port may fall silent, lose what was being sent, or
 * vanish and come back (USB); so nothing waits for one line: the state is asked for until it
 * is the one that was wanted, or another that ends the matter. */
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_install.h"
#include "fota/code.h"
#include "module_limit.h"
#include "module_run.h"
#include "progress.h"

#define ANSWER_MS     2000u
#define PAUSE_MS      500u
#define INSTALL_MS    600000u
#define STATE_PREFIX  "+FOTASTATE: "
#define RESULT_PREFIX "+FOTARESULT: "

/* As AT+FOTASTATE? numbers them. */
enum {
	STATE_UNKNOWN = -1,
	STATE_IDLE = 0,
	STATE_CHECKING = 1,
	STATE_VERIFYING = 3,
	STATE_READY = 4,
	STATE_INSTALLING = 5,
	STATE_TRIAL = 6,
};

struct visit {
	const struct tool_args *args;
	struct module_port port;
	uint64_t end_ms;
	char line[AT_LINE_MAX_BYTES + 1]; /* the last one that began with `prefix` */
	const char *prefix;
	int wanted; /* the result that was asked for: 0, or 307 of a roll-back */
	bool is_open;
};

static void take_line(void *ctx, const char *text)
{
	struct visit *visit = ctx;

	if (strncmp(text, visit->prefix, strlen(visit->prefix)) != 0) { return; }
	snprintf(visit->line, sizeof visit->line, "%s", text + strlen(visit->prefix));
	tool_make_plain(visit->line);
}

static enum tool_status open_port(struct visit *visit, struct tool_error *err)
{
	const struct tool_args *args = visit->args;
	enum tool_status status =
		module_port_open(&visit->port, args->opt[TOOL_OPT_PORT], args->opt[TOOL_OPT_BAUD], err);

	visit->is_open = !status;
	return status;
}

static void close_port(struct visit *visit)
{
	if (visit->is_open) { module_port_close(&visit->port); }
	visit->is_open = false;
}

/* False if there was no final result; visit->line is what began with `prefix`, or empty. */
static bool ask(struct visit *visit, const char *command, const char *prefix, struct module_answer *answer)
{
	struct tool_error ignored;

	visit->prefix = prefix;
	visit->line[0] = '\0';
	*answer = (struct module_answer) { .final = AT_FINAL_NONE };
	if (!visit->is_open && open_port(visit, &ignored)) { return false; }
	*answer = module_ask(&visit->port, command, ANSWER_MS, take_line, visit);
	if (answer->is_gone) { close_port(visit); }
	return answer->final != AT_FINAL_NONE;
}

static int ask_state(struct visit *visit)
{
	struct module_answer answer;

	if (!ask(visit, "AT+FOTASTATE?", STATE_PREFIX, &answer) || !visit->line[0]) { return STATE_UNKNOWN; }
	return atoi(visit->line);
}

/* Why a command was refused, by the state that the module is in. */
static const struct {
	int first, last;
	enum tool_status status;
	const char *install, *trial;
} refusals[] = {
	{ STATE_IDLE, STATE_IDLE, TOOL_STATUS_CHANGE,
	  "nothing is ready to be installed; 'atfota module upgrade' comes first", "no version is on trial" },
	{ STATE_CHECKING, STATE_VERIFYING, TOOL_STATUS_RETRY, "a session runs; wait for its end",
	  "no version is on trial" },
	{ STATE_READY, STATE_READY, TOOL_STATUS_RETRY, "the module is not ready for it; try again",
	  "a package is ready and not installed; 'atfota module install' comes first" },
	{ STATE_INSTALLING, STATE_INSTALLING, TOOL_STATUS_RETRY, "an installation is on its way; wait for its end",
	  "the installation is still on its way; try again" },
	{ STATE_TRIAL, STATE_TRIAL, TOOL_STATUS_CHANGE,
	  "a version is on trial; keep it with 'atfota module confirm' or leave it with 'atfota module roll-back' first",
	  "the module is not ready for it; try again" },
};

static enum tool_status explain_refusal(struct visit *visit, bool is_install, struct tool_error *err)
{
	char said[sizeof visit->line];
	int state;

	memcpy(said, visit->line, sizeof said);
	state = ask_state(visit);
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		if (state < refusals[i].first || state > refusals[i].last) { continue; }
		return tool_fail(err, refusals[i].status, "the module refuses (%s): %s", said,
				 is_install ? refusals[i].install : refusals[i].trial);
	}
	return tool_fail(err, TOOL_STATUS_MODULE, "the module refuses: %s; does it know AT+FOTASTATE?", said);
}

/* Sends the command that begins it. */
static enum tool_status begin(struct visit *visit, const char *command, bool is_install, struct tool_error *err)
{
	struct module_answer answer;

	if (!ask(visit, command, "", &answer)) {
		return tool_fail(err, TOOL_STATUS_MODULE,
				 "the module does not answer; check port, baud rate and power");
	}
	if (answer.final == AT_FINAL_OK) { return TOOL_STATUS_OK; }
	return explain_refusal(visit, is_install, err);
}

/* Until the state is none of an installation that goes on, and not `wait_in` any more. */
static enum tool_status await(struct visit *visit, int wait_in, struct tool_error *err)
{
	while (true) {
		int state = ask_state(visit);

		if (state != STATE_UNKNOWN && state != STATE_INSTALLING && state != wait_in) { return TOOL_STATUS_OK; }
		if (tool_now_ms() >= visit->end_ms) {
			return tool_fail(
				err, TOOL_STATUS_RETRY,
				state == STATE_UNKNOWN
					? "the module did not come back in time; look at its power, then ask it: "
					  "AT+FOTARESULT?"
					: "the module has not finished in time; ask it: AT+FOTARESULT?");
		}
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

static enum tool_status status_of(int code)
{
	const struct fota_code_info *info = fota_code_find(code);

	if (code == 0) { return TOOL_STATUS_OK; }
	if (code == FOTA_CODE_CANCELLED) { return TOOL_STATUS_CANCELLED; }
	return info && info->code_class == FOTA_CODE_CLASS_R ? TOOL_STATUS_RETRY : TOOL_STATUS_CHANGE;
}

static const struct {
	int code;
	const char *text;
} meanings[] = {
	{ FOTA_CODE_NONE, "the new version runs" },
	{ FOTA_CODE_UNKNOWN, "the installer of the module failed; read the module's log" },
	{ FOTA_CODE_VERIFY, "the image was damaged when the module started, the old version runs; download it again" },
	{ FOTA_CODE_CANCELLED, "rolled back by a host, the old version runs" },
	{ FOTA_CODE_ABORTED, "the new version did not stay up, the old one runs; read the module's log" },
	{ FOTA_CODE_INCOMPLETE, "the new version was not confirmed in time, the old one runs" },
};

static const char *meaning_of(int code)
{
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		if (meanings[i].code == code) { return meanings[i].text; }
	}
	return fota_code_find(code) ? fota_code_find(code)->text : "not known to this tool";
}

/* Prints how it ended. `line` is what AT+FOTARESULT? says behind its prefix. */
static enum tool_status tell(const struct visit *visit, bool is_on_trial, struct tool_error *err)
{
	int code = atoi(visit->line);
	enum tool_status status = code == visit->wanted ? TOOL_STATUS_OK : status_of(code);

	if (visit->args->opt[TOOL_OPT_JSON]) {
		json_t *root = json_pack("{s:i, s:i, s:b, s:s}", "status", (int)status, "code", code, "on_trial",
					 (int)is_on_trial, "text", meaning_of(code));

		json_dumpf(root, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(root);
	} else if (!status) {
		printf("Done, %s: %s\n", meaning_of(code), visit->line);
		if (is_on_trial) { puts("It is on trial: keep it with 'atfota module confirm', or it rolls back."); }
	}
	return status ? tool_fail(err, status, "%d: %s", code, meaning_of(code)) : status;
}

static enum tool_status finish(struct visit *visit, struct tool_error *err)
{
	bool is_on_trial = ask_state(visit) == STATE_TRIAL;
	struct module_answer answer;

	if (!ask(visit, "AT+FOTARESULT?", RESULT_PREFIX, &answer) || !visit->line[0]) {
		return tool_fail(err, TOOL_STATUS_MODULE,
				 "the module does not say how it ended; ask it: AT+FOTARESULT?");
	}
	return tell(visit, is_on_trial, err);
}

static enum tool_status confirm(struct visit *visit, struct tool_error *err)
{
	enum tool_status status = begin(visit, "AT+FOTACONFIRM=1", false, err);

	return status ? status : await(visit, STATE_TRIAL, err);
}

static enum tool_status install(struct visit *visit, struct tool_error *err)
{
	enum tool_status status = begin(visit, "AT+FOTAINSTALL", true, err);

	if (!status) { status = await(visit, STATE_INSTALLING, err); }
	if (!status && visit->args->opt[TOOL_OPT_CONFIRM] && ask_state(visit) == STATE_TRIAL) {
		status = confirm(visit, err);
	}
	return status ? status : finish(visit, err);
}

static enum tool_status keep(struct visit *visit, struct tool_error *err)
{
	enum tool_status status = confirm(visit, err);

	return status ? status : finish(visit, err);
}

/* What was asked for is no failure. */
static enum tool_status roll_back(struct visit *visit, struct tool_error *err)
{
	enum tool_status status = begin(visit, "AT+FOTACONFIRM=0", false, err);

	visit->wanted = FOTA_CODE_CANCELLED;
	if (!status) { status = await(visit, STATE_TRIAL, err); }
	return status ? status : finish(visit, err);
}

static enum tool_status visit_module(const struct tool_args *args,
				     enum tool_status (*act)(struct visit *visit, struct tool_error *err),
				     struct tool_error *err)
{
	struct visit visit = { .args = args };
	uint32_t limit_ms = module_limit_ms(args->opt[TOOL_OPT_TIMEOUT], INSTALL_MS);
	enum tool_status status;

	if (limit_ms == 0) { return module_limit_bad(args->opt[TOOL_OPT_TIMEOUT], err); }
	visit.end_ms = tool_now_ms() + limit_ms;
	status = open_port(&visit, err);
	if (!status) { status = act(&visit, err); }
	close_port(&visit);
	return status;
}

enum tool_status run_module_install(const struct tool_args *args, struct tool_error *err)
{
	return visit_module(args, install, err);
}

enum tool_status run_module_confirm(const struct tool_args *args, struct tool_error *err)
{
	return visit_module(args, keep, err);
}

enum tool_status run_module_roll_back(const struct tool_args *args, struct tool_error *err)
{
	return visit_module(args, roll_back, err);
}
