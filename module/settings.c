/* SPDX-License-Identifier: Apache-2.0 */
/* The file is replaced as a whole (write beside it, sync, rename, sync of the directory), so
 * that a cut of power leaves the old or the new one. A line that a newer program wrote is
 * kept by none: it is named in the log and goes with the next change. */
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PART       "settings"
#define FILE_NAME  "settings"
#define LINE_BYTES (AT_CONFIG_VALUE_MAX_BYTES + 64)

enum { CME_MEMORY_FAILURE = 23, CME_NOT_ALLOWED = 3 };

enum kind { KIND_URL, KIND_CODES, KIND_NUMBER, KIND_WINDOW };

static const struct {
	enum kind kind;
	uint32_t min, max;
} rules[SETTING_COUNT] = {
	[SETTING_SERVER] = { KIND_URL, 0, 0 },
	[SETTING_CODES] = { KIND_CODES, 0, 0 },
	[SETTING_RETRIES] = { KIND_NUMBER, 0, 1000 },
	[SETTING_RETRY_BASE] = { KIND_NUMBER, 1, 3600000 },
	[SETTING_RETRY_MAX] = { KIND_NUMBER, 1, 3600000 },
	[SETTING_AUTO_INSTALL] = { KIND_NUMBER, 0, 1 },
	[SETTING_AUTO_CONFIRM] = { KIND_NUMBER, 0, 1 },
	[SETTING_TRIAL_TIME] = { KIND_NUMBER, 1, 2592000 },
	[SETTING_TRIAL_BOOTS] = { KIND_NUMBER, 1, 255 },
	[SETTING_WINDOW] = { KIND_WINDOW, 0, 0 },
};

static const char *const names[SETTING_COUNT] = {
	[SETTING_SERVER] = "server",
	[SETTING_CODES] = "codes",
	[SETTING_RETRIES] = "retries",
	[SETTING_RETRY_BASE] = "retry-base",
	[SETTING_RETRY_MAX] = "retry-max",
	[SETTING_AUTO_INSTALL] = "autoinstall",
	[SETTING_AUTO_CONFIRM] = "autoconfirm",
	[SETTING_TRIAL_TIME] = "trialtime",
	[SETTING_TRIAL_BOOTS] = "trialboots",
	[SETTING_WINDOW] = "window",
};

/* ---- values ---- */

static const char *value_of(const struct settings *settings, enum setting which)
{
	const char *value = settings->values[which];

	if (*value) { return value; }
	return which == SETTING_SERVER ? settings->server_url : settings->defaults[which];
}

static uint32_t number_of(const struct settings *settings, enum setting which)
{
	return (uint32_t)strtoul(value_of(settings, which), NULL, 10);
}

/* https://, or http:// where it is allowed, and something behind it; no blanks. */
static bool is_url(const struct settings *settings, const char *text)
{
	size_t scheme = strncmp(text, "https://", 8) == 0 ? 8 : 7;

	if (scheme == 7 && (!settings->allow_plain || strncmp(text, "http://", 7) != 0)) { return false; }
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c > '~') { return false; }
	}
	return text[scheme] != 0 && strlen(text) + 64 <= FOTA_URL_MAX_BYTES;
}

static bool is_number(const char *text, uint32_t min, uint32_t max)
{
	unsigned long value;

	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9) { return false; }
	value = strtoul(text, NULL, 10);
	return *text && value >= min && value <= max;
}

/* "HH:MM" */
static bool read_minute(const char *text, uint16_t *minute)
{
	unsigned hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	unsigned rest = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');

	*minute = (uint16_t)(hour * 60 + rest);
	return hour < 24 && rest < 60;
}

/* "HH:MM-HH:MM" */
static bool read_window(const char *text, uint16_t *from, uint16_t *to)
{
	static const char form[] = "00:00-00:00";

	if (strlen(text) != sizeof(form) - 1) { return false; }
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == '0' ? !is_digit : text[i] != form[i]) { return false; }
	}
	return read_minute(text, from) && read_minute(text + 6, to);
}

/* "" is every setting's default. */
static bool is_allowed(const struct settings *settings, enum setting which, const char *text)
{
	uint16_t from, to;

	if (*text == 0) { return true; }
	switch (rules[which].kind) {
	case KIND_URL:
		return is_url(settings, text);
	case KIND_CODES:
		return strcmp(text, "origin") == 0 || strcmp(text, "all") == 0;
	case KIND_WINDOW:
		return read_window(text, &from, &to);
	default:
		return is_number(text, rules[which].min, rules[which].max);
	}
}

const char *settings_server(const struct settings *settings)
{
	return value_of(settings, SETTING_SERVER);
}

bool settings_is_code_for_all(const struct settings *settings)
{
	return strcmp(value_of(settings, SETTING_CODES), "all") == 0;
}

void settings_limits(const struct settings *settings, struct fota_session_limits *limits)
{
	uint32_t retries = number_of(settings, SETTING_RETRIES);

	limits->retry_count = retries ? retries : FOTA_RETRY_NONE;
	limits->retry_base_ms = number_of(settings, SETTING_RETRY_BASE);
	limits->retry_max_ms = number_of(settings, SETTING_RETRY_MAX);
	limits->trial_s = number_of(settings, SETTING_TRIAL_TIME);
	limits->trial_starts = number_of(settings, SETTING_TRIAL_BOOTS);
}

void settings_policy(const struct settings *settings, struct fota_session_policy *policy)
{
	*policy = (struct fota_session_policy) {
		.is_auto_install = number_of(settings, SETTING_AUTO_INSTALL) == 1,
		.is_auto_confirm = number_of(settings, SETTING_AUTO_CONFIRM) == 1,
	};
	if (!read_window(value_of(settings, SETTING_WINDOW), &policy->window_from_min, &policy->window_to_min)) {
		policy->window_from_min = policy->window_to_min = 0;
	}
}

/* ---- the file ---- */

static void path_of(const struct settings *settings, const char *suffix, char path[4096])
{
	(void)snprintf(path, 4096, "%s/" FILE_NAME "%s", settings->dir, suffix);
}

static void take_line(struct settings *settings, char *line)
{
	char *value = strstr(line, " = ");

	line[strcspn(line, "\n")] = 0;
	if (!value) { return; }
	*value = 0;
	value += 3;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(line, names[i]) == 0 && strlen(value) <= AT_CONFIG_VALUE_MAX_BYTES &&
		    is_allowed(settings, (enum setting)i, value)) {
			(void)snprintf(settings->values[i], sizeof(settings->values[i]), "%s", value);
			return;
		}
	}
	log_line(settings->log, LOG_LEVEL_WARN, PART, "'%s' of the file is not known or not allowed, ignored", line);
}

static int load(struct settings *settings)
{
	char path[4096], line[LINE_BYTES];
	FILE *f;

	path_of(settings, "", path);
	f = fopen(path, "re");
	if (!f) {
		if (errno == ENOENT) { return 0; }
		log_line(settings->log, LOG_LEVEL_ERROR, PART, "cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	while (fgets(line, sizeof(line), f)) {
		take_line(settings, line);
	}
	(void)fclose(f);
	return 0;
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t len = write(fd, text, left);

		if (len < 0 && errno != EINTR) { return false; }
		text += len > 0 ? len : 0;
		left -= len > 0 ? (size_t)len : 0;
	}
	return fsync(fd) == 0;
}

static bool sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0) { close(fd); }
	return is_synced;
}

static bool replace(const struct settings *settings)
{
	char path[4096], beside[4096];
	bool is_good;
	int fd;

	path_of(settings, "", path);
	path_of(settings, ".new", beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	is_good = fd >= 0 && write_all(fd, settings->text);
	if (fd >= 0) { is_good = close(fd) == 0 && is_good; }
	return is_good && rename(beside, path) == 0 && sync_dir(settings->dir);
}

/* ---- changing ---- */

static void *work(void *ctx)
{
	struct settings *settings = ctx;
	uint64_t one = 1;

	settings->is_written = replace(settings);
	(void)!write(settings->fd, &one, sizeof(one));
	return NULL;
}

/* The whole file with the change; the caller frees it. */
static char *make_text(const struct settings *settings)
{
	char *text = malloc(SETTING_COUNT * LINE_BYTES);
	size_t len = 0;

	if (!text) { return NULL; }
	*text = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *value = i == settings->changing ? settings->wanted : settings->values[i];

		if (*value) { len += (size_t)snprintf(text + len, LINE_BYTES, "%s = %s\n", names[i], value); }
	}
	return text;
}

static enum at_result begin_change(struct settings *settings, struct at_server *at)
{
	settings->text = make_text(settings);
	if (!settings->text || pthread_create(&settings->writer, NULL, work, settings)) {
		free(settings->text);
		settings->text = NULL;
		return at_cme(at, CME_MEMORY_FAILURE);
	}
	settings->waiting = at;
	return AT_PENDING;
}

static enum at_result set(void *ctx, struct at_server *at, size_t index, struct fota_bytes value)
{
	struct settings *settings = ctx;

	if (settings->is_busy(settings->ctx) || settings->waiting) { return at_cme(at, FOTA_CODE_NESTING); }
	if (!settings->dir) { return at_cme(at, CME_NOT_ALLOWED); }
	memcpy(settings->wanted, value.ptr ? (const char *)value.ptr : "", value.len);
	settings->wanted[value.len] = 0;
	if (!is_allowed(settings, (enum setting)index, settings->wanted)) {
		return index == SETTING_SERVER ? at_cme(at, FOTA_CODE_BAD_URL) : AT_ERROR;
	}
	settings->changing = (enum setting)index;
	return begin_change(settings, at);
}

static struct fota_bytes get(void *ctx, size_t index)
{
	return fota_bytes_of(value_of(ctx, (enum setting)index));
}

static void end_writing(struct settings *settings)
{
	(void)pthread_join(settings->writer, NULL);
	free(settings->text);
	settings->text = NULL;
}

void settings_perform(struct settings *settings, uint64_t now_ms)
{
	struct at_server *at = settings->waiting;
	uint64_t count;

	if (!at || read(settings->fd, &count, sizeof(count)) != sizeof(count)) { return; }
	end_writing(settings);
	settings->waiting = NULL;
	if (!settings->is_written) {
		log_line(settings->log, LOG_LEVEL_ERROR, PART, "cannot write %s/" FILE_NAME, settings->dir);
		at_complete(at, at_cme(at, CME_MEMORY_FAILURE), now_ms);
		return;
	}
	memcpy(settings->values[settings->changing], settings->wanted, sizeof(settings->wanted));
	settings->changed(settings->ctx);
	log_line(settings->log, LOG_LEVEL_INFO, PART, "%s was changed", names[settings->changing]);
	at_complete(at, AT_OK, now_ms);
}

/* ---- life ---- */

static void set_defaults(struct settings *settings, const struct settings_options *options)
{
	const struct fota_session_limits *limits = options->limits;
	const struct {
		enum setting which;
		uint32_t number;
	} numbers[] = {
		{ SETTING_RETRIES, limits->retry_count },
		{ SETTING_RETRY_BASE, limits->retry_base_ms },
		{ SETTING_RETRY_MAX, limits->retry_max_ms },
		{ SETTING_AUTO_INSTALL, 0 },
		{ SETTING_AUTO_CONFIRM, 0 },
		{ SETTING_TRIAL_TIME, limits->trial_s },
		{ SETTING_TRIAL_BOOTS, limits->trial_starts },
	};

	(void)snprintf(settings->defaults[SETTING_CODES], sizeof(settings->defaults[0]), "origin");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)snprintf(settings->defaults[numbers[i].which], sizeof(settings->defaults[0]), "%u",
			       numbers[i].number);
	}
}

int settings_open(struct settings *settings, const struct settings_options *options)
{
	*settings = (struct settings) {
		.log = options->log,
		.dir = options->dir,
		.allow_plain = options->allow_plain,
		.server_url = options->server_url,
		.changed = options->changed,
		.is_busy = options->is_busy,
		.ctx = options->ctx,
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	settings->at_cfg = (struct at_config_cfg) { names, SETTING_COUNT, get, set, settings };
	set_defaults(settings, options);
	if (settings->fd < 0) { return -1; }
	return settings->dir ? load(settings) : 0;
}

void settings_close(struct settings *settings)
{
	if (settings->waiting) { end_writing(settings); }
	if (settings->fd > 0) { close(settings->fd); }
}

struct at_table settings_table(struct settings *settings)
{
	return at_config_table(&settings->at_cfg);
}

bool settings_is_writing(const struct settings *settings)
{
	return settings->waiting != NULL;
}

int settings_fd(const struct settings *settings)
{
	return settings->fd;
}
