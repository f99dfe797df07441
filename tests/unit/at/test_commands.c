/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for all commands, for ports beside each other, and for configurations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "rig.h"

#define OK         "\r\nOK\r\n"
#define ERROR      "\r\nERROR\r\n"
#define NO_CARRIER "\r\nNO CARRIER\r\n"

static struct rig rig;

static int start(void **state)
{
	(void)state;
	return rig_start_quiet(&rig, "strict") ? 0 : -1;
}

#define assert_out(text) assert_string_equal(rig_out(&rig), text)

/* ---- all commands ---- */

/* Sends each command with this tail to a fresh port; `check` sees the answers. S
 * registers would change the framing. */
static void ask_all(const char *tail, void (*check)(const char *out))
{
	for (size_t t = 0; t < rig.ports[0].cfg.table_count - 1; t++) { /* not those of the rig */
		for (size_t i = 0; i < rig.tables[t].count; i++) {
			const char *name = rig.tables[t].rows[i].name;

			if (name[0] == 'S') { continue; }
			assert_int_equal(start(NULL), 0);
			rig_feed(&rig, "AT");
			rig_feed(&rig, name);
			rig_feed(&rig, tail);
			rig_feed(&rig, "\r");
			check(rig_out(&rig));
		}
	}
}

static void check_lines(const char *out)
{
	size_t left = strlen(out);

	while (left > 0) {
		const char *end = strstr(out, "\r\n");
		size_t len = end ? (size_t)(end - out) : left;

		assert_true(len <= 2041);
		if (len + 2 < left) {
			assert_false((len == 1 && *out == '0') || (len == 2 && memcmp(out, "OK", 2) == 0));
		}
		len += end ? 2 : 0;
		out += len;
		left -= len;
	}
}

static void v250_095_lines_are_short_and_none_reads_like_a_result(void **state)
{
	(void)state;
	ask_all("=?", check_lines);
	ask_all("?", check_lines);
	ask_all("", check_lines);
}

static bool is_ended_with(const char *out, const char *end)
{
	size_t len = strlen(out), end_len = strlen(end);

	return len >= end_len && strcmp(out + len - end_len, end) == 0;
}

/* V.250 6.3: what enters data mode answers CONNECT, and a prompt is "> " without an end. */
static void check_final(const char *out)
{
	assert_null(strstr(out, "CONNECT"));
	assert_null(strstr(out, "> "));
	assert_true(out[0] == 0 || is_ended_with(out, OK) || is_ended_with(out, ERROR) ||
		    is_ended_with(out, NO_CARRIER) || (strlen(out) == 2 && out[1] == '\r'));
}

static void v250_116_no_command_enters_data_mode_or_a_prompt(void **state)
{
	(void)state;
	ask_all("=?", check_final);
	ask_all("?", check_final);
	ask_all("", check_final);
	ask_all("1", check_final);
	ask_all("=1", check_final);
	rig_feed(&rig, "ATD*99#\rATO\rATA\r+++");
	assert_out(NO_CARRIER NO_CARRIER ERROR);
}

static void v250_120_the_fota_commands_answer_at_once(void **state)
{
	uint64_t before_ms = rig.now_ms;

	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r");
	assert_out(OK);
	rig_feed(&rig, "AT+CSCFOTA=\"A\",\"B\",\"1\",\"0123456789abcdef\",\"V2\"\r");
	assert_out(OK);
	rig_feed(&rig, "AT+CSCFOTA=\"A\",\"B\",\"1\",\"0123456789abcdef\",\"V2\"\r");
	assert_out(ERROR);
	assert_int_equal(rig.now_ms, before_ms);
}

/* ---- ports ---- */

static void v250_119_ports_do_not_share_settings_or_memory(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=2;V0\r");
	rig_feed_bytes(&rig, 1, "AT+CMEE?\r", 9);
	assert_string_equal(rig_port_out(&rig, 1), "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK);
	rig_feed_bytes(&rig, 1, "A/", 2);
	assert_string_equal(rig_port_out(&rig, 1), "A/\r\n+CMEE: 0\r\n" OK);
}

static bool has_text(const void *bytes, size_t len, const char *text)
{
	const char *at = bytes;
	size_t text_len = strlen(text);

	for (size_t i = 0; i + text_len <= len; i++) {
		if (memcmp(at + i, text, text_len) == 0) { return true; }
	}
	return false;
}

static void reset_forgets_what_the_host_before_did(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=2;V0\rAT+TSET=\"sesame\"\r");
	assert_true(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	(void)rig_out(&rig);
	at_reset(&rig.ports[0].at);
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "A/AT+CMEE?\r");
	assert_out("A/" OK "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK);
}

static void reset_aborts_what_is_pending(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSTOP\rAT");
	at_reset(&rig.ports[0].at);
	assert_int_equal(rig.abort_count, 1);
	rig_complete(&rig, AT_OK);
	rig_feed(&rig, "AT\r");
	assert_out("AT\r" OK);
}

static void the_next_prefix_wipes_the_line_before(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSET=\"sesame\"\rAT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "               +TSET=\"sesame\"\rAT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "+TSET=\"\\61\\62sesame\"\rAT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "+TWAIT\rAT+TSET=\"sesame\"\r");
	rig_complete(&rig, AT_OK);
	rig_feed(&rig, "AT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "+TSET=\"sesame");
	rig_wait(&rig, 30000);
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
}

/* ---- configuration ---- */

static void init_refuses_a_configuration_without_its_parts(void **state)
{
	static const struct at_command no_handler[] = { { "+X", AT_ACTION } };
	struct at_table bad = { no_handler, 1, NULL };
	struct at_server at;
	struct at_cfg cfg = rig.ports[0].cfg;

	(void)state;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_OK);
	cfg.write = NULL;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	cfg = rig.ports[0].cfg;
	cfg.identity = NULL;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	cfg = rig.ports[0].cfg;
	cfg.tables = &bad;
	cfg.table_count = 1;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	cfg.table_count = 0;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	assert_int_equal(at_init(&at, NULL), FOTA_ERR_CONTRACT);
}

static void without_a_profile_the_default_is_sim7600(void **state)
{
	struct at_server at;
	struct at_cfg cfg = rig.ports[0].cfg;

	(void)state;
	cfg.profile = NULL;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_OK);
	assert_string_equal(at_get_profile(&at)->name, "sim7600");
	assert_null(at_profile_find("sim"));
}

static void an_identity_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	rig.fields[FOTA_IDENTITY_DEVICE] = "";
	rig.fields[FOTA_IDENTITY_VERSION] = NULL;
	rig.fields[FOTA_IDENTITY_MODEL] = "";
	rig_feed(&rig, "AT+CMEE=1\rAT+CGSN\rAT+CGMR\rAT+CGMM\r");
	assert_out(OK "\r\n+CME ERROR: 22\r\n"
		      "\r\n+CME ERROR: 22\r\n"
		      "\r\natfota module\r\n" OK);
}

static unsigned count_lines(const char *text, const char *line)
{
	unsigned count = 0;

	for (; (text = strstr(text, line)) != NULL; text++) {
		count++;
	}
	return count;
}

static void v250_106_clac_lists_every_command_once(void **state)
{
	const char *out;
	char line[32];

	(void)state;
	rig_feed(&rig, "AT+CLAC\r");
	out = rig_out(&rig);
	for (size_t t = 0; t < rig.ports[0].cfg.table_count; t++) {
		for (size_t i = 0; i < rig.tables[t].count; i++) {
			(void)snprintf(line, sizeof(line), "\nAT%s\r", rig.tables[t].rows[i].name);
			assert_int_equal(count_lines(out, line), 1);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v250_095_lines_are_short_and_none_reads_like_a_result),
		TEST(v250_116_no_command_enters_data_mode_or_a_prompt),
		TEST(v250_120_the_fota_commands_answer_at_once),
		TEST(v250_119_ports_do_not_share_settings_or_memory),
		TEST(reset_forgets_what_the_host_before_did),
		TEST(reset_aborts_what_is_pending),
		TEST(the_next_prefix_wipes_the_line_before),
		TEST(init_refuses_a_configuration_without_its_parts),
		TEST(without_a_profile_the_default_is_sim7600),
		TEST(an_identity_that_is_not_there_is_not_found),
		TEST(v250_106_clac_lists_every_command_once),
	};

	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
