/* SPDX-License-Identifier: Apache-2.0 */
/* The file is lines of "name = value"; lines that are empty or begin with # do not
 * count. Names are rows of a table. */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define FILE_MAX_BYTES 8192u

struct text_row {
	const char *name;
	size_t offset, cap;
};

#define TEXT_ROW(field)                                                                             \
	{                                                                                           \
#field, offsetof(struct tool_config, field), sizeof((struct tool_config *)0)->field \
	}

static const struct text_row text_rows[] = { TEXT_ROW(server), TEXT_ROW(token), TEXT_ROW(ca) };

enum tool_status tool_config_path(char *path, size_t cap, struct tool_error *err)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int len;

	if (base && base[0] == '/') {
		len = snprintf(path, cap, "%s/atfota/config", base);
	} else if (home && *home) {
		len = snprintf(path, cap, "%s/.config/atfota/config", home);
	} else {
		return tool_fail(err, TOOL_STATUS_FAIL, "HOME is not set; set it or XDG_CONFIG_HOME");
	}
	return len > 0 && (size_t)len < cap ? TOOL_STATUS_OK : tool_fail(err, TOOL_STATUS_FAIL, "HOME is too long");
}

/* `text` without blanks at both ends. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1])) {
		text[--len] = '\0';
	}
	return text;
}

/* Unknown names are skipped: a newer version may have written them. */
static bool set_value(struct tool_config *config, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof text_rows / sizeof *text_rows; i++) {
		if (strcmp(text_rows[i].name, name) != 0) { continue; }
		if (strlen(value) >= text_rows[i].cap) { return false; }
		strcpy((char *)config + text_rows[i].offset, value);
	}
	if (strcmp(name, "allow-http") == 0) { config->allow_http = strcmp(value, "true") == 0; }
	return true;
}

enum tool_status tool_config_parse(char *text, struct tool_config *config, struct tool_error *err)
{
	char *rest = text;
	char *line;

	*config = (struct tool_config) { 0 };
	for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
		char *value = strchr(line, '=');

		line = trim(line);
		if (*line == '\0' || *line == '#') { continue; }
		if (value) { *value++ = '\0'; }
		if (!value || !set_value(config, trim(line), trim(value))) {
			return tool_fail(err, TOOL_STATUS_FAIL,
					 "line %u of the stored login cannot be used; run 'atfota login' again",
					 number);
		}
	}
	return TOOL_STATUS_OK;
}

/* An absent file is an empty one. */
static enum tool_status load(struct tool_config *config, struct tool_error *err)
{
	char path[PATH_MAX];
	char text[FILE_MAX_BYTES];
	enum tool_status status = tool_config_path(path, sizeof path, err);

	*config = (struct tool_config) { 0 };
	if (status) {
		err->text[0] = '\0';
		return TOOL_STATUS_OK;
	}
	if (access(path, F_OK) != 0) { return TOOL_STATUS_OK; }
	status = tool_file_read(path, text, sizeof text, err);
	if (!status) { status = tool_config_parse(text, config, err); }
	explicit_bzero(text, sizeof text);
	return status;
}

enum tool_status tool_config_store(const struct tool_config *config, struct tool_error *err)
{
	char path[PATH_MAX];
	char text[FILE_MAX_BYTES];
	enum tool_status status = tool_config_path(path, sizeof path, err);

	if (status) { return status; }
	snprintf(text, sizeof text, "# written by 'atfota login'\nserver = %s\ntoken = %s\nca = %s\nallow-http = %s\n",
		 config->server, config->token, config->ca, config->allow_http ? "true" : "false");
	status = tool_file_write(path, text, err);
	explicit_bzero(text, sizeof text);
	return status;
}

static const char *option_or_variable(const struct tool_args *args, enum tool_opt opt, const char *variable)
{
	const char *value = args->opt[opt] ? args->opt[opt] : getenv(variable);

	return value && *value ? value : NULL;
}

static void cut_slashes(char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/') {
		url[--len] = '\0';
	}
}

static enum tool_status set_text(char *field, size_t cap, const char *value, const char *what, struct tool_error *err)
{
	if (strlen(value) >= cap) { return tool_fail(err, TOOL_STATUS_FAIL, "%s is too long", what); }
	strcpy(field, value);
	return TOOL_STATUS_OK;
}

/* A certificate file is found from any folder later on. */
static enum tool_status set_ca(struct tool_config *config, const char *path, struct tool_error *err)
{
	if (!path) { return TOOL_STATUS_OK; }
	if (!realpath(path, config->ca)) {
		config->ca[0] = '\0';
		return tool_fail(err, TOOL_STATUS_FAIL, "cannot read %s, the certificates to trust", path);
	}
	return TOOL_STATUS_OK;
}

/* Chooses the server; what was stored for another one is forgotten. */
static enum tool_status choose_server(const struct tool_args *args, struct tool_config *config, struct tool_error *err)
{
	struct tool_config chosen = { 0 };
	const char *server = option_or_variable(args, TOOL_OPT_SERVER, "ATFOTA_SERVER");

	if (server && set_text(chosen.server, sizeof chosen.server, server, "the server's URL", err)) {
		return TOOL_STATUS_FAIL;
	}
	cut_slashes(chosen.server);
	if (server && strcmp(chosen.server, config->server) != 0) { *config = chosen; }
	if (*config->server) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL,
			 "no platform is known: run 'atfota login', or give --server or ATFOTA_SERVER");
}

static enum tool_status choose_token(const struct tool_args *args, bool is_login, struct tool_config *config,
				     struct tool_error *err)
{
	const struct tool_secret_source source = {
		.what = "token",
		.file = option_or_variable(args, TOOL_OPT_TOKEN_FILE, "ATFOTA_TOKEN_FILE"),
		.file_option = "--token-file",
		.variable = "ATFOTA_TOKEN",
	};
	const char *value = getenv(source.variable);

	if (source.file || (value && *value) || is_login) {
		return tool_secret_get(&source, config->token, sizeof config->token, err);
	}
	if (*config->token) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL,
			 "no token for %s: run 'atfota login', or give --token-file FILE or ATFOTA_TOKEN",
			 config->server);
}

static bool is_plain(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0;
}

enum tool_status tool_config_get(const struct tool_args *args, bool is_login, struct tool_config *config,
				 struct tool_error *err)
{
	enum tool_status status = TOOL_STATUS_OK;

	*config = (struct tool_config) { 0 };
	if (!is_login) { status = load(config, err); }
	if (!status) { status = choose_server(args, config, err); }
	if (!status) { status = set_ca(config, option_or_variable(args, TOOL_OPT_CA, "ATFOTA_CA"), err); }
	if (status) { return status; }
	if (args->opt[TOOL_OPT_ALLOW_HTTP]) { config->allow_http = true; }
	if (is_plain(config->server) && !config->allow_http) {
		return tool_fail(
			err, TOOL_STATUS_FAIL,
			"%s would send the token unencrypted; use https://, or --allow-http where that is safe",
			config->server);
	}
	return choose_token(args, is_login, config, err);
}
