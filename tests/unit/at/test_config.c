/* SPDX-License-Identifier: Apache-2.0 */
/* AT+FOTACFG over settings that the test keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

#include "fota/at_config.h"

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static struct rig rig;
static struct at_table tables[2];
static struct at_config_cfg config;
static char values[2][AT_CONFIG_VALUE_MAX_BYTES + 1];
static enum at_result set_result;

static struct fota_bytes get(void *ctx, size_t index)
{
	(void)ctx;
	return fota_bytes_of(values[index]);
}

static enum at_result set(void *ctx, struct at_server *at, size_t index, struct fota_bytes value)
{
	(void)ctx;
	(void)at;
	memcpy(values[index], value.ptr, value.len);
	values[index][value.len] = 0;
	return set_result;
}

static int start(void **state)
{
	static const char *const names[] = { "server", "codes" };

	(void)state;
	if (!rig_init(&rig, "strict")) { return -1; }
	config = (struct at_config_cfg) { names, 2, get, set, NULL };
	tables[0] = at_basic_table();
	tables[1] = at_config_table(&config);
	rig.ports[0].cfg.tables = tables;
	rig.ports[0].cfg.table_count = 2;
	strcpy(values[0], "https://a/\"b");
	strcpy(values[1], "");
	set_result = AT_OK;
	rig_feed(&rig, "ATE0+CMEE=1\r");
	(void)rig_out(&rig);
	return 0;
}

#define assert_out(text) assert_string_equal(rig_out(&rig), text)

static void all_settings_are_listed_in_one_block(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTACFG?\rAT+FOTACFG=?\r");
	assert_out("\r\n+FOTACFG: \"server\",\"https://a/\\22b\"\r\n+FOTACFG: \"codes\",\"\"\r\n" OK OK);
}

static void one_is_shown_by_its_name(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTACFG=\"codes\"\rAT+FOTACFG=\"codes\",\r");
	assert_out("\r\n+FOTACFG: \"codes\",\"\"\r\n" OK "\r\n+FOTACFG: \"codes\",\"\"\r\n" OK);
}

static void one_is_set_and_an_empty_value_counts(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTACFG=\"codes\",\"all\"\rAT+FOTACFG=\"server\",\"\"\rAT+FOTACFG?\r");
	assert_out(OK OK "\r\n+FOTACFG: \"server\",\"\"\r\n+FOTACFG: \"codes\",\"all\"\r\n" OK);
}

static void a_change_may_take_time(void **state)
{
	(void)state;
	set_result = AT_PENDING;
	rig_feed(&rig, "AT+FOTACFG=\"codes\",\"all\"\rAT\r");
	assert_out("");
	rig_complete(&rig, at_cme(&rig.ports[0].at, 23));
	assert_out("\r\n+CME ERROR: 23\r\n" OK);
}

static void what_is_unknown_or_wrong_is_refused(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTACFG=\"Codes\"\rAT+FOTACFG=\"x\",\"1\"\rAT+FOTACFG=\"\"\rAT+FOTACFG=codes\rAT+FOTACFG\r"
		       "AT+FOTACFG=\"codes\",all\rAT+FOTACFG=\"codes\",\"all\",\"x\"\r");
	assert_out("\r\n+CME ERROR: 22\r\n"
		   "\r\n+CME ERROR: 22\r\n" ERROR ERROR ERROR ERROR ERROR);
	assert_string_equal(values[1], "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_settings_are_listed_in_one_block, start),
		cmocka_unit_test_setup(one_is_shown_by_its_name, start),
		cmocka_unit_test_setup(one_is_set_and_an_empty_value_counts, start),
		cmocka_unit_test_setup(a_change_may_take_time, start),
		cmocka_unit_test_setup(what_is_unknown_or_wrong_is_refused, start),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
