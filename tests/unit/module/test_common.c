/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs share: settings from files, and lines of log. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_args.h"
#include "config_file.h"
#include "log.h"

/* argv is not const, though nobody changes it. */
#define WORD(literal) ((char[]) { literal })

static char path[] = "test_common.XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* ---- settings as arguments ---- */

static const struct argp_option rows[] = {
	{ "server", 1, "URL", 0, "a value", 0 },
	{ "retries", 2, "N", 0, "a value", 0 },
	{ "allow-http", 3, NULL, 0, "a flag", 0 },
	{ "config", 4, "FILE", 0, "the file", 0 },
	{ 0 },
};

/* All arguments behind the first in one line. */
static const char *join(const struct config_args *args)
{
	static char line[1024];

	line[0] = 0;
	for (int i = 1; i < args->argc; i++) {
		assert_true(strlen(line) + strlen(args->argv[i]) + 2 < sizeof(line));
		strcat(strcat(line, i > 1 ? "|" : ""), args->argv[i]);
	}
	assert_null(args->argv[args->argc]);
	return line;
}

static const struct {
	const char *file;
	const char *args; /* of the file alone; NULL: refused */
	const char *complaint;
} file_rows[] = {
	{ "", "", NULL },
	{ "server = https://a\n", "--server=https://a", NULL },
	{ "server=https://a", "--server=https://a", NULL },
	{ "\t server\t=  https://a/b?c=d # e \r\n", "--server=https://a/b?c=d # e", NULL },
	{ "server = \"quoted\"\n", "--server=\"quoted\"", NULL },
	{ "# comment\n; comment\n\n  \nretries = 3\n", "--retries=3", NULL },
	{ "retries = 3\nserver = x\nretries = 4\n", "--retries=3|--server=x|--retries=4", NULL },
	{ "allow-http = yes\n", "--allow-http", NULL },
	{ "allow-http = true\n", "--allow-http", NULL },
	{ "allow-http = no\n", "", NULL },
	{ "allow-http = false\n", "", NULL },
	{ "server =\n", "--server=", NULL },
	{ "allow-http = maybe\n", NULL, "line 1" },
	{ "\nnothing\n", NULL, "line 2" },
	{ "= x\n", NULL, "line 1" },
	{ "unknown = x\n", NULL, "line 1" },
	{ "config = other\n", NULL, "line 1" },
	{ "server = a\n[open\n", NULL, "line 2" },
};

static void a_file_becomes_arguments_line_by_line_or_is_refused_with_its_line(void **state)
{
	char *argv[] = { WORD("prog"), WORD("--config"), path, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(file_rows) / sizeof(file_rows[0]); i++) {
		struct config_args args;
		char message[512] = "", wanted[512];
		int status;

		write_file(file_rows[i].file);
		status = config_args_load(&args, rows, 3, argv, message, sizeof(message));
		if (!file_rows[i].args) {
			if (status == 0) { fail_msg("taken: %s", file_rows[i].file); }
			assert_non_null(strstr(message, file_rows[i].complaint));
			assert_non_null(strstr(message, path));
			continue;
		}
		if (status) { fail_msg("%s", message); }
		(void)snprintf(wanted, sizeof(wanted), "%s%s--config|%s", file_rows[i].args,
			       file_rows[i].args[0] ? "|" : "", path);
		assert_string_equal(join(&args), wanted);
		config_args_free(&args);
	}
}

static void long_values_are_whole(void **state)
{
	char *argv[] = { WORD("prog"), WORD("--config"), path, NULL };
	char text[4096], message[512];
	struct config_args args;

	(void)state;
	(void)strcpy(text, "server = ");
	memset(text + 9, 'x', 3000);
	text[3009] = 0;
	write_file(text);
	assert_int_equal(config_args_load(&args, rows, 3, argv, message, sizeof(message)), 0);
	assert_int_equal(strlen(args.argv[1]), strlen("--server=") + 3000);
	config_args_free(&args);
}

static void the_file_is_found_wherever_it_is_named_and_the_command_line_comes_last(void **state)
{
	char joined[64], message[512];
	struct config_args args;
	char *with_equals[] = { WORD("prog"), WORD("--server=b"), joined, NULL };
	char *abbreviated[] = { WORD("prog"), WORD("--conf"), path, WORD("--server=b"), NULL };
	char *behind_dashes[] = { WORD("prog"), WORD("--"), WORD("--config"), path, NULL };
	char *none[] = { WORD("prog"), WORD("x"), WORD("y"), NULL };

	(void)state;
	write_file("server = a\n");
	(void)snprintf(joined, sizeof(joined), "--config=%s", path);
	assert_int_equal(config_args_load(&args, rows, 3, with_equals, message, sizeof(message)), 0);
	assert_int_equal(args.argc, 4);
	assert_string_equal(args.argv[1], "--server=a");
	assert_string_equal(args.argv[2], "--server=b");
	config_args_free(&args);
	assert_int_equal(config_args_load(&args, rows, 4, abbreviated, message, sizeof(message)), 0);
	assert_string_equal(args.argv[1], "--server=a");
	assert_string_equal(args.argv[4], "--server=b");
	config_args_free(&args);
	assert_int_equal(config_args_load(&args, rows, 4, behind_dashes, message, sizeof(message)), 0);
	assert_int_equal(args.argc, 4);
	config_args_free(&args);
	assert_int_equal(config_args_load(&args, rows, 3, none, message, sizeof(message)), 0);
	assert_string_equal(join(&args), "x|y");
	config_args_free(&args);
}

static void a_file_that_cannot_be_read_is_named_with_the_reason(void **state)
{
	char *argv[] = { WORD("prog"), WORD("--config"), WORD("no/such/file"), NULL };
	char *dir[] = { WORD("prog"), WORD("--config"), WORD("."), NULL };
	struct config_args args;
	char message[512] = "", small[8];

	(void)state;
	assert_int_equal(config_args_load(&args, rows, 3, argv, message, sizeof(message)), -1);
	assert_string_equal(message, "cannot read no/such/file: No such file or directory");
	assert_int_equal(config_args_load(&args, rows, 3, argv, small, sizeof(small)), -1);
	assert_int_equal(strlen(small), sizeof(small) - 1);
	assert_int_equal(config_args_load(&args, rows, 3, dir, message, sizeof(message)), -1);
	assert_non_null(strstr(message, "directory"));
}

/* ---- sections ---- */

static char seen[256];

static const char *on_setting(void *ctx, const char *section, const char *name, const char *value)
{
	assert_ptr_equal(ctx, seen);
	(void)snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s.%s=%s;", section, name, value);
	return strcmp(name, "bad") == 0 ? "is not wanted" : NULL;
}

static void settings_are_handed_over_with_their_section_until_one_is_refused(void **state)
{
	struct config_reader reader = { .set = on_setting, .ctx = seen };
	char message[512];

	(void)state;
	seen[0] = 0;
	write_file("a = 1\n[one]\nb = 2\n[two words]\nbad = 3\nc = 4\n");
	assert_int_equal(config_file_load(path, &reader, message, sizeof(message)), -1);
	assert_string_equal(seen, ".a=1;one.b=2;two words.bad=3;");
	assert_non_null(strstr(message, "line 5: 'bad' is not wanted"));
}

/* ---- log ---- */

static size_t log_to_file(enum log_level limit, enum log_level level, const char *text, char *line, size_t cap)
{
	struct log log = { .fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), .level = limit };
	ssize_t len;

	assert_true(log.fd >= 0);
	log_line(&log, level, "part", "%s", text);
	len = pread(log.fd, line, cap - 1, 0);
	(void)close(log.fd);
	assert_true(len >= 0);
	line[len] = 0;
	return (size_t)len;
}

static void a_line_has_time_level_and_part(void **state)
{
	char line[2048];
	int year, month, day, hour, minute, second, ms, used = 0;

	(void)state;
	(void)log_to_file(LOG_LEVEL_INFO, LOG_LEVEL_WARN, "hello", line, sizeof(line));
	assert_int_equal(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour, &minute, &second,
				&ms, &used),
			 7);
	assert_string_equal(line + used, "warn  part: hello\n");
}

static void lines_above_the_level_are_dropped(void **state)
{
	char line[2048];

	(void)state;
	for (unsigned limit = LOG_LEVEL_ERROR; limit <= LOG_LEVEL_DEBUG; limit++) {
		for (unsigned level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
			size_t len = log_to_file((enum log_level)limit, (enum log_level)level, "x", line, sizeof(line));

			assert_int_equal(len > 0, level <= limit);
		}
	}
	log_line(NULL, LOG_LEVEL_ERROR, "part", "to nobody");
}

static void foreign_text_cannot_forge_a_line_nor_grow_it(void **state)
{
	static char text[5000];
	char line[8192];
	size_t len = log_to_file(LOG_LEVEL_INFO, LOG_LEVEL_INFO, "a\nb\rc\x1b[31md\x7f\t", line, sizeof(line));

	(void)state;
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	assert_non_null(strstr(line, "a?b?c?[31md??\n"));
	memset(text, 'y', sizeof(text) - 1);
	len = log_to_file(LOG_LEVEL_INFO, LOG_LEVEL_INFO, text, line, sizeof(line));
	assert_true(len <= 1024 && line[len - 1] == '\n' && line[len - 2] == 'y');
}

static void levels_have_names(void **state)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	enum log_level level = LOG_LEVEL_WARN;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_true(log_level_parse(names[i], &level));
		assert_int_equal(level, i);
	}
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse("Info", &level));
	assert_false(log_level_parse("infos", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG); /* unchanged */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_becomes_arguments_line_by_line_or_is_refused_with_its_line),
		cmocka_unit_test(long_values_are_whole),
		cmocka_unit_test(the_file_is_found_wherever_it_is_named_and_the_command_line_comes_last),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named_with_the_reason),
		cmocka_unit_test(settings_are_handed_over_with_their_section_until_one_is_refused),
		cmocka_unit_test(a_line_has_time_level_and_part),
		cmocka_unit_test(lines_above_the_level_are_dropped),
		cmocka_unit_test(foreign_text_cannot_forge_a_line_nor_grow_it),
		cmocka_unit_test(levels_have_names),
	};
	int fd = mkstemp(path);
	int failed;

	if (fd < 0) { return 2; }
	(void)close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
