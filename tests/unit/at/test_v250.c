/* SPDX-License-Identifier: Apache-2.0 */
/* The checklist of V.250 and TS 27.007, where an item is one input and one output. A
 * case is named after the item's number. Each runs whole, byte by byte, and split at
 * each position; the output must be the same. So it must be for a host that ends lines with
 * CR LF, and, but for the framing, with S3 = LF for one that ends them with LF; not where
 * the case itself is about these characters (see `is_about_ends`). Items that need time or
 * unsolicited results are in test_order.c and test_urc.c.
 *
 * With the argument "ways" it prints how each case is fed, for docs/at-conformance.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "rig.h"

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

#define TEN    "0123456789"
#define EIGHTY TEN TEN TEN TEN TEN TEN TEN TEN

struct v250_case {
	const char *name;
	const char *profile;
	bool is_echo_on; /* else ATE0 runs before, unseen */
	const char *in;
	size_t in_len;
	const char *out;
	bool is_lf_host; /* S3 is set to LF before, unseen */
};

#define CASE_MAX 4096

#define ECHO(name, in, out)                                   \
	{                                                     \
		name, "strict", true, in, sizeof(in) - 1, out \
	}
#define PLAIN(name, in, out)                                   \
	{                                                      \
		name, "strict", false, in, sizeof(in) - 1, out \
	}
#define IN(profile, name, in, out)                            \
	{                                                     \
		name, profile, false, in, sizeof(in) - 1, out \
	}

static const struct v250_case cases[] = {
	/* line reception */
	PLAIN("v250_001_prefix_in_all_four_spellings", "AT\rat\rAt\raT\r", OK OK OK OK),
	PLAIN("v250_002_terminator_is_exactly_s3", "ATS3=30\rAT\r\036",
	      "\036\nOK\036\n"
	      "\036\nOK\036\n"),
	PLAIN("v250_003_body_of_80_characters", "AT+TSET=\"" EIGHTY "\"\r", "\r\n+TSET: \"" EIGHTY "\",7,\"\"\r\n" OK),
	PLAIN("v250_006_spaces_are_ignored", "AT + CMEE = 1 ; + CMEE ? \r", "\r\n+CMEE: 1\r\n" OK),
	PLAIN("v250_007_spaces_in_strings_are_kept", "AT+TSET=\" a  b \"\r", "\r\n+TSET: \" a  b \",7,\"\"\r\n" OK),
	PLAIN("v250_008_high_octets_pass_in_strings", "AT+TSET=\"\xc3\xa9\"\r",
	      "\r\n+TSET: \"\xc3\xa9\",7,\"\"\r\n" OK),
	PLAIN("v250_008_high_octets_elsewhere_are_refused", "AT\xc3\xa9\rAT+CMEE\xa0?\rAT+CMEE=\xb1\r",
	      ERROR ERROR ERROR),
	PLAIN("v250_008_typographic_quotes_do_not_delimit",
	      "AT+TSET=\xe2\x80\x9d"
	      "a\xe2\x80\x9d\r",
	      ERROR),
	PLAIN("v250_009_s3_is_checked_first", "ATS3=65\rAtAat+cmee?A",
	      "A\nOKA\n"
	      "A\n+CMEE: 0A\n"
	      "A\nOKA\n"),
	PLAIN("v250_010_s3_wins_over_s5", "ATS5=13\rAT\r", OK OK),
	ECHO("v250_011_editing_stops_at_the_prefix", "AT\b\b\b\r", "AT\r" OK),
	PLAIN("v250_011_editing_removes_the_last", "AT+CMEE=2\b1\rAT+CMEE?\r", OK "\r\n+CMEE: 1\r\n" OK),
	ECHO("v250_012_editing_echoes_bs_sp_bs", "ATX\b\r", "ATX\b \b\r" OK),
	PLAIN("v250_013_crlf_hosts_work", "AT\r\nAT\r\n", OK OK),
	PLAIN("v250_013_control_characters_are_ignored", "AT+\001CM\033EE\n?\r", "\r\n+CMEE: 0\r\n" OK),
	IN("sim7600", "v250_014_del_edits_on_a_sim7600", "ATQ\177\177\177\r", OK),
	PLAIN("v250_014_del_is_no_editing_character_in_v250", "ATE0\177\rAT+TSET=\"\177\"\r", ERROR ERROR),
	PLAIN("v250_015_noise_before_the_prefix", "xyzAT\r", OK),
	PLAIN("v250_016_search_restarts_at_the_second_a", "AAT\r", OK),
	PLAIN("v250_016_search_restarts_after_a_false_start", "AxAT\rAA\rAT\r", OK OK),
	ECHO("v250_017_empty_lines_are_not_answered", "\r\r\r\n\r\nA\r", "A"),
	PLAIN("v250_018_boot_noise", "\033\000\377AT\r", OK),
	PLAIN("v250_020_pipelined_lines", "AT+CMEE?\rAT+FOO\rAT+CMEE=1\rAT\r", "\r\n+CMEE: 0\r\n" OK ERROR OK OK),
	/* echo */
	ECHO("v250_022_echo_with_terminator", "at+cmee?\r", "at+cmee?\r\r\n+CMEE: 0\r\n" OK),
	PLAIN("v250_023_no_echo", "AT+CMEE?\r", "\r\n+CMEE: 0\r\n" OK),
	ECHO("v250_024_bare_e_is_e0", "ATE\rAT\r", "ATE\r" OK OK),
	ECHO("v250_025_e2_is_refused", "ATE2\rAT\r", "ATE2\r" ERROR "AT\r" OK),
	ECHO("v250_026_the_line_that_changes_e", "ATE0\rATE1\rAT\r", "ATE0\r" OK OK "AT\r" OK),
	ECHO("v250_027_noise_is_not_echoed", "\033xyz\nAT\r", "AT\r" OK),
	/* A/ */
	ECHO("v250_028_a_slash_at_once", "AT+CMEE?\rA/", "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK "A/\r\n+CMEE: 0\r\n" OK),
	PLAIN("v250_029_a_slash_repeats", "AT+CMEE?\ra/A/\r",
	      "\r\n+CMEE: 0\r\n" OK "\r\n+CMEE: 0\r\n" OK "\r\n+CMEE: 0\r\n" OK),
	{ "v250_030_a_slash_before_any_line", "strict", true, "A/", 2, "A/" OK },
	PLAIN("v250_031_a_slash_after_a_failure", "AT+FOO\rA/", ERROR ERROR),
	PLAIN("v250_032_a_slash_after_an_empty_line", "AT+FOO\rAT\rA/", ERROR OK OK),
	PLAIN("v250_033_a_slash_inside_a_line", "ATE0A/\rATH/\rA/", ERROR ERROR ERROR),
	PLAIN("a_slash_runs_escaped_strings_again", "AT+TSET=\"a\\22b\\5c\\41\",,\"\\31\\32\"\rA/A/",
	      "\r\n+TSET: \"a\\22b\\5CA\",7,=\"12\"\r\n" OK "\r\n+TSET: \"a\\22b\\5CA\",7,=\"12\"\r\n" OK
	      "\r\n+TSET: \"a\\22b\\5CA\",7,=\"12\"\r\n" OK),
	PLAIN("a_slash_runs_a_refused_string_again", "AT+TSET=\"\\41\",9,\"\\41\\42\\43\\44\"\rA/", ERROR ERROR),
	/* basic commands */
	PLAIN("v250_034_letter_or_ampersand_and_letter_with_a_number", "ATE0\rAT&F0E0V1&D2\rAT&\rAT1\rAT&1\r",
	      OK OK ERROR ERROR ERROR),
	PLAIN("v250_035_leading_zeros", "ATV0000000000001\rATS003?\r", OK "\r\n013\r\n" OK),
	PLAIN("v250_036_number_for_a_command_that_takes_none", "ATJ1\rATJ0\rAT&F1\rATZ2\rATI7\r",
	      ERROR ERROR ERROR ERROR ERROR),
	PLAIN("v250_037_basic_commands_in_a_row", "ATE0V1Q0X4&C1&D2\r", OK),
	PLAIN("v250_038_register_has_three_digits", "ATS3?\rATS4?S5?\r",
	      "\r\n013\r\n" OK "\r\n010\r\n"
	      "\r\n008\r\n" OK),
	PLAIN("v250_039_register_range", "ATS3=128\rATS3=256\rATS3=4294967309\rATS3?\r",
	      ERROR ERROR ERROR "\r\n013\r\n" OK),
	PLAIN("v250_040_the_line_that_changes_s3", "ATS3=33\rAT!",
	      "!\nOK!\n"
	      "!\nOK!\n"),
	PLAIN("v250_041_printable_s3_and_back", "ATS3=33\rATS3=13!AT\r", "!\nOK!\n" OK OK),
	PLAIN("v250_042_s4_in_headers_and_trailers", "ATS4=33\rAT+CMEE?\r",
	      "\r!OK\r!"
	      "\r!+CMEE: 0\r!"
	      "\r!OK\r!"),
	PLAIN("v250_043_s5", "ATS5=36\rATX9$4\rATS5=128\rATS5?\r", OK OK ERROR "\r\n036\r\n" OK),
	PLAIN("v250_044_unknown_register", "ATS99=1\rATS99?\rATS\rATS3\rATS3=\r", ERROR ERROR ERROR ERROR ERROR),
	ECHO("v250_045_z_restores", "ATE0V0S4=33\rAT+CMEE=1\rATZ\rAT+CMEE?\r",
	     "ATE0V0S4=33\r"
	     "0\r"
	     "0\r" OK "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK),
	PLAIN("v250_045_the_rest_after_z_is_ignored", "ATZ+FOO;garbage\r", OK),
	ECHO("v250_045_factory_values", "ATQ1E0S3=33\rAT&F!AT\r", "ATQ1E0S3=33\r" OK "AT\r" OK),
	IN("sim7600", "v250_046_information", "ATI\r",
	   "\r\nManufacturer: SIMCOM INCORPORATED\r\nModel: 7600M21\r\nRevision: LE20B04SIM7600G22\r\n"
	   "IMEI: 867584030000001\r\n+GCAP: +CGSM\r\n" OK),
	IN("sim7600", "v250_047_identity_of_a_sim7600", "AT+CGMI;+CGMM;+CGMR;+CGSN;+GCAP\r",
	   "\r\nSIMCOM INCORPORATED\r\n"
	   "\r\n7600M21\r\n"
	   "\r\n+CGMR: LE20B04SIM7600G22\r\n"
	   "\r\n867584030000001\r\n"
	   "\r\n+GCAP: +CGSM\r\n" OK),
	PLAIN("v250_047_identity_of_v250", "AT+GMI;+GMM;+GMR;+GSN\r",
	      "\r\natfota\r\n"
	      "\r\n7600M21\r\n"
	      "\r\nLE20B04SIM7600G22\r\n"
	      "\r\n867584030000001\r\n" OK),
	/* extended syntax */
	PLAIN("v250_048_name_needs_a_letter", "AT+1?\rAT+\rAT+?\r", ERROR ERROR ERROR),
	PLAIN("v250_048_other_lead_characters_are_unknown", "AT*CNTI=2\rAT%IPSYS?\rAT$TSSPCSW=?\rAT^X\rAT#X\rAT_X\r",
	      ERROR ERROR ERROR ERROR ERROR ERROR),
	PLAIN("v250_049_names_in_any_case", "at+cApFoTa?\r", "\r\n+CAPFOTA: 0\r\n" OK),
	PLAIN("v250_050_prefix_of_a_name", "AT+CAPFOT?\r", ERROR),
	PLAIN("v250_051_name_with_a_tail", "AT+CAPFOTAX?\rAT+CAPFOTA:?\r", ERROR ERROR),
	PLAIN("v250_052_four_forms", "AT+CLAC=?\rAT+CAPFOTA=1\rAT+CAPFOTA?\rAT+GCAP\r",
	      OK OK "\r\n+CAPFOTA: 1\r\n" OK "\r\n+GCAP: +CGSM\r\n" OK),
	PLAIN("v250_053_unknown_name", "AT+FOO\rAT+FOO?\rAT+FOO=?\rAT+FOO=1\r", ERROR ERROR ERROR ERROR),
	PLAIN("v250_054_no_read_form", "AT+CSCFOTA?\rAT+CSCFOTA\rAT+CGMI?\r", ERROR ERROR ERROR),
	PLAIN("v250_055_read_only", "AT+FOTASTATE=1\rAT+FOTALAST=1\rAT+CGMI=1\r", ERROR ERROR ERROR),
	PLAIN("v250_056_numbers", "AT+TINT=0012\rAT+TINT=12H\rAT+TINT=0x1\rAT+TINT=1 2\rAT+TINT=-1\r",
	      "\r\n+TINT: 12\r\n" OK ERROR ERROR ERROR ERROR),
	PLAIN("v250_057_numbers_do_not_wrap",
	      "AT+TINT=4294967295\rAT+TINT=4294967296\rAT+TINT=4294967297\r"
	      "AT+TINT=18446744073709551617\r",
	      "\r\n+TINT: 4294967295\r\n" OK ERROR ERROR ERROR),
	PLAIN("v250_058_types", "AT+CAPFOTA=\"1\"\rAT+TSET=1\rAT+TSET=a\r", ERROR ERROR ERROR),
	PLAIN("v250_059_characters_of_strings", "AT+TSET=\" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~\"\rAT+TSET=\"\177\"\r",
	      "\r\n+TSET: \" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~\",7,\"\"\r\n" OK ERROR),
	PLAIN("v250_060_escapes", "AT+TSET=\"\\22\\5C\\0D\\7F\"\r", "\r\n+TSET: \"\\22\\5C\\0D\\7F\",7,\"\"\r\n" OK),
	PLAIN("v250_061_bad_escapes", "AT+TSET=\"\\\"\rAT+TSET=\"\\2\"\rAT+TSET=\"\\2G\"\r", ERROR ERROR ERROR),
	PLAIN("v250_061_an_escape_cut_by_the_end", "AT+TSET=\"\\\rAT+TSET=\"\\4\r", ERROR ERROR),
	PLAIN("v250_062_case_of_hex_digits", "AT+TSET=\"\\5c\\5C\"\r", "\r\n+TSET: \"\\5C\\5C\",7,\"\"\r\n" OK),
	PLAIN("v250_063_separators_in_strings", "AT+TSET=\"a;b,c\",8\r", "\r\n+TSET: \"a;b,c\",=8,\"\"\r\n" OK),
	PLAIN("v250_064_empty_string", "AT+TSET=\"\"\r", "\r\n+TSET: \"\",7,\"\"\r\n" OK),
	PLAIN("v250_065_open_string", "AT+TSET=\"abc\rAT\r", ERROR OK),
	PLAIN("v250_066_case_in_strings", "at+tset=\"aBcD\"\r", "\r\n+TSET: \"aBcD\",7,\"\"\r\n" OK),
	PLAIN("v250_067_octet_zero", "AT+TSET=\"a\\00b\"\r", ERROR),
	PLAIN("v250_068_omitted_values", "AT+TSET=\"a\",,\"bc\"\rAT+TSET=\"a\",9\rAT+TSET=\"a\",,\r",
	      "\r\n+TSET: \"a\",7,=\"bc\"\r\n" OK "\r\n+TSET: \"a\",=9,\"\"\r\n" OK "\r\n+TSET: \"a\",7,\"\"\r\n" OK),
	PLAIN("v250_069_omitted_number_is_the_default", "AT+CMEE=1\rAT+CMEE=\rAT+CMEE?\r", OK OK "\r\n+CMEE: 0\r\n" OK),
	PLAIN("v250_070_missing_value", "AT+CSCFOTA=\"A\",\"B\",\"1\",\"0123456789abcdef\"\rAT+CAPFOTA=\rAT+TSET=,9\r",
	      ERROR ERROR ERROR),
	PLAIN("v250_071_too_many_values", "AT+CAPFOTA=1,0\rAT+CAPFOTA=1,\rAT+CAPFOTA?\r",
	      ERROR ERROR "\r\n+CAPFOTA: 0\r\n" OK),
	PLAIN("v250_072_out_of_range", "AT+CAPFOTA=2\rAT+TSET=\"\",4\rAT+TSET=\"\",11\rAT+TSET=\"\",5,\"a\"\r",
	      ERROR ERROR ERROR ERROR),
	PLAIN("v250_073_values_stay", "AT+CAPFOTA=1\rAT+CAPFOTA=2\rAT+CAPFOTA=0x\rAT+CAPFOTA?\r",
	      OK ERROR ERROR "\r\n+CAPFOTA: 1\r\n" OK),
	PLAIN("v250_074_text_behind_a_form", "AT+CAPFOTA?1\rAT+CAPFOTA=?1\rAT+CAPFOTA??\r", ERROR ERROR ERROR),
	PLAIN("v250_075_test_of_an_action", "AT+CGMI=?\rAT+CSCFOTA=?\r", OK OK),
	PLAIN("v250_076_test_text", "AT+CAPFOTA=?\rAT+CMEE=?\r",
	      "\r\n+CAPFOTA: (0-1)\r\n" OK "\r\n+CMEE: (0-2)\r\n" OK),
	/* concatenation */
	PLAIN("v250_077_extended_in_a_row", "AT+CMEE=1;+CMEE?\r", "\r\n+CMEE: 1\r\n" OK),
	PLAIN("v250_078_separator_behind_the_last", "AT+CMEE?;\rATE0;\r", "\r\n+CMEE: 0\r\n" OK OK),
	PLAIN("v250_079_extended_behind_basic", "ATE0+CAPFOTA?\rATE0;+CAPFOTA?\r",
	      "\r\n+CAPFOTA: 0\r\n" OK "\r\n+CAPFOTA: 0\r\n" OK),
	PLAIN("v250_080_basic_behind_extended", "AT+CAPFOTA=1;V0\r", "0\r"),
	PLAIN("v250_081_first_failure_stops_the_line", "AT+CMEE=1;+CAPFOTA=2;+CMEE=2\rAT+CMEE?\r",
	      ERROR "\r\n+CMEE: 1\r\n" OK),
	PLAIN("v250_082_one_final_result", "AT+CMEE=1;+CMEE=0;E0V1\r", OK),
	PLAIN("v250_083_all_information_text_in_order", "AT+CMEE?;+CAPFOTA?;+FOO\r",
	      "\r\n+CMEE: 0\r\n"
	      "\r\n+CAPFOTA: 0\r\n" ERROR),
	PLAIN("v250_084_at_alone", "AT\r", OK),
	PLAIN("v250_085_empty_elements", "AT;\rAT;;\rAT+CMEE?;;\rAT;+CMEE?\r",
	      ERROR ERROR "\r\n+CMEE: 0\r\n" ERROR ERROR),
	PLAIN("v250_086_serialport_gsm", "AT+CMEE=1;+CAPFOTA=1\r", OK),
	/* responses */
	PLAIN("v250_087_v1_text_and_result", "AT+CMEE?\r",
	      "\r\n+CMEE: 0\r\n"
	      "\r\nOK\r\n"),
	PLAIN("v250_087_v1_with_other_framing_characters", "ATS3=33S4=36\rAT+CMEE?!",
	      "!$OK!$"
	      "!$+CMEE: 0!$"
	      "!$OK!$"),
	PLAIN("v250_088_v0", "ATV0\rAT+CMEE?\rAT+FOO\r",
	      "0\r"
	      "+CMEE: 0\r\n"
	      "0\r"
	      "4\r"),
	PLAIN("v250_089_codes_of_a_module_without_calls", "ATV0\rAT\rAT+FOO\rATD1\rATO\r",
	      "0\r"
	      "0\r"
	      "4\r"
	      "3\r"
	      "3\r"),
	PLAIN("v250_091_one_space_behind_the_colon", "ATV0\rAT+CAPFOTA?\r",
	      "0\r"
	      "+CAPFOTA: 0\r\n"
	      "0\r"),
	PLAIN("v250_090_words_in_v0", "ATV0+CMEE=1\rAT+TCME=50\r",
	      "0\r"
	      "+CME ERROR: 50\r"),
	PLAIN("v250_092_q1", "ATQ1\rAT+CMEE?\rAT+FOO\r", "\r\n+CMEE: 0\r\n"),
	PLAIN("v250_093_x_has_no_effect", "ATX0+CMEE=1\rAT+TCME=50\rATX4\rAT+TCME=50\r",
	      OK "\r\n+CME ERROR: 50\r\n" OK "\r\n+CME ERROR: 50\r\n"),
	PLAIN("v250_094_q0_is_answered", "ATQ1\rATQ0\r", OK),
	PLAIN("v250_096_framing_in_force", "ATV0\rATV1\r", "0\r" OK),
	ECHO("v250_097_header_behind_the_echo", "AT\r", "AT\r\r\nOK\r\n"),
	PLAIN("v250_098_lines_of_one_block", "AT+TMULTI\rAT+TMULTI;+TMULTI\r",
	      "\r\nfirst\r\nsecond\r\n" OK "\r\nfirst\r\nsecond\r\n"
	      "\r\nfirst\r\nsecond\r\n" OK),
	/* errors of 27.007 */
	PLAIN("v250_099_cmee_starts_at_0", "AT+CMEE?\r", "\r\n+CMEE: 0\r\n" OK),
	IN("sim7600", "v250_099_cmee_starts_at_0_on_a_sim7600", "AT+CMEE?\r", "\r\n+CMEE: 0\r\n" OK),
	PLAIN("v250_100_modes", "AT+TCME=50\rAT+CMEE=1\rAT+TCME=50\rAT+CMEE=2\rAT+TCME=50\r",
	      ERROR OK "\r\n+CME ERROR: 50\r\n" OK "\r\n+CME ERROR: incorrect parameters\r\n"),
	PLAIN("v250_101_cme_is_final", "AT+CMEE=1\rAT+TCME=50;+CMEE=0\rAT+CMEE?\r",
	      OK "\r\n+CME ERROR: 50\r\n"
		 "\r\n+CMEE: 1\r\n" OK),
	PLAIN("v250_102_syntax_errors_stay_error", "AT+CMEE=1\rAT+FOO\rAT+CAPFOTA=2\r", OK ERROR ERROR),
	PLAIN("v250_103_v_leaves_cme_errors", "AT+CMEE=1;V0\rAT+TCME=50\rATV1+CMEE=2\rATV0\rAT+TCME=50\r",
	      "0\r"
	      "+CME ERROR: 50\r" OK "0\r"
	      "+CME ERROR: incorrect parameters\r"),
	PLAIN("v250_104_codes_to_have",
	      "AT+CMEE=2\rAT+TCME=0\rAT+TCME=3\rAT+TCME=4\rAT+TCME=20\rAT+TCME=21\rAT+TCME=22\rAT+TCME=23\rAT+TCME=24\r"
	      "AT+TCME=25\rAT+TCME=30\rAT+TCME=31\rAT+TCME=50\rAT+TCME=51\rAT+TCME=52\rAT+TCME=100\r",
	      OK "\r\n+CME ERROR: phone failure\r\n"
		 "\r\n+CME ERROR: operation not allowed\r\n"
		 "\r\n+CME ERROR: operation not supported\r\n"
		 "\r\n+CME ERROR: memory full\r\n"
		 "\r\n+CME ERROR: invalid index\r\n"
		 "\r\n+CME ERROR: not found\r\n"
		 "\r\n+CME ERROR: memory failure\r\n"
		 "\r\n+CME ERROR: text string too long\r\n"
		 "\r\n+CME ERROR: invalid characters in text string\r\n"
		 "\r\n+CME ERROR: no network service\r\n"
		 "\r\n+CME ERROR: network timeout\r\n"
		 "\r\n+CME ERROR: incorrect parameters\r\n"
		 "\r\n+CME ERROR: command implemented but currently disabled\r\n"
		 "\r\n+CME ERROR: command aborted by user\r\n"
		 "\r\n+CME ERROR: unknown\r\n"),
	PLAIN("v250_104_fota_codes_have_texts", "AT+CMEE=2\rAT+TCME=302\rAT+TCME=99\r",
	      OK "\r\n+CME ERROR: invalid parameter\r\n"
		 "\r\n+CME ERROR: unknown\r\n"),
	PLAIN("v250_105_cmee_forms", "AT+CMEE=?\rAT+CMEE=3\rAT+CMEE\r", "\r\n+CMEE: (0-2)\r\n" OK ERROR ERROR),
	/* SIMCom's deviations */
	IN("sim7600", "simcom_bare_v_is_1", "ATV0\rATV\r", "0\r" OK),
	IN("sim7600", "simcom_bare_q_is_0", "ATQ1\rATQ\r", OK),
	IN("a7600", "simcom_a7600_revision_has_a_prefix", "AT+CGMR\r", "\r\n+CGMR: LE20B04SIM7600G22\r\n" OK),
	PLAIN("v250_bare_v_is_0", "ATV\r", "0\r"),
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static struct rig rig;

static void start(const struct v250_case *c)
{
	assert_true(rig_init(&rig, c->profile));
	if (!c->is_echo_on) { rig_feed(&rig, "ATE0\r"); }
	if (c->is_lf_host) { rig_feed(&rig, "ATS3=10\r"); }
	(void)rig_out(&rig);
}

static void fed_whole(const struct v250_case *c)
{
	start(c);
	rig_feed_bytes(&rig, 0, c->in, c->in_len);
	assert_string_equal(rig_out(&rig), c->out);
}

static void fed_byte_by_byte(const struct v250_case *c)
{
	start(c);
	for (size_t i = 0; i < c->in_len; i++) {
		rig_feed_bytes(&rig, 0, c->in + i, 1);
		rig_wait(&rig, 50);
	}
	assert_string_equal(rig_out(&rig), c->out);
}

static void fed_in_two(const struct v250_case *c, size_t at)
{
	start(c);
	rig_feed_bytes(&rig, 0, c->in, at);
	rig_feed_bytes(&rig, 0, c->in + at, c->in_len - at);
	assert_string_equal(rig_out(&rig), c->out);
}

/* Cases that set S3 or S4, restore them, or send LF of their own. */
static bool is_about_ends(const struct v250_case *c)
{
	static const char *const words[] = { "S3", "S4", "S0", "Z", "&F", "&V" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(c->in, words[i])) { return true; }
	}
	return memchr(c->in, '\n', c->in_len) != NULL || memchr(c->in, '\r', c->in_len) == NULL;
}

/* The case for a host with other line ends: each CR of the input becomes `end`. */
static struct v250_case with_ends(const struct v250_case *c, const char *end, char in[CASE_MAX])
{
	struct v250_case other = *c;

	other.in = in;
	other.in_len = 0;
	for (size_t i = 0; i < c->in_len; i++) {
		const char *piece = c->in[i] == '\r' ? end : &c->in[i];
		size_t len = c->in[i] == '\r' ? strlen(end) : 1;

		assert_true(other.in_len + len < CASE_MAX);
		memcpy(in + other.in_len, piece, len);
		other.in_len += len;
	}
	return other;
}

static void fed_all_ways(const struct v250_case *c)
{
	fed_whole(c);
	fed_byte_by_byte(c);
	for (size_t at = 1; at < c->in_len; at++) {
		fed_in_two(c, at);
	}
}

static void fed_with_crlf(const struct v250_case *c)
{
	char in[CASE_MAX];
	const struct v250_case other = with_ends(c, "\r\n", in);

	fed_all_ways(&other);
}

/* With S3 = LF answers are framed with LF LF, and LF is what is echoed. */
static void fed_with_lf(const struct v250_case *c)
{
	char in[CASE_MAX], out[CASE_MAX];
	struct v250_case other = with_ends(c, "\n", in);

	assert_true(strlen(c->out) < CASE_MAX);
	strcpy(out, c->out);
	for (char *at = out; *at; at++) {
		if (*at == '\r') { *at = '\n'; }
	}
	other.out = out;
	other.is_lf_host = true;
	fed_all_ways(&other);
}

static void run_case(void **state)
{
	const struct v250_case *c = *state;

	fed_all_ways(c);
	if (is_about_ends(c)) { return; }
	fed_with_crlf(c);
	fed_with_lf(c);
}

static int print_ways(void)
{
	for (size_t i = 0; i < CASES; i++) {
		printf("%s %s\n", cases[i].name, is_about_ends(&cases[i]) ? "CR" : "CR, CR LF, LF");
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[CASES];

	if (argc == 2 && strcmp(argv[1], "ways") == 0) { return print_ways(); }

	for (size_t i = 0; i < CASES; i++) {
		tests[i] = (struct CMUnitTest) { .name = cases[i].name,
						 .test_func = run_case,
						 .initial_state = (void *)(size_t)&cases[i] };
	}
	return cmocka_run_group_tests_name("v250", tests, NULL, NULL);
}
