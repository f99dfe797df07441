/* SPDX-License-Identifier: Apache-2.0 */
/* The FOTA commands, over a session that the test plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "rig.h"

#define OK      "\r\nOK\r\n"
#define ERROR   "\r\nERROR\r\n"
#define SECRET  "f9bbb0d76f894da090b6b69253616561"
#define CSCFOTA "AT+CSCFOTA=\"SIMCOM\",\"7600M21\",\"1540907004\",\"" SECRET "\",\"SIM7600M21_LE11_181025_V2.00\"\r"

static struct rig rig;

static int start_profile(const char *profile)
{
	if (!rig_start_quiet(&rig, profile)) { return -1; }
	rig_feed_bytes(&rig, 1, "ATE0\r", 5);
	(void)rig_port_out(&rig, 1);
	return 0;
}

static int start(void **state)
{
	(void)state;
	return start_profile("sim7600");
}

#define assert_out(text)   assert_string_equal(rig_out(&rig), text)
#define assert_other(text) assert_string_equal(rig_port_out(&rig, 1), text)

static void start_session(void)
{
	rig_feed(&rig, "AT+CAPFOTA=1\r" CSCFOTA);
	assert_out(OK OK);
}

static void capfota_switches_the_service(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=?\rAT+CAPFOTA?\rAT+CAPFOTA=1\rAT+CAPFOTA?\rAT+CAPFOTA=0\rAT+CAPFOTA?\r");
	assert_out("\r\n+CAPFOTA: (0-1)\r\n" OK "\r\n+CAPFOTA: 0\r\n" OK OK "\r\n+CAPFOTA: 1\r\n" OK OK
		   "\r\n+CAPFOTA: 0\r\n" OK);
}

static void the_service_is_one_for_all_ports(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r");
	rig_feed_bytes(&rig, 1, "AT+CAPFOTA?\r", 12);
	assert_other("\r\n+CAPFOTA: 1\r\n" OK);
}

static void v250_117_ok_comes_before_the_first_code(void **state)
{
	(void)state;
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_CHECKED, "check");
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	assert_out("\r\n+CSCFOTA: 2\r\n\r\n+CSCFOTA: 3\r\n");
	assert_other("");
}

static void an_a7600_ends_a_success_with_zero(void **state)
{
	(void)state;
	assert_int_equal(start_profile("a7600"), 0);
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_CHECKED, "check");
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	assert_out("\r\n+CSCFOTA: 2\r\n\r\n+CSCFOTA: 3\r\n\r\n+CSCFOTA: 0\r\n");
	rig_feed(&rig, CSCFOTA);
	fake_session_meet(&rig.session, FOTA_CODE_NO_VERSION, "check");
	assert_out(OK "\r\n+CSCFOTA: 5\r\n");
}

static void codes_go_to_the_port_that_started_the_session(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r");
	rig_feed_bytes(&rig, 1, CSCFOTA, strlen(CSCFOTA));
	fake_session_meet(&rig.session, FOTA_CODE_NO_VERSION, "check");
	assert_out(OK);
	assert_other(OK "\r\n+CSCFOTA: 5\r\n");
}

static void codes_go_to_all_ports_by_setting(void **state)
{
	(void)state;
	rig.fota_cfg.is_code_for_all = true;
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_NO_VERSION, "check");
	assert_out("\r\n+CSCFOTA: 5\r\n");
	assert_other("\r\n+CSCFOTA: 5\r\n");
}

static void every_code_is_told_by_its_number(void **state)
{
	const struct fota_code_info *list;
	char expected[32];
	unsigned count;

	(void)state;
	list = fota_code_list(&count);
	for (unsigned i = 0; i < count; i++) {
		fake_session_meet(&rig.session, (enum fota_code)list[i].number, "x");
		(void)snprintf(expected, sizeof(expected), "\r\n+CSCFOTA: %d\r\n", list[i].number);
		assert_out(expected);
	}
}

static void a_session_off_is_303(void **state)
{
	(void)state;
	rig_feed(&rig, CSCFOTA "AT+CMEE=1\r" CSCFOTA "AT+CMEE=2\r" CSCFOTA);
	assert_out(ERROR OK "\r\n+CME ERROR: 303\r\n" OK "\r\n+CME ERROR: invalid operation\r\n");
}

static void a_second_session_is_308_from_either_port(void **state)
{
	(void)state;
	start_session();
	rig_feed(&rig, "AT+CMEE=1\r" CSCFOTA);
	assert_out(OK "\r\n+CME ERROR: 308\r\n");
	rig_feed_bytes(&rig, 1, CSCFOTA, strlen(CSCFOTA));
	assert_other(ERROR);
	fake_session_meet(&rig.session, FOTA_CODE_CHECKED, "check");
	assert_out("\r\n+CSCFOTA: 2\r\n");
}

static void a_module_without_model_is_403(void **state)
{
	(void)state;
	rig.session.is_without_model = true;
	rig_feed(&rig, "AT+CAPFOTA=1;+CMEE=1\r" CSCFOTA);
	assert_out(OK "\r\n+CME ERROR: 403\r\n");
}

static void bad_parameters_are_302(void **state)
{
	static const char *const bad[] = {
		"AT+CSCFOTA=\r",
		"AT+CSCFOTA=,,,,\r",
		"AT+CSCFOTA=\"A\",\"B\",\"1\",\"" SECRET "\"\r",                           /* missing */
		"AT+CSCFOTA=\"A\",\"B\",\"1\",,\"V\"\r",                                   /* missing inside */
		"AT+CSCFOTA=A,\"B\",\"1\",\"" SECRET "\",\"V\"\r",                         /* unquoted */
		"AT+CSCFOTA=\"A\",\"B\",1,\"" SECRET "\",\"V\"\r",                         /* unquoted number */
		"AT+CSCFOTA=\"\",\"B\",\"1\",\"" SECRET "\",\"V\"\r",                      /* empty */
		"AT+CSCFOTA=\"A\",\"B\",\"123456789012345678901\",\"" SECRET "\",\"V\"\r", /* too long */
		"AT+CSCFOTA=\"A\",\"B\",\"12a\",\"" SECRET "\",\"V\"\r",                   /* no digit */
		"AT+CSCFOTA=\"A\",\"B\",\"1\",\"short\",\"V\"\r",
		"AT+CSCFOTA=\"A\",\"B\",\"1\",\"" SECRET "\",\"V\",\"W\"\r", /* one too many */
		"AT+CSCFOTA=\"A\",\"B\",\"1\",\"" SECRET "\",\"V\r",         /* open */
		"AT+CSCFOTA=\"A\",\"B\",\"1\",\"" SECRET "\",\"V\\00\"\r",
		"AT+CSCFOTA=\xe2\x80\x9d"
		"A\xe2\x80\x9d,\"B\",\"1\",\"" SECRET "\",\"V\"\r", /* typographic */
	};

	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r");
	(void)rig_out(&rig);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_feed(&rig, bad[i]);
		assert_out(ERROR);
		rig_feed(&rig, "AT+CMEE=1\r");
		rig_feed(&rig, bad[i]);
		rig_feed(&rig, "AT+CMEE=0\r");
		assert_out(OK "\r\n+CME ERROR: 302\r\n" OK);
		assert_false(rig.session.info.is_running);
	}
}

static void forms_without_meaning_are_plain_errors(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1\rAT+CSCFOTA?\rAT+CSCFOTA\rAT+CAPFOTA\rAT+FOTACANCEL?\rAT+FOTASTATE\rAT+FOTAPROG\r");
	assert_out(OK ERROR ERROR ERROR ERROR ERROR ERROR);
}

static void off_during_a_session_is_ok_and_then_307(void **state)
{
	(void)state;
	start_session();
	rig_feed(&rig, "AT+CAPFOTA=0\r");
	assert_out(OK);
	fake_session_turn(&rig.session);
	fake_session_turn(&rig.session);
	assert_out("\r\n+CSCFOTA: 307\r\n");
}

static void cancel_ends_the_session(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTACANCEL=?\rAT+FOTACANCEL\r");
	assert_out(OK ERROR);
	start_session();
	rig_feed(&rig, "AT+FOTACANCEL\r");
	fake_session_turn(&rig.session);
	assert_out(OK "\r\n+CSCFOTA: 307\r\n");
	rig_feed(&rig, "AT+CMEE=1\rAT+FOTACANCEL\r");
	assert_out(OK "\r\n+CME ERROR: 303\r\n");
}

static void the_strings_arrive_as_they_were_typed(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r"
		       "AT+CSCFOTA=\"A\",\"B\",\"1\",\"\\30123456789;,abcd\\5c\",\"v \\22\\e9\"\rAT+FOTASTATE?\r");
	assert_memory_equal(rig.session.secret, "0123456789;,abcd\\", 17);
	assert_int_equal(rig.session.secret_len, 17);
	assert_out(OK OK "\r\n+FOTASTATE: 1,0,0,\"v \\22\xe9\"\r\n" OK);
}

static void the_secret_is_in_no_answer(void **state)
{
	(void)state;
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_CHECKED, "check");
	rig_feed(&rig, "AT+CMEE=2\rA/AT+FOTASTATE?\rAT+FOTALAST?\rAT+FOTASTAT?\rAT+CLAC\rATI\r" CSCFOTA);
	rig_feed_bytes(&rig, 1, "A/AT+FOTASTATE?\rAT+FOTALAST?\r", 29);
	assert_null(strstr(rig_out(&rig), SECRET));
	assert_null(strstr(rig_port_out(&rig, 1), SECRET));
}

static void a_slash_starts_the_session_again(void **state)
{
	(void)state;
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_CONNECT, "check");
	memset(rig.session.secret, 0, sizeof(rig.session.secret));
	rig_feed(&rig, "A/");
	assert_out("\r\n+CSCFOTA: 503\r\n" OK);
	assert_memory_equal(rig.session.secret, SECRET, strlen(SECRET));
}

static void state_shows_the_session(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTASTATE?\rAT+FOTASTATE=?\r");
	assert_out("\r\n+FOTASTATE: 0,0,0,\"\"\r\n" OK OK);
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_CHECKED, "check");
	fake_session_receive(&rig.session, 5000000000, 6000000000);
	rig_feed(&rig, "AT+FOTASTATE?\r");
	assert_out(
		"\r\n+CSCFOTA: 2\r\n\r\n+FOTASTATE: 2,5000000000,6000000000,\"SIM7600M21_LE11_181025_V2.00\"\r\n" OK);
}

static void last_shows_how_the_last_session_ended(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTALAST?\r");
	assert_out("\r\n+FOTALAST: 0,\"\",\"\",\"\"\r\n" OK);
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_RESOLVE, "check");
	rig_feed(&rig, "AT+FOTALAST?\r");
	assert_out("\r\n+CSCFOTA: 502\r\n\r\n+FOTALAST: 502,\"unable to resolve domain name\",\"check\","
		   "\"SIM7600M21_LE11_181025_V2.00\"\r\n" OK);
}

static void stat_shows_the_counters_of_the_port(void **state)
{
	char line[AT_LINE_BYTES + 16];

	(void)state;
	memset(line, 'x', sizeof(line));
	rig_feed(&rig, "AT");
	rig_feed_bytes(&rig, 0, line, sizeof(line));
	rig_feed(&rig, "\rAT+TWAIT\r");
	rig_feed_bytes(&rig, 0, line, AT_INPUT_BYTES + 3);
	rig_complete(&rig, AT_OK);
	rig_feed(&rig, "\rAT+TSTOP\r");
	rig_wait(&rig, 125);
	rig_feed(&rig, "x");
	rig_urc(&rig, AT_URC_RESULT, "");
	(void)rig_out(&rig);
	rig_feed(&rig, "AT+FOTASTAT?\rAT+FOTASTAT=?\r");
	assert_out("\r\n+FOTASTAT: 2,3,1,1\r\n" OK OK);
	rig_feed_bytes(&rig, 1, "AT+FOTASTAT?\r", 13);
	assert_other("\r\n+FOTASTAT: 0,0,0,0\r\n" OK);
}

/* ---- progress ---- */

static void progress_is_off_by_default(void **state)
{
	(void)state;
	start_session();
	fake_session_receive(&rig.session, 1, 100);
	fake_session_receive(&rig.session, 100, 100);
	fake_session_retry(&rig.session);
	assert_out("");
}

static void prog_has_its_forms(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTAPROG=?\rAT+FOTAPROG?\rAT+FOTAPROG=3600\rAT+FOTAPROG?\rAT+FOTAPROG=3601\rAT+FOTAPROG=\r");
	assert_out("\r\n+FOTAPROG: (0-3600)\r\n" OK "\r\n+FOTAPROG: 0\r\n" OK OK
		   "\r\n+FOTAPROG: 3600\r\n" OK ERROR ERROR);
}

static void progress_comes_at_most_every_n_seconds_and_at_the_end(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTAPROG=2\r");
	(void)rig_out(&rig);
	start_session();
	fake_session_receive(&rig.session, 10, 100);
	rig_wait(&rig, 1999);
	fake_session_receive(&rig.session, 20, 100);
	assert_out("\r\n+FOTAPROG: 10,100\r\n");
	rig_wait(&rig, 1);
	fake_session_receive(&rig.session, 30, 100);
	fake_session_receive(&rig.session, 30, 100);
	fake_session_receive(&rig.session, 40, 100);
	assert_out("\r\n+FOTAPROG: 30,100\r\n");
	fake_session_receive(&rig.session, 100, 100);
	fake_session_receive(&rig.session, 100, 100);
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	assert_out("\r\n+FOTAPROG: 100,100\r\n\r\n+CSCFOTA: 3\r\n");
}

static void the_last_movement_is_shown_before_the_code(void **state)
{
	(void)state;
	start_session();
	rig_feed(&rig, "AT+FOTAPROG=60\r");
	fake_session_receive(&rig.session, 10, 100);
	fake_session_receive(&rig.session, 20, 100);
	fake_session_meet(&rig.session, FOTA_CODE_PARTIAL, "download");
	fake_session_meet(&rig.session, FOTA_CODE_SOCKET_RECV, "download");
	assert_out(OK "\r\n+FOTAPROG: 10,100\r\n\r\n+FOTAPROG: 20,100\r\n\r\n+CSCFOTA: 4\r\n\r\n+CSCFOTA: 513\r\n");
}

static void the_next_session_shows_its_progress_from_the_start(void **state)
{
	(void)state;
	start_session();
	rig_feed(&rig, "AT+FOTAPROG=60\r");
	fake_session_receive(&rig.session, 10, 100);
	fake_session_meet(&rig.session, FOTA_CODE_CONNECT, "download");
	rig_feed(&rig, CSCFOTA);
	(void)rig_out(&rig);
	fake_session_receive(&rig.session, 10, 100);
	assert_out("\r\n+FOTAPROG: 10,100\r\n");
}

static void any_port_can_watch(void **state)
{
	(void)state;
	rig_feed_bytes(&rig, 1, "AT+FOTAPROG=1\r", 14);
	start_session();
	fake_session_receive(&rig.session, 10, 100);
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	assert_out("\r\n+CSCFOTA: 3\r\n");
	assert_other(OK "\r\n+FOTAPROG: 10,100\r\n");
}

static void progress_is_off_for_the_next_host_of_the_port(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTAPROG=1\r");
	(void)rig_out(&rig);
	start_session();
	fake_session_receive(&rig.session, 10, 100);
	fake_session_receive(&rig.session, 20, 100);
	assert_out("\r\n+FOTAPROG: 10,100\r\n");
	at_reset(&rig.ports[0].at);
	fake_session_receive(&rig.session, 100, 100);
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	assert_out("\r\n+CSCFOTA: 3\r\n");
	rig_feed(&rig, "ATE0\rAT+FOTAPROG?\r");
	assert_out("ATE0\r" OK "\r\n+FOTAPROG: 0\r\n" OK);
}

/* ---- ports ---- */

static void a_port_that_goes_gets_nothing_more(void **state)
{
	(void)state;
	start_session();
	at_fota_remove_port(&rig.fota, &rig.ports[0].at);
	at_fota_remove_port(&rig.fota, &rig.ports[0].at);
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	assert_out("");
	rig_feed(&rig, "AT+FOTAPROG=1\rAT+CAPFOTA?\r");
	assert_out(ERROR "\r\n+CAPFOTA: 1\r\n" OK);
	assert_int_equal(at_fota_add_port(&rig.fota, &rig.ports[0].at), FOTA_ERR_OK);
	assert_int_equal(at_fota_add_port(&rig.fota, &rig.ports[0].at), FOTA_ERR_CONTRACT);
}

static void there_is_room_for_eight_ports(void **state)
{
	static struct at_server servers[AT_FOTA_PORT_MAX];
	static struct at_cfg cfgs[AT_FOTA_PORT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < AT_FOTA_PORT_MAX - RIG_PORTS; i++) {
		cfgs[i] = rig.ports[0].cfg;
		cfgs[i].port = 100 + (uint32_t)i;
		assert_int_equal(at_init(&servers[i], &cfgs[i]), FOTA_ERR_OK);
		assert_int_equal(at_fota_add_port(&rig.fota, &servers[i]), FOTA_ERR_OK);
	}
	cfgs[i] = rig.ports[0].cfg;
	cfgs[i].port = 99;
	assert_int_equal(at_init(&servers[i], &cfgs[i]), FOTA_ERR_OK);
	assert_int_equal(at_fota_add_port(&rig.fota, &servers[i]), FOTA_ERR_FULL);
}

static void init_refuses_a_configuration_without_its_parts(void **state)
{
	struct at_fota_cfg cfg = rig.fota_cfg;
	struct at_fota fota;

	(void)state;
	assert_int_equal(at_fota_init(&fota, NULL), FOTA_ERR_CONTRACT);
	cfg.session = NULL;
	assert_int_equal(at_fota_init(&fota, &cfg), FOTA_ERR_CONTRACT);
	cfg = rig.fota_cfg;
	cfg.clock = NULL;
	assert_int_equal(at_fota_init(&fota, &cfg), FOTA_ERR_CONTRACT);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

/* ---- check only ---- */

#define CHECK(target) \
	"AT+FOTACHECK=\"SIMCOM\",\"7600M21\",\"1540907004\",\"f9bbb0d76f894da090b6b69253616561\",\"" target "\"\r"

static void a_check_ends_with_what_is_offered(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r" CHECK("V2"));
	assert_out(OK OK);
	assert_true(rig.session.is_check_only);
	rig_feed(&rig, CHECK("V2"));
	assert_out(ERROR);
	fake_session_meet(&rig.session, FOTA_CODE_CHECKED, "check");
	fake_session_offer(&rig.session, UINT64_MAX, 255);
	assert_out("\r\n+CSCFOTA: 2\r\n\r\n+FOTACHECK: \"V2\",18446744073709551615,255\r\n");
	assert_string_equal(rig_port_out(&rig, 1), "");
}

static void a_check_that_finds_nothing_ends_with_its_code(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r" CHECK("V2"));
	fake_session_meet(&rig.session, FOTA_CODE_NO_VERSION, "check");
	assert_out(OK OK "\r\n+CSCFOTA: 5\r\n");
}

static void a_check_takes_what_a_session_takes(void **state)
{
	(void)state;
	rig_feed(&rig, CHECK("V2") "AT+CAPFOTA=1;+CMEE=1\rAT+FOTACHECK=\"A\"\rAT+FOTACHECK?\rAT+FOTACHECK=?\r");
	assert_out(ERROR OK "\r\n+CME ERROR: 302\r\n" ERROR OK);
}

/* 88 characters of the version fit; an octet of UTF-8 or an escape is never cut. */
static void a_long_version_is_cut_between_characters(void **state)
{
	static const struct {
		const char *unit, *shown;
		size_t len, count;
	} units[] = {
		{ "x", "x", 1, 88 },
		{ "\xc3\xa9", "\xc3\xa9", 2, 43 },
		{ "\\22", "\\22", 3, 29 },
	};

	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r");
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		char expected[256] = "\r\n+FOTACHECK: \"";
		char target[512] = "";

		for (size_t i = 0; i < (units[u].len == 2 ? 64 : 128); i++) {
			strcat(target, units[u].unit);
			if (i < units[u].count) { strcat(expected, units[u].shown); }
		}
		strcat(expected, "\",7,1\r\n");
		rig_feed(&rig, "AT+FOTACHECK=\"A\",\"B\",\"1\",\"0123456789abcdef\",\"");
		rig_feed(&rig, target);
		rig_feed(&rig, "\"\r");
		(void)rig_out(&rig);
		fake_session_offer(&rig.session, 7, 1);
		assert_out(expected);
	}
}

/* ---- installation ---- */

static void an_installation_needs_something_ready(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1\rAT+FOTAINSTALL\rAT+FOTAINSTALL=?\rAT+FOTAINSTALL?\rAT+FOTAINSTALL=1\r");
	assert_out(OK "\r\n+CME ERROR: 303\r\n" OK ERROR ERROR);
	assert_int_equal(rig.session.install_count, 0);
	start_session();
	rig_feed(&rig, "AT+FOTAINSTALL\r");
	assert_out("\r\n+CME ERROR: 308\r\n");
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	(void)rig_out(&rig);
	rig_feed_bytes(&rig, 1, "AT+FOTAINSTALL\r", 15);
	assert_other(OK);
	assert_int_equal(rig.session.install_count, 1);
}

static void an_installation_is_308_for_everything_else(void **state)
{
	(void)state;
	start_session();
	fake_session_meet(&rig.session, FOTA_CODE_DOWNLOADED, "verify");
	rig_feed(&rig, "AT+CMEE=1;+FOTAINSTALL\r");
	(void)rig_out(&rig);
	rig_feed(&rig, CSCFOTA CHECK("V2") "AT+FOTAINSTALL\rAT+FOTACANCEL\rAT+FOTASTATE?\r");
	assert_out("\r\n+CME ERROR: 308\r\n\r\n+CME ERROR: 308\r\n\r\n+CME ERROR: 308\r\n\r\n+CME ERROR: 303\r\n"
		   "\r\n+FOTASTATE: 5,0,0,\"SIM7600M21_LE11_181025_V2.00\"\r\n" OK);
}

static void a_version_on_trial_is_kept_or_not(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1\rAT+FOTACONFIRM=?\rAT+FOTACONFIRM=1\rAT+FOTACONFIRM=2\rAT+FOTACONFIRM\r");
	assert_out(OK "\r\n+FOTACONFIRM: (0-1)\r\n" OK "\r\n+CME ERROR: 303\r\n" ERROR ERROR);
	for (unsigned is_kept = 0; is_kept < 2; is_kept++) {
		fake_session_result(&rig.session, FOTA_CODE_NONE, "V1", "V2");
		(void)rig_out(&rig);
		rig_feed(&rig, is_kept ? "AT+FOTACONFIRM=1\r" : "AT+FOTACONFIRM=0\r");
		assert_out(OK);
		assert_int_equal(rig.session.kept_count, is_kept);
		assert_int_equal(rig.session.rolled_back_count, 1);
	}
}

static void a_result_is_told_to_all_ports_and_can_be_asked_for(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+FOTARESULT?\rAT+FOTARESULT=?\r");
	assert_out(OK OK);
	fake_session_result(&rig.session, FOTA_CODE_INCOMPLETE, "V1", "V\"2");
	assert_out("\r\n+FOTARESULT: 509,\"V1\",\"V\\222\"\r\n");
	assert_other("\r\n+FOTARESULT: 509,\"V1\",\"V\\222\"\r\n");
	rig_feed(&rig, "AT+FOTARESULT?\r");
	assert_out("\r\n+FOTARESULT: 509,\"V1\",\"V\\222\"\r\n" OK);
}

/* The line is as long as an unsolicited result may be; the command shows all. */
static void long_versions_share_the_line_of_a_result(void **state)
{
	char old_version[129], new_version[129], expected[160], whole[320];

	(void)state;
	memset(old_version, 'o', 128);
	memset(new_version, 'n', 128);
	old_version[128] = new_version[128] = 0;
	fake_session_result(&rig.session, FOTA_CODE_ABORTED, old_version, new_version);
	(void)snprintf(expected, sizeof(expected), "\r\n+FOTARESULT: 508,\"%.53s\",\"%.52s\"\r\n", old_version,
		       new_version);
	assert_int_equal(strlen(expected), AT_URC_TEXT_BYTES + 4);
	assert_out(expected);
	rig_feed(&rig, "AT+FOTARESULT?\r");
	(void)snprintf(whole, sizeof(whole), "\r\n+FOTARESULT: 508,\"%s\",\"%s\"\r\n" OK, old_version, new_version);
	assert_out(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_installation_needs_something_ready),
		TEST(an_installation_is_308_for_everything_else),
		TEST(a_version_on_trial_is_kept_or_not),
		TEST(a_result_is_told_to_all_ports_and_can_be_asked_for),
		TEST(long_versions_share_the_line_of_a_result),
		TEST(capfota_switches_the_service),
		TEST(the_service_is_one_for_all_ports),
		TEST(a_check_ends_with_what_is_offered),
		TEST(a_check_that_finds_nothing_ends_with_its_code),
		TEST(a_check_takes_what_a_session_takes),
		TEST(a_long_version_is_cut_between_characters),
		TEST(v250_117_ok_comes_before_the_first_code),
		TEST(an_a7600_ends_a_success_with_zero),
		TEST(codes_go_to_the_port_that_started_the_session),
		TEST(codes_go_to_all_ports_by_setting),
		TEST(every_code_is_told_by_its_number),
		TEST(a_session_off_is_303),
		TEST(a_second_session_is_308_from_either_port),
		TEST(a_module_without_model_is_403),
		TEST(bad_parameters_are_302),
		TEST(forms_without_meaning_are_plain_errors),
		TEST(off_during_a_session_is_ok_and_then_307),
		TEST(cancel_ends_the_session),
		TEST(the_strings_arrive_as_they_were_typed),
		TEST(the_secret_is_in_no_answer),
		TEST(a_slash_starts_the_session_again),
		TEST(state_shows_the_session),
		TEST(last_shows_how_the_last_session_ended),
		TEST(stat_shows_the_counters_of_the_port),
		TEST(progress_is_off_by_default),
		TEST(prog_has_its_forms),
		TEST(progress_comes_at_most_every_n_seconds_and_at_the_end),
		TEST(the_last_movement_is_shown_before_the_code),
		TEST(the_next_session_shows_its_progress_from_the_start),
		TEST(any_port_can_watch),
		TEST(progress_is_off_for_the_next_host_of_the_port),
		TEST(a_port_that_goes_gets_nothing_more),
		TEST(there_is_room_for_eight_ports),
		TEST(init_refuses_a_configuration_without_its_parts),
	};

	return cmocka_run_group_tests_name("fota", tests, NULL, NULL);
}
