/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of an upgrade, driven by hand: what goes to the module, what comes
 * back, and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fota/code.h"
#include "module_session.h"

#define SECRET "f9bbb0d76f894da090b6b69253616561"
#define START  "AT+CSCFOTA=\"SIMCOM\",\"7600M21\",\"1540907004\",\"" SECRET "\",\"V2\""

struct rig {
	struct module_session session;
	uint64_t now_ms;
	char sent[4096]; /* commands, joined by '|'; taken by the tests */
	char shown[8192];
	char codes[128];
	struct module_event end;
	char end_text[256];
	uint64_t received_bytes, total_bytes;
	unsigned end_count;
};

static void take_event(void *ctx, const struct module_event *event)
{
	struct rig *rig = ctx;
	size_t len;

	assert_int_equal(rig->end_count, 0); /* the end is the last event */
	switch (event->kind) {
	case MODULE_EVENT_SEND:
		len = strlen(rig->sent);
		assert_true(event->send.len < sizeof rig->sent - len - 1);
		memcpy(rig->sent + len, event->send.ptr, event->send.len);
		assert_int_equal(rig->sent[len + event->send.len - 1], '\r');
		rig->sent[len + event->send.len - 1] = '|';
		rig->sent[len + event->send.len] = '\0';
		/* fall through */
	case MODULE_EVENT_LINE:
		strncat(rig->shown, event->text, sizeof rig->shown - strlen(rig->shown) - 1);
		return;
	case MODULE_EVENT_CODE:
		len = strlen(rig->codes);
		snprintf(rig->codes + len, sizeof rig->codes - len, "%d|", event->code);
		return;
	case MODULE_EVENT_PROGRESS:
		rig->received_bytes = event->received_bytes;
		rig->total_bytes = event->total_bytes;
		return;
	case MODULE_EVENT_END:
		rig->end = *event;
		snprintf(rig->end_text, sizeof rig->end_text, "%s", event->text);
		rig->end_count++;
		return;
	}
}

static struct module_session_cfg config_of(struct rig *rig)
{
	return (struct module_session_cfg) {
		.request = { "SIMCOM", "7600M21", "1540907004", SECRET, "V2" },
		.event = take_event,
		.event_ctx = rig,
	};
}

static void begin(struct rig *rig)
{
	struct module_session_cfg cfg = config_of(rig);

	*rig = (struct rig) { .now_ms = 1000 };
	module_session_init(&rig->session, &cfg, rig->now_ms);
}

static void feed(struct rig *rig, const char *text)
{
	module_session_feed(&rig->session, fota_bytes_of(text), rig->now_ms);
}

/* Lets the time pass that the session waits for. */
static void be_silent(struct rig *rig)
{
	rig->now_ms += module_session_wait_ms(&rig->session, rig->now_ms);
	module_session_tick(&rig->session, rig->now_ms);
}

/* Compares and takes what was sent. */
static void assert_sent(struct rig *rig, const char *commands)
{
	assert_string_equal(rig->sent, commands);
	rig->sent[0] = '\0';
}

static void answer(struct rig *rig, const char *command, const char *text)
{
	assert_sent(rig, command);
	feed(rig, text);
}

static void go_to_start(struct rig *rig)
{
	begin(rig);
	answer(rig, "AT|", "\r\nOK\r\n");
	answer(rig, "AT+CMEE?|", "\r\n+CMEE: 0\r\n\r\nOK\r\n");
	answer(rig, "AT+CMEE=1|", "\r\nOK\r\n");
	answer(rig, "AT+FOTAPROG=1|", "\r\n+CME ERROR: 4\r\n");
	answer(rig, "AT+CAPFOTA=1|", "\r\nOK\r\n");
}

static void go_to_follow(struct rig *rig)
{
	go_to_start(rig);
	answer(rig, START "|", "\r\nOK\r\n");
	assert_sent(rig, "");
}

static void assert_end(const struct rig *rig, enum module_outcome outcome, int code)
{
	assert_int_equal(rig->end_count, 1);
	assert_true(module_session_is_ended(&rig->session));
	assert_int_equal(rig->end.outcome, outcome);
	assert_int_equal(rig->end.code, code);
	assert_null(strstr(rig->shown, SECRET));
	assert_null(strstr(rig->end_text, SECRET));
}

static void a_session_ends_at_3_and_puts_the_error_mode_back(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	feed(&rig, "\r\n+CSCFOTA: 2\r\n");
	assert_sent(&rig, "");
	feed(&rig, "\r\n+CSCFOTA: 3\r\n");
	answer(&rig, "AT+CMEE=0|", "\r\nOK\r\n");
	assert_end(&rig, MODULE_OUTCOME_CODE, 3);
	assert_string_equal(rig.codes, "2|3|");
}

/* Whole, and cut at each place. */
static void a_session_does_not_depend_on_how_bytes_arrive(void **state)
{
	static const char *const answers[] = { "AT\r\r\nOK\r\n", "\r\n+CMEE: 0\r\n\r\nOK\r\n",
					       "\r\nOK\r\n",     "\r\n+CME ERROR: 4\r\n",
					       "\r\nOK\r\n",     "\r\nOK\r\n\r\n+CSCFOTA: 2\r\n\r\n+CSCFOTA: 3\r\n",
					       "\r\nOK\r\n" };

	(void)state;
	for (size_t cut = 1; cut < 40; cut++) {
		struct rig rig;

		begin(&rig);
		for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
			const char *at = answers[i];

			while (*at) {
				size_t len = strlen(at) < cut ? strlen(at) : cut;

				module_session_feed(&rig.session, (struct fota_bytes) { (const uint8_t *)at, len }, 1);
				at += len;
			}
		}
		assert_end(&rig, MODULE_OUTCOME_CODE, 3);
	}
}

static void every_code_ends_the_session_but_those_of_class_p(void **state)
{
	unsigned count;
	const struct fota_code_info *codes = fota_code_list(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		struct rig rig;
		char line[32];
		bool is_end = codes[i].code_class != FOTA_CODE_CLASS_P || codes[i].number == 3;

		go_to_follow(&rig);
		snprintf(line, sizeof line, "\r\n+CSCFOTA: %d\r\n", codes[i].number);
		feed(&rig, line);
		assert_sent(&rig, is_end ? "AT+CMEE=0|" : "");
		if (!is_end) { continue; }
		feed(&rig, "\r\nOK\r\n");
		assert_end(&rig, MODULE_OUTCOME_CODE, codes[i].number);
	}
}

static void an_unknown_code_ends_the_session(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	feed(&rig, "\r\n+CSCFOTA: 777\r\n");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 777);
}

static void code_4_alone_is_the_end_after_a_while(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	feed(&rig, "\r\n+CSCFOTA: 4\r\n");
	feed(&rig, "\r\n+CREG: 1\r\n");
	be_silent(&rig);
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 4);
}

static void results_of_an_earlier_session_do_not_count(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	feed(&rig, "\r\n+CSCFOTA: 3\r\n");
	answer(&rig, "AT|", "\r\nOK\r\n");
	assert_string_equal(rig.codes, "");
	assert_int_equal(rig.end_count, 0);
}

static void an_error_mode_of_1_is_left_as_it_is(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	answer(&rig, "AT|", "OK\r");
	answer(&rig, "AT+CMEE?|", "+CMEE: 1\rOK\r");
	answer(&rig, "AT+FOTAPROG=1|", "ERROR\r");
	answer(&rig, "AT+CAPFOTA=1|", "OK\r");
	answer(&rig, START "|", "OK\r+CSCFOTA: 5\r");
	assert_sent(&rig, "");
	assert_end(&rig, MODULE_OUTCOME_CODE, 5);
}

static void progress_is_told_and_switched_off_at_the_end(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	answer(&rig, "AT|", "OK\r");
	answer(&rig, "AT+CMEE?|", "ERROR\r");
	answer(&rig, "AT+FOTAPROG=1|", "OK\r");
	answer(&rig, "AT+CAPFOTA=1|", "OK\r");
	answer(&rig, START "|", "OK\r+FOTAPROG: 7,5000000000\r");
	assert_int_equal(rig.received_bytes, 7);
	assert_true(rig.total_bytes == UINT64_C(5000000000));
	feed(&rig, "+CSCFOTA: 3\r");
	answer(&rig, "AT+FOTAPROG=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 3);
}

static void a_refusal_tells_its_number_and_its_step(void **state)
{
	struct rig rig;

	(void)state;
	go_to_start(&rig);
	answer(&rig, START "|", "\r\n+CME ERROR: 308\r\n");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_REFUSED, 308);
	assert_string_equal(rig.end.step, "starting the session");
	assert_string_equal(rig.end_text, "+CME ERROR: 308");
}

static void a_module_that_is_mute_is_asked_ten_times(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(rig.end_count, 0);
		be_silent(&rig);
	}
	assert_end(&rig, MODULE_OUTCOME_NO_ANSWER, 0);
	assert_sent(&rig, "AT|AT|ATQ0V1|AT|AT|ATQ0V1|AT|AT|ATQ0V1|AT|");
}

/* The answers to AT that come late must not be taken for those of the next command. */
static void late_answers_to_at_are_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	be_silent(&rig);
	be_silent(&rig);
	assert_sent(&rig, "AT|AT|ATQ0V1|");
	feed(&rig, "\r\nOK\r\n");
	assert_sent(&rig, "");
	feed(&rig, "\r\nOK\r\n\r\nOK\r\n");
	assert_sent(&rig, "");
	be_silent(&rig);
	assert_sent(&rig, "AT+CMEE?|");
}

static void silence_before_the_session_leads_back_to_at_twice(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	for (unsigned i = 0; i < 3; i++) {
		answer(&rig, "AT|", "OK\r");
		if (i > 0) { be_silent(&rig); }
		assert_sent(&rig, "AT+CMEE?|");
		be_silent(&rig);
	}
	assert_end(&rig, MODULE_OUTCOME_NO_ANSWER, 0);
}

static void the_command_itself_is_never_sent_twice(void **state)
{
	struct rig rig;

	(void)state;
	go_to_start(&rig);
	assert_sent(&rig, START "|");
	be_silent(&rig);
	assert_end(&rig, MODULE_OUTCOME_NO_ANSWER, 0);
	assert_sent(&rig, "");
}

static void a_final_code_counts_even_if_ok_never_comes(void **state)
{
	struct rig rig;

	(void)state;
	go_to_start(&rig);
	answer(&rig, START "|", "+CSCFOTA: 3\r");
	be_silent(&rig);
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 3);
}

static void a_quiet_session_is_asked_for_a_sign_of_life(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	for (unsigned i = 0; i < 8; i++) {
		be_silent(&rig);
		answer(&rig, "AT+CAPFOTA?|", "+CAPFOTA: 1\rOK\r");
	}
	assert_int_equal(rig.end_count, 0);
	for (unsigned i = 0; i < 5; i++) {
		be_silent(&rig);
		assert_sent(&rig, "AT+CAPFOTA?|");
		be_silent(&rig);
	}
	assert_end(&rig, MODULE_OUTCOME_NO_ANSWER, 0);
}

static void a_service_that_is_off_shows_that_the_module_restarted(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	be_silent(&rig);
	answer(&rig, "AT+CAPFOTA?|", "+CAPFOTA: 0\rOK\r");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_RESTARTED, 0);
}

static void a_code_in_front_of_the_answer_to_a_sign_of_life_counts(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	be_silent(&rig);
	answer(&rig, "AT+CAPFOTA?|", "+CSCFOTA: 3\r+CAPFOTA: 1\r");
	answer(&rig, "", "OK\r");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 3);
}

/* Cancelled in each step in which a command waits for its answer; then everything is
 * answered with OK. */
static void a_cancellation_ends_cleanly_from_every_step(void **state)
{
	(void)state;
	for (unsigned step = 0; step < 8; step++) {
		struct rig rig;
		unsigned turn_count = 0;

		begin(&rig);
		for (unsigned i = 0; i < step; i++) {
			feed(&rig, i == 1 ? "+CMEE: 2\rOK\r" : "OK\r");
		}
		module_session_cancel(&rig.session, rig.now_ms);
		module_session_cancel(&rig.session, rig.now_ms);
		while (!module_session_is_ended(&rig.session) && turn_count++ < 10) {
			feed(&rig, "OK\r");
			be_silent(&rig);
		}
		assert_end(&rig, MODULE_OUTCOME_CANCELLED, 0);
		assert_true(step < 2 || strstr(rig.sent, "AT+CMEE=2|"));
		assert_true(step < 3 || strstr(rig.sent, "AT+FOTAPROG=0|"));
		assert_int_equal(step >= 5, strstr(rig.sent, "AT+FOTACANCEL|") != NULL);
	}
}

static void a_cancellation_uses_the_service_switch_where_nothing_else_is_known(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	module_session_cancel(&rig.session, rig.now_ms);
	answer(&rig, "AT+FOTACANCEL|", "ERROR\r");
	answer(&rig, "AT+CAPFOTA=0|", "OK\r");
	answer(&rig, "", "+CSCFOTA: 307\r");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 307);
}

static void a_session_that_is_done_while_it_is_cancelled_is_done(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	module_session_cancel(&rig.session, rig.now_ms);
	answer(&rig, "AT+FOTACANCEL|", "+CSCFOTA: 3\r+CME ERROR: 303\r");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_CODE, 3);
}

static void the_time_limit_cancels_and_is_told_as_such(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig);
	rig.now_ms += 3900000;
	module_session_tick(&rig.session, rig.now_ms);
	answer(&rig, "AT+FOTACANCEL|", "OK\r+CSCFOTA: 307\r");
	answer(&rig, "AT+CMEE=0|", "OK\r");
	assert_end(&rig, MODULE_OUTCOME_TIMEOUT, 0);
}

static void a_port_that_is_gone_is_the_end_in_every_step(void **state)
{
	(void)state;
	for (unsigned step = 0; step < 8; step++) {
		struct rig rig;

		begin(&rig);
		for (unsigned i = 0; i < step; i++) {
			feed(&rig, "OK\r");
		}
		module_session_gone(&rig.session);
		module_session_gone(&rig.session);
		assert_end(&rig, MODULE_OUTCOME_GONE, 0);
	}
}

static void parameters_that_do_not_fit_are_told_before_anything_is_sent(void **state)
{
	struct rig rig = { .now_ms = 1 };
	struct module_session_cfg cfg = config_of(&rig);
	char target[AT_COMMAND_MAX_BYTES];

	(void)state;
	memset(target, 'x', sizeof target - 1);
	target[sizeof target - 1] = '\0';
	cfg.request.target = target;
	module_session_init(&rig.session, &cfg, rig.now_ms);
	assert_end(&rig, MODULE_OUTCOME_TOO_LONG, 0);
	assert_sent(&rig, "");
}

/* Any bytes: the session ends, sends only commands of its own, and never shows the secret. */
static void noise_leads_to_an_end_in_bounded_time(void **state)
{
	static const char *const words[] = {
		"OK\r",     "ERROR\r", "\r\n",          "+CSCFOTA: 2\r",   "+CMEE: 7\r",
		"AT",       "\xff",    "+CAPFOTA: 1\r", "+CME ERROR: 3\r", "+FOTAPROG: 1,2\r",
		SECRET "\r"
	};
	uint32_t random = 1;

	(void)state;
	for (unsigned run = 0; run < 2000; run++) {
		struct rig rig;
		unsigned turn_count = 0;

		begin(&rig);
		for (; rig.end_count == 0 && turn_count < 300; turn_count++) {
			random = random * 1664525 + 1013904223;
			if (random >> 30 == 0) { be_silent(&rig); }
			feed(&rig, words[(random >> 16) % (sizeof words / sizeof *words)]);
			rig.sent[0] = '\0';
			rig.shown[0] = '\0';
		}
		module_session_cancel(&rig.session, rig.now_ms);
		for (turn_count = 0; rig.end_count == 0; turn_count++) {
			assert_true(turn_count < 20);
			be_silent(&rig);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_ends_at_3_and_puts_the_error_mode_back),
		cmocka_unit_test(a_session_does_not_depend_on_how_bytes_arrive),
		cmocka_unit_test(every_code_ends_the_session_but_those_of_class_p),
		cmocka_unit_test(an_unknown_code_ends_the_session),
		cmocka_unit_test(code_4_alone_is_the_end_after_a_while),
		cmocka_unit_test(results_of_an_earlier_session_do_not_count),
		cmocka_unit_test(an_error_mode_of_1_is_left_as_it_is),
		cmocka_unit_test(progress_is_told_and_switched_off_at_the_end),
		cmocka_unit_test(a_refusal_tells_its_number_and_its_step),
		cmocka_unit_test(a_module_that_is_mute_is_asked_ten_times),
		cmocka_unit_test(late_answers_to_at_are_waited_for),
		cmocka_unit_test(silence_before_the_session_leads_back_to_at_twice),
		cmocka_unit_test(the_command_itself_is_never_sent_twice),
		cmocka_unit_test(a_final_code_counts_even_if_ok_never_comes),
		cmocka_unit_test(a_quiet_session_is_asked_for_a_sign_of_life),
		cmocka_unit_test(a_service_that_is_off_shows_that_the_module_restarted),
		cmocka_unit_test(a_code_in_front_of_the_answer_to_a_sign_of_life_counts),
		cmocka_unit_test(a_cancellation_ends_cleanly_from_every_step),
		cmocka_unit_test(a_cancellation_uses_the_service_switch_where_nothing_else_is_known),
		cmocka_unit_test(a_session_that_is_done_while_it_is_cancelled_is_done),
		cmocka_unit_test(the_time_limit_cancels_and_is_told_as_such),
		cmocka_unit_test(a_port_that_is_gone_is_the_end_in_every_step),
		cmocka_unit_test(parameters_that_do_not_fit_are_told_before_anything_is_sent),
		cmocka_unit_test(noise_leads_to_an_end_in_bounded_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
