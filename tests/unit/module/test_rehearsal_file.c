/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fota/code.h"
#include "rehearsal_file.h"

static bool load_text(struct rehearsal_file *file, const char *ini, char text[REHEARSAL_TEXT_BYTES])
{
	char name[] = "/tmp/test_rehearsal_XXXXXX";
	int fd = mkstemp(name);
	bool is_good;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, ini, strlen(ini)), strlen(ini));
	(void)close(fd);
	is_good = rehearsal_file_load(file, name, text);
	(void)unlink(name);
	return is_good;
}

static void every_code_is_a_rehearsal_by_its_number(void **state)
{
	unsigned count;
	const struct fota_code_info *codes = fota_code_list(&count);

	(void)state;
	assert_int_equal(count, 32);
	for (unsigned i = 0; i < count; i++) {
		struct rehearsal_file file;
		char word[16], text[REHEARSAL_TEXT_BYTES];

		snprintf(word, sizeof(word), "%d", codes[i].number);
		assert_true(rehearsal_file_load(&file, word, text));
		assert_int_equal(file.sessions[file.session_count - 1].cause->code, codes[i].number);
		assert_int_equal(file.further.cause->kind, CAUSE_NONE);
	}
}

/* The rows of the table that nothing in it can reach would be dead. */
static void every_cause_is_found_by_its_code_and_step(void **state)
{
	size_t count;
	const struct rehearsal_cause *list = rehearsal_cause_list(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(rehearsal_cause_find(list[i].code, (enum rehearsal_step)list[i].step), &list[i]);
	}
}

static void a_file_says_session_by_session_what_is_played(void **state)
{
	struct rehearsal_file file;
	char text[REHEARSAL_TEXT_BYTES];

	(void)state;
	assert_true(load_text(&file,
			      "[module]\nboot = 700\n[session 1]\nend = 513\nreceived = 25\nsize = 100000\n"
			      "[session 3]\nend = 503\nstep = download\npart = no\ncheck = 5\nrestart = 9\n"
			      "[session *]\nend = 5\n[line]\nlose = 7\n",
			      text));
	assert_int_equal(file.boot_ms, 700);
	assert_int_equal(file.session_count, 3);
	assert_int_equal(file.sessions[0].cause->code, 513);
	assert_int_equal(file.sessions[0].stop_bytes, 25000);
	assert_int_equal(file.sessions[1].cause->code, 3);
	assert_int_equal(file.sessions[2].cause->step, REHEARSAL_DOWNLOAD);
	assert_true(file.sessions[2].stop_bytes < 4096);
	assert_int_equal(file.sessions[2].check_ms, 5);
	assert_int_equal(file.sessions[2].restart_ms, 9);
	assert_int_equal(file.further.cause->code, 5);
	assert_int_equal(file.line.lose, 7);
}

static const struct {
	const char *ini;
	const char *line; /* ":N:" */
	const char *words;
} wrongs[] = {
	{ "[session 1]\nend = 999\n", ":2:", "501 to 514" },
	{ "[session 1]\nend = 3x\n", ":2:", "501 to 514" },
	{ "[session 0]\nend = 3\n", ":2:", "[session 1] to [session 64]" },
	{ "[session 65]\nend = 3\n", ":2:", "[session 1] to [session 64]" },
	{ "[sesion 1]\nend = 3\n", ":2:", "[session 1] to [session 64]" },
	{ "end = 3\n", ":1:", "[module]" },
	{ "[session 1]\n\nends = 3\n", ":3:", "a session has end" },
	{ "[session 1]\nend = 3\nend = 5\n", ":3:", "twice" },
	{ "[session 1]\nend 3\n", ":2:", "NAME = VALUE" },
	{ "[session 1]\nstep = upload\n", ":2:", "check, store, download or verify" },
	{ "[session 1]\nend = 505\nstep = check\n", ":3:", "step = download" },
	{ "[session 1]\nend = 511\nrefuse = yes\n", ":3:", "step = check" },
	{ "[session 1]\nend = 303\nrefuse = maybe\n", ":3:", "yes or no" },
	{ "[session 1]\nend = 513\nreceived = 101\n", ":3:", "0 to 100" },
	{ "[session 1]\nend = 306\nreceived = 10\n", ":3:", "step = download" },
	{ "[session 1]\nend = 513\npart = no\nreceived = 10\n", ":3:", "no room" },
	{ "[session 1]\nend = 513\npart = yes\nsize = 4000\n", ":3:", "4096" },
	{ "[session 1]\nend = 4\nreceived = 0\n", ":3:", "4096" },
	{ "[session 1]\nend = 507\n", ":2:", "before it" },
	{ "[session 1]\ninstall = 307\n", ":2:", "0, 1, 306, 508 or 509" },
	{ "[session 1]\nend = 4\ninstall = 306\n", ":3:", "end = 3" },
	{ "[session *]\nend = 507\n", ":2:", "its own number" },
	{ "[module]\nboot = 0\n", ":2:", "1 to 3600000" },
	{ "[module]\nboots = 4\n", ":2:", "boot" },
	{ "[line]\nlose = 10001\n", ":2:", "10000" },
	{ "[line]\nlose = 1\nlate = 1\nlose = 1\n", ":4:", "twice" },
};

static void what_is_wrong_is_told_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct rehearsal_file file;
		char text[REHEARSAL_TEXT_BYTES];

		assert_false(load_text(&file, wrongs[i].ini, text));
		if (!strstr(text, wrongs[i].line) || !strstr(text, wrongs[i].words)) {
			fail_msg("%s: %s", wrongs[i].ini, text);
		}
	}
}

static void a_word_that_is_neither_code_nor_file_is_told(void **state)
{
	static const char *const words[] = { "no-such-file.ini", "600", "511-refused", "306-refused", "install-307",
					     "install-",         "" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct rehearsal_file file;
		char text[REHEARSAL_TEXT_BYTES];

		assert_false(rehearsal_file_load(&file, words[i], text));
		assert_true(text[0] != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_a_rehearsal_by_its_number),
		cmocka_unit_test(every_cause_is_found_by_its_code_and_step),
		cmocka_unit_test(a_file_says_session_by_session_what_is_played),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(a_word_that_is_neither_code_nor_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
