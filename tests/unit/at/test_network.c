/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual SIM and cell: formats, and that answers fit what was set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static struct rig rig;

static void begin(const char *profile)
{
	assert_true(rig_init(&rig, profile));
	rig_feed(&rig, "ATE0+CMEE=1\r");
	rig_feed_bytes(&rig, 1, "ATE0\r", 5);
	(void)rig_out(&rig);
	(void)rig_port_out(&rig, 1);
}

static int start(void **state)
{
	(void)state;
	begin("sim7600");
	return 0;
}

static void expect(const char *in, const char *out)
{
	rig_feed(&rig, in);
	assert_string_equal(rig_out(&rig), out);
}

/* ---- formats ---- */

static const struct {
	const char *in, *out;
} formats[] = {
	{ "AT+CPIN?\r", "\r\n+CPIN: READY\r\n" OK },
	{ "AT+CIMI\r", "\r\n460010123456789\r\n" OK },
	{ "AT+CICCID\r", "\r\n+ICCID: 89860112345678901234\r\n" OK },
	{ "AT+CFUN?\r", "\r\n+CFUN: 1\r\n" OK },
	{ "AT+CFUN=?\r", "\r\n+CFUN: (0-1,4-7),(0-1)\r\n" OK },
	{ "AT+CSQ\r", "\r\n+CSQ: 22,0\r\n" OK },
	{ "AT+CSQ=?\r", "\r\n+CSQ: (0-31,99),(0-7,99)\r\n" OK },
	{ "AT+CREG?;+CGREG?;+CEREG?\r", "\r\n+CREG: 0,1\r\n"
					"\r\n+CGREG: 0,1\r\n"
					"\r\n+CEREG: 0,1\r\n" OK },
	{ "AT+CREG=?\r", "\r\n+CREG: (0-2)\r\n" OK },
	{ "AT+COPS?\r", "\r\n+COPS: 0,0,\"CHN-UNICOM\",7\r\n" OK },
	{ "AT+CPSI?\r", "\r\n+CPSI: LTE,Online,460-01,0x230A,175499523,318,EUTRAN-BAND3,1650,5,0,21,67,255,19\r\n" OK },
	{ "AT+CBC\r", "\r\n+CBC: 3.749V\r\n" OK },
	{ "AT+CSUB\r", "\r\n+CSUB: B04V03\r\n+CSUB: MDM9x07_LE20_S_22_V1.03_210527\r\n" OK },
	{ "AT+SIMCOMATI\r",
	  "\r\nManufacturer: SIMCOM INCORPORATED\r\nModel: 7600M21\r\nRevision: LE20B04SIM7600G22\r\n"
	  "IMEI: 867584030000001\r\nCSUB: B04V03\r\nQCN: \r\nMEID: \r\nDeviceInfo: \r\n+GCAP: +CGSM\r\n" OK },
	{ "AT+CSCS?;+CSCS=?\r", "\r\n+CSCS: \"IRA\"\r\n"
				"\r\n+CSCS: (\"IRA\",\"GSM\")\r\n" OK },
	{ "AT+IFC?;+IFC=?\r", "\r\n+IFC: 0,0\r\n"
			      "\r\n+IFC: (0,2),(0,2)\r\n" OK },
	{ "AT+IPR?\r", "\r\n+IPR: 115200\r\n" OK },
	{ "AT+CTZU?;+CTZR?;+CTZU=?;+CTZR=?\r", "\r\n+CTZU: 0\r\n"
					       "\r\n+CTZR: 0\r\n"
					       "\r\n+CTZU: (0-1)\r\n"
					       "\r\n+CTZR: (0-1)\r\n" OK },
	{ "ATH\rATH0\rATH1\r", OK OK ERROR },
	{ "AT&V\r", "\r\nE: 0\r\nQ: 0\r\nV: 1\r\nX: 0\r\nS3: 13\r\nS4: 10\r\nS5: 8\r\n+CMEE: 1\r\n" OK },
	{ "AT+GOI\r", "\r\n2.25.155110588102779267562113639876624176814\r\n" OK },
	{ "AT+CPIN=?;+CIMI=?;+CICCID=?;+CPSI=?;+CBC=?;+CSUB=?;+CRESET=?;+CCLK=?\r", OK },
	{ "AT+COPS=?\rAT&W\rAT+CMUX=?\r", ERROR ERROR ERROR },
};

static void answers_have_the_formats_of_a_sim7600(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		expect(formats[i].in, formats[i].out);
	}
}

static void an_a7600_has_its_own_versions_and_boot_messages(void **state)
{
	(void)state;
	begin("a7600");
	expect("AT+CSUB\r", "\r\n+CSUB: B01V01\r\n+CSUB: A7600_A35_V1.01_210527\r\n" OK);
	at_network_boot(&rig.network);
	assert_string_equal(rig_out(&rig), "\r\n*ATREADY: 1\r\n"
					   "\r\n+CPIN: READY\r\n"
					   "\r\nSMS DONE\r\n");
}

static const struct {
	uint64_t unix_s;
	const char *out;
} dates[] = {
	{ 0, "\r\n+CCLK: \"70/01/01,00:00:00+00\"\r\n" OK },
	{ 951782399, "\r\n+CCLK: \"00/02/28,23:59:59+00\"\r\n" OK },
	{ 951782400, "\r\n+CCLK: \"00/02/29,00:00:00+00\"\r\n" OK },
	{ 951868800, "\r\n+CCLK: \"00/03/01,00:00:00+00\"\r\n" OK },
	{ 1709164800, "\r\n+CCLK: \"24/02/29,00:00:00+00\"\r\n" OK },
	{ 1767225599, "\r\n+CCLK: \"25/12/31,23:59:59+00\"\r\n" OK },
	{ 1793973845, "\r\n+CCLK: \"26/11/06,14:04:05+00\"\r\n" OK },
	{ 4107542400, "\r\n+CCLK: \"00/03/01,00:00:00+00\"\r\n" OK },
};

static void the_clock_knows_leap_years(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		rig.unix_s = dates[i].unix_s;
		expect("AT+CCLK?\r", dates[i].out);
	}
}

/* ---- state ---- */

#define GONE                  \
	"\r\n+CREG: 0,0\r\n"  \
	"\r\n+CGREG: 0,0\r\n" \
	"\r\n+CEREG: 0,0\r\n" \
	"\r\n+CSQ: 99,99\r\n"

static void without_radio_nothing_is_registered(void **state)
{
	(void)state;
	expect("AT+CFUN=4\r", OK);
	expect("AT+CREG?;+CGREG?;+CEREG?;+CSQ;+COPS?;+CPSI?;+CFUN?\r", GONE "\r\n+COPS: 0\r\n"
									    "\r\n+CPSI: NO SERVICE,Low Power Mode\r\n"
									    "\r\n+CFUN: 4\r\n" OK);
	expect("AT+CPIN?;+CIMI\r", "\r\n+CPIN: READY\r\n"
				   "\r\n460010123456789\r\n" OK);
	expect("AT+CFUN=1\r", OK);
	expect("AT+CREG?;+CSQ\r", "\r\n+CREG: 0,1\r\n"
				  "\r\n+CSQ: 22,0\r\n" OK);
}

static void minimum_function_turns_the_sim_off(void **state)
{
	(void)state;
	expect("AT+CFUN=0\rAT+CPIN?\rAT+CIMI\rAT+CICCID\rAT+CPIN=\"1234\"\r", OK "\r\n+CME ERROR: 14\r\n"
										 "\r\n+CME ERROR: 14\r\n"
										 "\r\n+CME ERROR: 14\r\n"
										 "\r\n+CME ERROR: 14\r\n");
	expect("AT+CFUN=1\rAT+CPIN?\rAT+CPIN=\"1234\"\r", OK "\r\n+CPIN: READY\r\n" OK "\r\n+CME ERROR: 3\r\n");
}

static void a_host_that_asked_is_told_of_registration(void **state)
{
	(void)state;
	expect("AT+CREG=1;+CEREG=2\r", OK);
	expect("AT+CFUN=4\r", OK "\r\n+CREG: 0\r\n"
				 "\r\n+CEREG: 0\r\n");
	expect("AT+CFUN=4\r", OK);
	expect("AT+CFUN=1\r", OK "\r\n+CREG: 1\r\n"
				 "\r\n+CEREG: 1,\"230A\",\"A75E903\"\r\n");
	expect("AT+CREG?;+CEREG?\r", "\r\n+CREG: 1,1\r\n"
				     "\r\n+CEREG: 2,1,\"230A\",\"A75E903\"\r\n" OK);
	assert_string_equal(rig_port_out(&rig, 1), "");
}

static void the_other_port_is_told_as_well(void **state)
{
	(void)state;
	rig_feed_bytes(&rig, 1, "AT+CGREG=1\r", 11);
	(void)rig_port_out(&rig, 1);
	expect("AT+CFUN=0\r", OK);
	assert_string_equal(rig_port_out(&rig, 1), "\r\n+CGREG: 0\r\n");
}

static void settings_go_with_their_host(void **state)
{
	(void)state;
	expect("AT+CREG=2;+IFC=2,2;+IPR=9600;+CSCS=\"GSM\";+COPS=3,2;+CTZR=1\r", OK);
	expect("AT+IFC?;+IPR?;+CSCS?;+COPS?;+CTZR?\r", "\r\n+IFC: 2,2\r\n"
						       "\r\n+IPR: 9600\r\n"
						       "\r\n+CSCS: \"GSM\"\r\n"
						       "\r\n+COPS: 0,2,\"46001\",7\r\n"
						       "\r\n+CTZR: 1\r\n" OK);
	at_reset(&rig.ports[0].at);
	rig_feed(&rig, "ATE0\r");
	(void)rig_out(&rig);
	expect("AT+CFUN=4\rAT+CREG?;+IFC?;+IPR?;+CSCS?;+CTZR?\r", OK "\r\n+CREG: 0,0\r\n"
								     "\r\n+IFC: 0,0\r\n"
								     "\r\n+IPR: 115200\r\n"
								     "\r\n+CSCS: \"IRA\"\r\n"
								     "\r\n+CTZR: 0\r\n" OK);
}

static void deregistering_is_not_flight_mode(void **state)
{
	(void)state;
	expect("AT+CREG=1\r", OK);
	expect("AT+COPS=2\r", OK "\r\n+CREG: 0\r\n");
	expect("AT+COPS?;+CPSI?;+CSQ\r", "\r\n+COPS: 2\r\n"
					 "\r\n+CPSI: NO SERVICE,Online\r\n"
					 "\r\n+CSQ: 99,99\r\n" OK);
	expect("AT+COPS=0\r", OK "\r\n+CREG: 1\r\n");
	expect("AT+CFUN=4;+COPS=2\rAT+COPS=1,2\r", "\r\n+CME ERROR: 3\r\n"
						   "\r\n+CREG: 0\r\n"
						   "\r\n+CME ERROR: 4\r\n");
}

static void values_that_are_not_offered_are_refused(void **state)
{
	(void)state;
	expect("AT+CFUN=2\r", "\r\n+CME ERROR: 4\r\n");
	expect("AT+CFUN=8\rAT+CFUN=0,1\rAT+CFUN=1,2\r", ERROR "\r\n+CME ERROR: 4\r\n" ERROR);
	expect("AT+CSCS=\"UCS2\"\rAT+CSCS=IRA\rAT+IFC=1,1\rAT+IPR=1\rAT+CREG=3\rAT+CTZU=2\r",
	       ERROR ERROR ERROR ERROR ERROR ERROR);
	expect("AT+CSCS?;+IFC?;+IPR?;+CREG?\r", "\r\n+CSCS: \"IRA\"\r\n"
						"\r\n+IFC: 0,0\r\n"
						"\r\n+IPR: 115200\r\n"
						"\r\n+CREG: 0,1\r\n" OK);
}

/* ---- restart ---- */

static void a_restart_is_asked_for_once_and_answered(void **state)
{
	(void)state;
	expect("AT+CRESET;+CMEE=2\r", OK);
	assert_int_equal(rig.restart_count, 1);
	expect("AT+CFUN=1,1\r", OK);
	assert_int_equal(rig.restart_count, 2);
	expect("AT+CMEE?\r", "\r\n+CMEE: 1\r\n" OK);
}

static void function_6_restarts_after_7_only(void **state)
{
	(void)state;
	expect("AT+CFUN=6\r", "\r\n+CME ERROR: 3\r\n");
	assert_int_equal(rig.restart_count, 0);
	expect("AT+CFUN=7\rAT+CPSI?\rAT+CFUN=1\rAT+CFUN=7\r",
	       OK "\r\n+CPSI: NO SERVICE,Offline\r\n" OK "\r\n+CME ERROR: 3\r\n" OK);
	expect("AT+CFUN=6\r", OK);
	assert_int_equal(rig.restart_count, 1);
}

static void after_a_boot_all_is_as_at_the_start(void **state)
{
	(void)state;
	expect("AT+CREG=1;+COPS=2;+CTZU=1\r", OK "\r\n+CREG: 0\r\n");
	at_reset(&rig.ports[0].at);
	at_network_boot(&rig.network);
	assert_string_equal(rig_out(&rig), "\r\nRDY\r\n"
					   "\r\n+CPIN: READY\r\n"
					   "\r\nSMS DONE\r\n"
					   "\r\nPB DONE\r\n");
	rig_feed(&rig, "ATE0\r");
	(void)rig_out(&rig);
	expect("AT+CREG?;+CTZU?;+CFUN?\r", "\r\n+CREG: 0,1\r\n"
					   "\r\n+CTZU: 0\r\n"
					   "\r\n+CFUN: 1\r\n" OK);
}

/* ---- ports ---- */

static void a_port_that_takes_no_part_has_no_settings(void **state)
{
	(void)state;
	at_network_remove_port(&rig.network, &rig.ports[0].at);
	expect("AT+CREG?\rAT+COPS?\rAT+CTZR?\rAT+CSCS?\rAT+IFC?\rAT+IPR?\r", ERROR ERROR ERROR ERROR ERROR ERROR);
	expect("AT+CSQ\r", "\r\n+CSQ: 22,0\r\n" OK);
	at_network_remove_port(&rig.network, &rig.ports[0].at);
	at_network_boot(&rig.network);
	assert_string_equal(rig_out(&rig), "");
	assert_string_not_equal(rig_port_out(&rig, 1), "");
}

static void ports_and_configuration_are_checked(void **state)
{
	struct at_network network;
	struct at_network_cfg cfg = rig.network_cfg;

	(void)state;
	for (size_t i = rig.network.port_count; i < AT_NETWORK_PORT_MAX; i++) {
		assert_int_equal(at_network_add_port(&rig.network, &rig.ports[1].at), FOTA_ERR_OK);
	}
	assert_int_equal(at_network_add_port(&rig.network, &rig.ports[1].at), FOTA_ERR_FULL);
	cfg.restart = NULL;
	assert_int_equal(at_network_init(&network, &cfg), FOTA_ERR_CONTRACT);
	cfg = rig.network_cfg;
	cfg.clock = NULL;
	assert_int_equal(at_network_init(&network, &cfg), FOTA_ERR_CONTRACT);
	assert_int_equal(at_network_init(&network, NULL), FOTA_ERR_CONTRACT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answers_have_the_formats_of_a_sim7600, start),
		cmocka_unit_test(an_a7600_has_its_own_versions_and_boot_messages),
		cmocka_unit_test_setup(the_clock_knows_leap_years, start),
		cmocka_unit_test_setup(without_radio_nothing_is_registered, start),
		cmocka_unit_test_setup(minimum_function_turns_the_sim_off, start),
		cmocka_unit_test_setup(a_host_that_asked_is_told_of_registration, start),
		cmocka_unit_test_setup(the_other_port_is_told_as_well, start),
		cmocka_unit_test_setup(settings_go_with_their_host, start),
		cmocka_unit_test_setup(deregistering_is_not_flight_mode, start),
		cmocka_unit_test_setup(values_that_are_not_offered_are_refused, start),
		cmocka_unit_test_setup(a_restart_is_asked_for_once_and_answered, start),
		cmocka_unit_test_setup(function_6_restarts_after_7_only, start),
		cmocka_unit_test_setup(after_a_boot_all_is_as_at_the_start, start),
		cmocka_unit_test_setup(a_port_that_takes_no_part_has_no_settings, start),
		cmocka_unit_test_setup(ports_and_configuration_are_checked, start),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
