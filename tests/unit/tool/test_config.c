/* SPDX-License-Identifier: Apache-2.0 */
/* Where server and token come from. The environment of this process is the tests' own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static char folder[] = "/tmp/atfota-config-XXXXXX";

static int set_up(void **state)
{
	static const char *const variables[] = { "ATFOTA_SERVER", "ATFOTA_TOKEN", "ATFOTA_TOKEN_FILE", "ATFOTA_CA" };

	(void)state;
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		unsetenv(variables[i]);
	}
	return setenv("XDG_CONFIG_HOME", folder, 1);
}

static int clear(void **state)
{
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof path, "%s/atfota/config", folder);
	unlink(path);
	return 0;
}

static void store(const char *server, const char *token, bool allow_http)
{
	struct tool_config config = { .allow_http = allow_http };
	struct tool_error err;

	strcpy(config.server, server);
	strcpy(config.token, token);
	assert_int_equal(tool_config_store(&config, &err), TOOL_STATUS_OK);
}

static void what_was_stored_is_found_again(void **state)
{
	struct tool_args args = { 0 };
	struct tool_config config;
	struct tool_error err;

	(void)state;
	store("https://a.example", "token-of-a", false);
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_OK);
	assert_string_equal(config.server, "https://a.example");
	assert_string_equal(config.token, "token-of-a");
	assert_false(config.allow_http);
}

static void the_file_is_for_its_owner_only(void **state)
{
	char path[PATH_MAX];
	struct stat st;

	(void)state;
	store("https://a.example", "token-of-a", false);
	snprintf(path, sizeof path, "%s/atfota/config", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_stored_token_is_not_for_another_server(void **state)
{
	struct tool_args args = { .opt[TOOL_OPT_SERVER] = "https://b.example" };
	struct tool_config config;
	struct tool_error err;

	(void)state;
	store("https://a.example", "token-of-a", true);
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_FAIL);
	assert_null(strstr(err.text, "token-of-a"));
	setenv("ATFOTA_TOKEN", "token-of-b", 1);
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_OK);
	assert_string_equal(config.token, "token-of-b");
	args.opt[TOOL_OPT_SERVER] = "http://b.example";
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_FAIL); /* its allow-http neither */
}

static void options_count_before_the_environment_and_that_before_the_file(void **state)
{
	struct tool_args args = { 0 };
	struct tool_config config;
	struct tool_error err;

	(void)state;
	store("https://a.example", "token-of-a", false);
	setenv("ATFOTA_SERVER", "https://env.example/", 1);
	setenv("ATFOTA_TOKEN", "token-of-env", 1);
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_OK);
	assert_string_equal(config.server, "https://env.example");
	assert_string_equal(config.token, "token-of-env");
	args.opt[TOOL_OPT_SERVER] = "https://option.example/fota/";
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_OK);
	assert_string_equal(config.server, "https://option.example/fota");
}

static void plain_http_needs_a_word(void **state)
{
	struct tool_args args = { .opt[TOOL_OPT_SERVER] = "HTTP://a.example" };
	struct tool_config config;
	struct tool_error err;

	(void)state;
	setenv("ATFOTA_TOKEN", "token", 1);
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_FAIL);
	assert_non_null(strstr(err.text, "--allow-http"));
	args.opt[TOOL_OPT_ALLOW_HTTP] = "";
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_OK);
}

static void without_a_server_the_ways_to_name_one_are_told(void **state)
{
	struct tool_args args = { 0 };
	struct tool_config config;
	struct tool_error err;

	(void)state;
	assert_int_equal(tool_config_get(&args, false, &config, &err), TOOL_STATUS_FAIL);
	assert_non_null(strstr(err.text, "atfota login"));
}

static void a_damaged_file_is_told_with_its_line_and_not_its_content(void **state)
{
	char text[] = "# note\n\n server = https://a.example \nfuture = x\ntokensecret-token\n";
	char good[] = " # note\nserver=https://a.example\r\ntoken = t=t\nallow-http = true";
	struct tool_config config;
	struct tool_error err;

	(void)state;
	assert_int_equal(tool_config_parse(text, &config, &err), TOOL_STATUS_FAIL);
	assert_non_null(strstr(err.text, "line 5"));
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(tool_config_parse(good, &config, &err), TOOL_STATUS_OK);
	assert_string_equal(config.server, "https://a.example");
	assert_string_equal(config.token, "t=t");
	assert_true(config.allow_http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_stored_is_found_again, set_up, clear),
		cmocka_unit_test_setup_teardown(the_file_is_for_its_owner_only, set_up, clear),
		cmocka_unit_test_setup_teardown(a_stored_token_is_not_for_another_server, set_up, clear),
		cmocka_unit_test_setup_teardown(options_count_before_the_environment_and_that_before_the_file, set_up,
						clear),
		cmocka_unit_test_setup_teardown(plain_http_needs_a_word, set_up, clear),
		cmocka_unit_test_setup_teardown(without_a_server_the_ways_to_name_one_are_told, set_up, clear),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_told_with_its_line_and_not_its_content, set_up,
						clear),
	};
	char inner[PATH_MAX];
	int failed;

	if (!mkdtemp(folder)) { return 1; }
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(inner, sizeof inner, "%s/atfota", folder);
	rmdir(inner);
	rmdir(folder);
	return failed;
}
