/* SPDX-License-Identifier: Apache-2.0 */
/* atfota module: what is done over a module's port. */
#include <string.h>

#include "cmd_install.h"
#include "command.h"
#include "file.h"
#include "module_limit.h"
#include "module_report.h"
#include "module_run.h"
#include "secret.h"

#define AT_TIMEOUT_MS 9000u /* SIMCom's maximum response time of the FOTA commands */
#define MODULE_PORT_OPT                                                                                \
	{                                                                                              \
		"port", TOOL_KEY(PORT), "PORT", 0, "Serial device, link of a PTY, or tcp:HOST:PORT", 0 \
	}
#define MODULE_BAUD_OPT                                                                            \
	{                                                                                          \
		"baud", TOOL_KEY(BAUD), "N", 0, "Baud rate of a serial device (default 115200)", 0 \
	}

/* What is sent has to be one command, and the arguments of a process are no place for
 * a secret. */
static enum tool_status check_command(const char *command, bool is_argument, struct tool_error *err)
{
	if (strncasecmp(command, "AT", 2) != 0 && strcasecmp(command, "A/") != 0) {
		return tool_fail(err, TOOL_STATUS_FAIL, "'%s' does not begin with AT", command);
	}
	for (const char *at = command; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			return tool_fail(err, TOOL_STATUS_FAIL, "the command has a control character in it");
		}
	}
	if (is_argument && (strcasestr(command, "CSCFOTA=\"") || strcasestr(command, "FOTACHECK=\""))) {
		return tool_fail(err, TOOL_STATUS_FAIL,
				 "a secret does not belong on the argument list, where others can read it: use 'atfota "
				 "module upgrade', or give the command on standard input with '-'");
	}
	return TOOL_STATUS_OK;
}

struct at_output {
	json_t *lines; /* NULL: print them */
	char last[AT_LINE_MAX_BYTES + 1];
};

static void take_line(void *ctx, const char *text)
{
	struct at_output *output = ctx;

	snprintf(output->last, sizeof output->last, "%s", text);
	tool_make_plain(output->last);
	if (output->lines) {
		json_array_append_new(output->lines, json_string(output->last));
		return;
	}
	fputs(output->last, stdout);
	putchar('\n');
	fflush(stdout);
}

static enum tool_status explain_answer(const struct module_answer *answer, const char *last, struct tool_error *err)
{
	if (answer->is_gone) { return tool_fail(err, TOOL_STATUS_MODULE, "the port closed; the module is gone"); }
	if (answer->final == AT_FINAL_NONE) {
		return tool_fail(err, TOOL_STATUS_MODULE,
				 "no answer in time; check port, baud rate and power, or raise --timeout");
	}
	if (answer->final == AT_FINAL_OK || answer->final == AT_FINAL_CONNECT) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_MODULE, "the module refuses: %s", last);
}

static enum tool_status ask(struct module_port *port, const char *command, uint32_t limit_ms, bool is_json,
			    struct tool_error *err)
{
	struct at_output output = { .lines = is_json ? json_array() : NULL };
	struct module_answer answer = module_ask(port, command, limit_ms, take_line, &output);
	enum tool_status status = explain_answer(&answer, output.last, err);
	json_t *root;

	if (!is_json) { return status; }
	root = json_pack("{s:i, s:o}", "status", (int)status, "lines", output.lines);
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return status;
}

static enum tool_status run_at(const struct tool_args *args, struct tool_error *err)
{
	bool is_stdin = strcmp(args->pos[0], "-") == 0;
	uint32_t limit_ms = module_limit_ms(args->opt[TOOL_OPT_TIMEOUT], AT_TIMEOUT_MS);
	char command[AT_COMMAND_MAX_BYTES];
	struct module_port port;
	enum tool_status status;

	if (limit_ms == 0) { return module_limit_bad(args->opt[TOOL_OPT_TIMEOUT], err); }
	if (!is_stdin && strlen(args->pos[0]) >= sizeof command) {
		return tool_fail(err, TOOL_STATUS_FAIL, "the command is too long");
	}
	if (!is_stdin) { strcpy(command, args->pos[0]); }
	status = is_stdin ? tool_file_read("-", command, sizeof command, err) : TOOL_STATUS_OK;
	if (!status) { status = check_command(command, !is_stdin, err); }
	if (!status) { status = module_port_open(&port, args->opt[TOOL_OPT_PORT], args->opt[TOOL_OPT_BAUD], err); }
	if (status) { return status; }
	status = ask(&port, command, limit_ms, args->opt[TOOL_OPT_JSON] != NULL, err);
	module_port_close(&port);
	explicit_bzero(command, sizeof command);
	return status;
}

static enum tool_status upgrade(const struct tool_args *args, struct module_session_cfg *cfg, struct tool_error *err)
{
	struct module_report report;
	struct module_port port;
	enum tool_status status = module_port_open(&port, args->opt[TOOL_OPT_PORT], args->opt[TOOL_OPT_BAUD], err);

	if (status) { return status; }
	module_report_init(&report, cfg->request.target, args->opt[TOOL_OPT_JSON] != NULL,
			   args->opt[TOOL_OPT_TRANSCRIPT] != NULL);
	cfg->event = module_report_event;
	cfg->event_ctx = &report;
	status = module_run(&port, cfg, &report.message);
	module_port_close(&port);
	report.status = status ? status : report.status;
	return module_report_finish(&report, err);
}

static enum tool_status run_upgrade(const struct tool_args *args, struct tool_error *err)
{
	const struct tool_secret_source source = {
		.what = "product secret",
		.file = args->opt[TOOL_OPT_SECRET_FILE],
		.file_option = "--secret-file",
		.variable = "ATFOTA_PRODUCT_SECRET",
	};
	char secret[TOOL_SECRET_MAX_BYTES];
	struct module_session_cfg cfg = {
		.request = { .oem = args->opt[TOOL_OPT_OEM],
			     .model = args->opt[TOOL_OPT_MODEL],
			     .product = args->opt[TOOL_OPT_PRODUCT],
			     .secret = secret,
			     .target = args->opt[TOOL_OPT_TARGET] },
		.limits = { .session_ms = module_limit_ms(args->opt[TOOL_OPT_TIMEOUT], 0) },
	};
	enum tool_status status;

	if (args->opt[TOOL_OPT_TIMEOUT] && cfg.limits.session_ms == 0) {
		return module_limit_bad(args->opt[TOOL_OPT_TIMEOUT], err);
	}
	status = tool_secret_get(&source, secret, sizeof secret, err);
	if (!status) { status = upgrade(args, &cfg, err); }
	explicit_bzero(secret, sizeof secret);
	return status;
}

static const struct argp_option at_options[] = {
	MODULE_PORT_OPT,
	MODULE_BAUD_OPT,
	{ "timeout", TOOL_KEY(TIMEOUT), "S", 0, "Seconds to wait for the answer (default 9)", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};

static const struct argp_option install_options[] = {
	MODULE_PORT_OPT,
	MODULE_BAUD_OPT,
	{ "confirm", TOOL_KEY(CONFIRM), NULL, 0, "Keep the new version as soon as it runs", 0 },
	{ "timeout", TOOL_KEY(TIMEOUT), "S", 0, "Seconds until the module is back (default 600)", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};

static const struct argp_option trial_options[] = {
	MODULE_PORT_OPT,
	MODULE_BAUD_OPT,
	{ "timeout", TOOL_KEY(TIMEOUT), "S", 0, "Seconds until the module is done (default 600)", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};

static const struct argp_option upgrade_options[] = {
	MODULE_PORT_OPT,
	MODULE_BAUD_OPT,
	{ "oem", TOOL_KEY(OEM), "NAME", 0, "OEM, as on the platform", 0 },
	{ "model", TOOL_KEY(MODEL), "NAME", 0, "Model, as on the platform", 0 },
	{ "product", TOOL_KEY(PRODUCT), "ID", 0, "Product ID", 0 },
	{ "secret-file", TOOL_KEY(SECRET_FILE), "FILE", 0,
	  "File with the product secret, - for standard input [ATFOTA_PRODUCT_SECRET, else a prompt]", 0 },
	{ "target", TOOL_KEY(TARGET), "VERSION", 0, "Version to upgrade to", 0 },
	{ "timeout", TOOL_KEY(TIMEOUT), "S", 0, "Seconds for the whole session (default 3900)", 0 },
	{ "transcript", TOOL_KEY(TRANSCRIPT), NULL, 0, "Show each line to and from the module (never the secret)", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};

const struct tool_command tool_module_commands[] = {
	{ .name = "at",
	  .args_doc = "COMMAND",
	  .doc = "Send one AT command and print the answer",
	  .options = at_options,
	  .required = TOOL_NEED(PORT),
	  .pos_min = 1,
	  .pos_max = 1,
	  .where = 'm',
	  .run = run_at },
	{ .name = "upgrade",
	  .doc = "Bring a version onto a module by AT+CAPFOTA and AT+CSCFOTA",
	  .options = upgrade_options,
	  .required = TOOL_NEED(PORT) | TOOL_NEED(OEM) | TOOL_NEED(MODEL) | TOOL_NEED(PRODUCT) | TOOL_NEED(TARGET),
	  .where = 'm',
	  .run = run_upgrade },
	{ .name = "install",
	  .doc = "Install what was downloaded: AT+FOTAINSTALL, through the restart",
	  .options = install_options,
	  .required = TOOL_NEED(PORT),
	  .where = 'm',
	  .run = run_module_install },
	{ .name = "confirm",
	  .doc = "Keep the version that is on trial",
	  .options = trial_options,
	  .required = TOOL_NEED(PORT),
	  .where = 'm',
	  .run = run_module_confirm },
	{ .name = "roll-back",
	  .doc = "Go back from the version that is on trial",
	  .options = trial_options,
	  .required = TOOL_NEED(PORT),
	  .where = 'm',
	  .run = run_module_roll_back },
	{ 0 },
};
