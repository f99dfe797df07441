/* SPDX-License-Identifier: Apache-2.0 */
/* The file is read strictly: a key that is not known, is given twice or does not fit
 * the others is an error with its line, for a rehearsal that silently plays something
 * else is worse than none. */
#include "rehearsal_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "fota/code.h"

#define LINE_KEY_MAX     16u
#define WHAT_BYTES       256u
#define ERASE_BYTES      4096u /* less than this is not kept over a session */
#define DEFAULT_BYTES    (64u * 1024u)
#define DEFAULT_PERCENT  50u
#define DEFAULT_CHECK_MS 100u
#define DEFAULT_LOAD_MS  300u
#define DEFAULT_BOOT_MS  300u
#define MS_MAX           3600000u
#define SIZE_MAX_BYTES   (16u * 1024u * 1024u)

enum key {
	KEY_END,
	KEY_STEP,
	KEY_REFUSE,
	KEY_CHECK,
	KEY_DOWNLOAD,
	KEY_SIZE,
	KEY_RECEIVED,
	KEY_PART,
	KEY_RESTART,
	KEY_INSTALL,
	KEY_COUNT,
};

static const struct {
	const char *name;
	uint32_t min, max; /* max 0: no number */
	uint32_t fallback;
} keys[KEY_COUNT] = {
	[KEY_END] = { "end", 0, 0, 3 },
	[KEY_STEP] = { "step", 0, 0, 0 },
	[KEY_REFUSE] = { "refuse", 0, 0, 0 },
	[KEY_CHECK] = { "check", 0, MS_MAX, DEFAULT_CHECK_MS },
	[KEY_DOWNLOAD] = { "download", 0, MS_MAX, DEFAULT_LOAD_MS },
	[KEY_SIZE] = { "size", 1, SIZE_MAX_BYTES, DEFAULT_BYTES },
	[KEY_RECEIVED] = { "received", 0, 100, DEFAULT_PERCENT },
	[KEY_PART] = { "part", 0, 0, 1 },
	[KEY_RESTART] = { "restart", 1, MS_MAX, 0 },
	[KEY_INSTALL] = { "install", 0, 0, 0 },
};

/* A section [session N] as it is read: values and where they stand. */
struct draft {
	uint32_t values[KEY_COUNT];
	int lines[KEY_COUNT]; /* 0: not given */
	bool is_given;
};

struct reader {
	struct rehearsal_file *file;
	FILE *f;
	const char *name;
	char *text;
	int line; /* that is being read */
	struct config_reader config;
	int error_line; /* of the first complaint of ours */
	bool has_boot;
	char line_keys[LINE_KEY_MAX][16]; /* of [line], those that were given */
	unsigned line_key_count;
	struct draft drafts[REHEARSAL_SESSION_MAX + 1]; /* 0: [session *] */
};

/* ---- complaints ---- */

static int complain(struct reader *reader, int line, const char *what)
{
	if (!reader->error_line) {
		reader->error_line = line;
		(void)snprintf(reader->text, REHEARSAL_TEXT_BYTES, "%.200s:%d: %s", reader->name, line, what);
	}
	return 0;
}

static int complain_about(struct reader *reader, int line, const char *format, const char *value)
{
	char what[WHAT_BYTES];

	(void)snprintf(what, sizeof(what), format, value);
	return complain(reader, line, what);
}

/* ---- values ---- */

static bool read_number(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9') { return false; }
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end || errno || value < min || value > max) { return false; }
	*number = (uint32_t)value;
	return true;
}

static int read_end(struct reader *reader, const char *value, uint32_t *number)
{
	if (strcmp(value, "restart") == 0) {
		*number = REHEARSAL_RESTART;
		return 1;
	}
	if (read_number(value, 1, 999, number) && fota_code_find((int)*number)) { return 1; }
	return complain_about(reader, reader->line,
			      "end = %.40s: use restart or a result code: 1 to 5, 301 to 308, 401 to 405, 501 to 514",
			      value);
}

static int read_step(struct reader *reader, const char *value, uint32_t *number)
{
	for (unsigned step = REHEARSAL_CHECK; step < REHEARSAL_STEP_COUNT; step++) {
		if (strcmp(value, rehearsal_step_name((enum rehearsal_step)step)) != 0) { continue; }
		*number = step;
		return 1;
	}
	return complain_about(reader, reader->line,
			      "step = %.40s: use check, store, download or verify (refuse = yes for the command)",
			      value);
}

static int read_install(struct reader *reader, const char *value, uint32_t *number)
{
	if (read_number(value, 0, 999, number) && rehearsal_is_install_code(*number)) { return 1; }
	return complain_about(reader, reader->line, "install = %.40s: use 0, 1, 306, 508 or 509", value);
}

static int read_flag(struct reader *reader, const char *value, uint32_t *number)
{
	*number = strcmp(value, "yes") == 0;
	if (*number || strcmp(value, "no") == 0) { return 1; }
	return complain_about(reader, reader->line, "'%.40s': use yes or no", value);
}

static int read_range(struct reader *reader, const char *name, const char *value, uint32_t min, uint32_t max,
		      uint32_t *number)
{
	char what[WHAT_BYTES];

	if (read_number(value, min, max, number)) { return 1; }
	(void)snprintf(what, sizeof(what), "%s = %.40s: use a number from %u to %u", name, value, min, max);
	return complain(reader, reader->line, what);
}

static int read_value(struct reader *reader, enum key key, const char *value, uint32_t *number)
{
	switch (key) {
	case KEY_END:
		return read_end(reader, value, number);
	case KEY_STEP:
		return read_step(reader, value, number);
	case KEY_INSTALL:
		return read_install(reader, value, number);
	case KEY_REFUSE:
	case KEY_PART:
		return read_flag(reader, value, number);
	default:
		return read_range(reader, keys[key].name, value, keys[key].min, keys[key].max, number);
	}
}

static int take_session_key(struct reader *reader, struct draft *draft, const char *name, const char *value)
{
	for (unsigned key = 0; key < KEY_COUNT; key++) {
		if (strcmp(name, keys[key].name) != 0) { continue; }
		if (draft->lines[key]) { return complain_about(reader, reader->line, "%s is given twice", name); }
		draft->is_given = true;
		draft->lines[key] = reader->line;
		return read_value(reader, (enum key)key, value, &draft->values[key]);
	}
	return complain_about(
		reader, reader->line,
		"%.40s: a session has end, step, refuse, check, download, size, received, part, restart and install",
		name);
}

/* ---- sections ---- */

static struct draft *find_draft(struct reader *reader, const char *section)
{
	const char *number = section + 8;
	uint32_t at;

	if (strncmp(section, "session ", 8) != 0) { return NULL; }
	if (strcmp(number, "*") == 0) { return &reader->drafts[0]; }
	return read_number(number, 1, REHEARSAL_SESSION_MAX, &at) ? &reader->drafts[at] : NULL;
}

static int take_module_key(struct reader *reader, const char *name, const char *value)
{
	if (strcmp(name, "boot") != 0) {
		return complain_about(reader, reader->line, "%.40s: [module] has boot", name);
	}
	if (reader->has_boot) { return complain(reader, reader->line, "boot is given twice"); }
	reader->has_boot = true;
	return read_range(reader, name, value, 1, MS_MAX, &reader->file->boot_ms);
}

static int take_line_key(struct reader *reader, const char *name, const char *value)
{
	const char *complaint = badline_parse(&reader->file->line, name, value);

	if (complaint) { return complain_about(reader, reader->line, "%s", complaint); }
	for (unsigned i = 0; i < reader->line_key_count; i++) {
		if (strcmp(reader->line_keys[i], name) == 0) {
			return complain_about(reader, reader->line, "%s is given twice", name);
		}
	}
	if (reader->line_key_count < LINE_KEY_MAX) { /* there are fewer names than that */
		(void)snprintf(reader->line_keys[reader->line_key_count++], sizeof(reader->line_keys[0]), "%s", name);
	}
	return 1;
}

static int take_setting(struct reader *reader, const char *section, const char *name, const char *value)
{
	struct draft *draft = find_draft(reader, section);

	if (draft) { return take_session_key(reader, draft, name, value); }
	if (strcmp(section, "module") == 0) { return take_module_key(reader, name, value); }
	if (strcmp(section, "line") != 0) {
		return complain_about(reader, reader->line,
				      "[%.40s]: use [module], [line], [session *] or [session 1] to [session 64]",
				      section);
	}
	return take_line_key(reader, name, value);
}

/* The complaint was made with its line already: this only ends the reading. */
static const char *on_setting(void *ctx, const char *section, const char *name, const char *value)
{
	struct reader *reader = ctx;

	reader->line = (int)reader->config.line;
	return take_setting(reader, section, name, value) ? NULL : "";
}

/* ---- what belongs together ---- */

static void fill_defaults(struct draft *draft)
{
	for (unsigned key = 0; key < KEY_COUNT; key++) {
		if (!draft->lines[key]) { draft->values[key] = keys[key].fallback; }
	}
}

static int line_of(const struct draft *draft, enum key key)
{
	return draft->lines[key] ? draft->lines[key] : draft->lines[KEY_END];
}

/* "it comes at check, download" */
static int complain_about_step(struct reader *reader, const struct draft *draft, unsigned code)
{
	char what[WHAT_BYTES];
	size_t count, len = (size_t)snprintf(what, sizeof(what), "%s%.0u cannot come there; it comes with",
					     code == REHEARSAL_RESTART ? "a restart" : "code ",
					     code == REHEARSAL_RESTART ? 0 : code);
	const struct rehearsal_cause *list = rehearsal_cause_list(&count);
	const char *between = "";

	for (size_t i = 0; i < count; i++) {
		bool is_command = list[i].step == REHEARSAL_COMMAND;

		if (list[i].code != code) { continue; }
		len += (size_t)snprintf(what + len, sizeof(what) - len, "%s %s%s", between,
					is_command ? "refuse = yes" : "step = ",
					is_command ? "" : rehearsal_step_name((enum rehearsal_step)list[i].step));
		between = ",";
	}
	return complain(reader, line_of(draft, draft->values[KEY_REFUSE] ? KEY_REFUSE : KEY_STEP), what);
}

static const struct rehearsal_cause *find_cause(const struct draft *draft)
{
	unsigned code = draft->values[KEY_END];

	if (draft->values[KEY_REFUSE]) {
		return draft->lines[KEY_STEP] ? NULL : rehearsal_cause_find(code, REHEARSAL_COMMAND);
	}
	if (!draft->lines[KEY_STEP]) { return rehearsal_cause_usual(code); }
	return rehearsal_cause_find(code, (enum rehearsal_step)draft->values[KEY_STEP]);
}

static uint32_t stop_of(const struct draft *draft, const struct rehearsal_cause *cause)
{
	uint64_t size = draft->values[KEY_SIZE];

	if (cause->step == REHEARSAL_VERIFY) { return (uint32_t)size; }
	if (cause->step != REHEARSAL_DOWNLOAD || cause->kind == CAUSE_OVER) { return 0; }
	if (!draft->values[KEY_PART]) { return (uint32_t)(size < ERASE_BYTES ? size / 2 : ERASE_BYTES / 2); }
	return (uint32_t)(size * draft->values[KEY_RECEIVED] / 100);
}

/* Code 4 comes when at least one erase unit was stored, and never otherwise. */
static int check_part(struct reader *reader, const struct draft *draft, const struct rehearsal_cause *cause,
		      uint32_t stop_bytes)
{
	bool is_download = cause->step == REHEARSAL_DOWNLOAD && cause->kind != CAUSE_OVER;
	int line = line_of(draft, draft->lines[KEY_PART] ? KEY_PART : KEY_RECEIVED);

	if (!is_download && (draft->lines[KEY_PART] || draft->lines[KEY_RECEIVED])) {
		return complain(reader, line, "part and received go with an end at step = download");
	}
	if (draft->lines[KEY_PART] && draft->lines[KEY_RECEIVED] && !draft->values[KEY_PART]) {
		return complain(reader, line, "part = no leaves no room for received");
	}
	if (is_download && draft->values[KEY_PART] && draft->lines[KEY_PART] && stop_bytes < ERASE_BYTES) {
		return complain(reader, line, "part = yes needs 4096 bytes or more: raise size or received");
	}
	if (cause->code == 4 && stop_bytes < ERASE_BYTES) {
		return complain(reader, line, "end = 4 needs 4096 bytes or more: raise size or received");
	}
	return 1;
}

static int make_session(struct reader *reader, struct draft *draft, struct rehearsal_session *session)
{
	const struct rehearsal_cause *cause;

	fill_defaults(draft);
	cause = find_cause(draft);
	if (!cause) { return complain_about_step(reader, draft, draft->values[KEY_END]); }
	*session = (struct rehearsal_session) {
		.cause = cause,
		.check_ms = draft->values[KEY_CHECK],
		.download_ms = draft->values[KEY_DOWNLOAD],
		.size_bytes = draft->values[KEY_SIZE],
		.stop_bytes = stop_of(draft, cause),
		.restart_ms = draft->values[KEY_RESTART],
		.install_code = (uint16_t)draft->values[KEY_INSTALL],
	};
	if (draft->lines[KEY_INSTALL] && cause->kind != CAUSE_NONE) {
		return complain(reader, draft->lines[KEY_INSTALL],
				"install goes with end = 3: nothing else is installed");
	}
	return check_part(reader, draft, cause, session->stop_bytes);
}

/* 507 is how a session ends that cannot go on from a part: there has to be one. */
static bool is_part_before(const struct rehearsal_file *file, unsigned at)
{
	const struct rehearsal_session *before = at ? &file->sessions[at - 1] : NULL;

	return before && before->cause->step == REHEARSAL_DOWNLOAD && before->stop_bytes >= ERASE_BYTES &&
	       before->stop_bytes < before->size_bytes && before->size_bytes == file->sessions[at].size_bytes;
}

static bool make_sessions(struct reader *reader)
{
	struct rehearsal_file *file = reader->file;
	struct draft success = { .is_given = false };

	for (unsigned i = 1; i <= REHEARSAL_SESSION_MAX; i++) {
		if (reader->drafts[i].is_given) { file->session_count = i; }
	}
	for (unsigned i = 0; i < file->session_count; i++) {
		struct draft *draft = &reader->drafts[i + 1];

		if (!make_session(reader, draft->is_given ? draft : &success, &file->sessions[i])) { return false; }
		if (file->sessions[i].cause->kind == CAUSE_OVER && !is_part_before(file, i)) {
			(void)complain(reader, line_of(draft, KEY_END),
				       "507 needs a session before it that leaves a part of the same size: end = 513");
			return false;
		}
	}
	if (!make_session(reader, &reader->drafts[0], &file->further)) { return false; }
	if (file->further.cause->kind == CAUSE_OVER) {
		return complain(reader, line_of(&reader->drafts[0], KEY_END), "507 needs a session of its own number");
	}
	return true;
}

/* ---- loading ---- */

static bool is_read_well(struct reader *reader)
{
	char message[REHEARSAL_TEXT_BYTES];

	reader->config = (struct config_reader) { .set = on_setting, .ctx = reader };
	if (!config_stream_load(reader->f, reader->name, &reader->config, message, sizeof(message))) { return true; }
	if (ferror(reader->f)) {
		(void)snprintf(reader->text, REHEARSAL_TEXT_BYTES, "%s", message);
	} else if (!reader->error_line) {
		(void)complain(reader, (int)reader->config.line, "neither a [section] nor NAME = VALUE");
	}
	return false;
}

static struct reader *open_reader(struct rehearsal_file *file, const char *name, FILE *f, char *text)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader) { *reader = (struct reader) { .file = file, .f = f, .name = name, .text = text }; }
	return reader;
}

bool rehearsal_file_read(struct rehearsal_file *file, const char *name, FILE *f, char text[REHEARSAL_TEXT_BYTES])
{
	struct reader *reader;
	bool is_good;

	*file = (struct rehearsal_file) { .boot_ms = DEFAULT_BOOT_MS };
	text[0] = 0;
	reader = open_reader(file, name, f, text);
	if (!reader) {
		(void)snprintf(text, REHEARSAL_TEXT_BYTES, "%.150s: not enough memory", name);
		return false;
	}
	is_good = is_read_well(reader) && make_sessions(reader);
	free(reader);
	return is_good;
}

/* What the word stands for, as a file would say it. */
static bool spell_out(const char *word, char ini[128])
{
	char *rest;
	unsigned long code = strtoul(word, &rest, 10);
	bool is_refused = strcmp(rest, "-refused") == 0;
	bool is_install = strncmp(word, "install-", 8) == 0;

	if (strcmp(word, "restart") == 0) {
		(void)snprintf(ini, 128, "[session 1]\nend = restart\n");
		return true;
	}
	if (is_install) {
		(void)snprintf(ini, 128, "[session 1]\ninstall = %.40s\n", word + 8);
		return true;
	}
	if (*word < '0' || *word > '9' || (*rest && !is_refused)) { return false; }
	(void)snprintf(ini, 128, "%s[session %d]\nend = %lu\n%s", code == 507 ? "[session 1]\nend = 513\n" : "",
		       code == 507 ? 2 : 1, code, is_refused ? "refuse = yes\n" : "");
	return true;
}

bool rehearsal_file_load(struct rehearsal_file *file, const char *word, char text[REHEARSAL_TEXT_BYTES])
{
	char ini[128];
	FILE *f = spell_out(word, ini) ? fmemopen(ini, strlen(ini), "r") : fopen(word, "re");
	bool is_good;

	if (!f) {
		(void)snprintf(text, REHEARSAL_TEXT_BYTES, "%.150s: %s", word, strerror(errno));
		return false;
	}
	is_good = rehearsal_file_read(file, word, f, text);
	(void)fclose(f);
	return is_good;
}
