/* SPDX-License-Identifier: Apache-2.0 */
/* The helper for hosts, driven by hand. What `atfota module upgrade` needs of it is
 * tested there (tests/unit/tool/test_module_session.c), through the same code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fota/code.h"
#include "fota_host.h"

#define SECRET "f9bbb0d76f894da090b6b69253616561"
#define START  "AT+CSCFOTA=\"SIMCOM\",\"7600M21\",\"1540907004\",\"" SECRET "\",\"V2\""

struct rig {
	struct fota_host host;
	uint32_t now_ms;
	char sent[2048];
	char events[512]; /* "accepted 2 5/10 3 " */
	struct fota_host_event end;
	unsigned end_count;
};

static void take_bytes(void *ctx, const char *bytes, size_t len)
{
	struct rig *rig = ctx;
	size_t at = strlen(rig->sent);

	assert_true(len > 0 && len < sizeof(rig->sent) - at);
	memcpy(rig->sent + at, bytes, len);
	rig->sent[at + len] = '\0';
}

static void take_event(void *ctx, const struct fota_host_event *event)
{
	struct rig *rig = ctx;
	char *at = rig->events + strlen(rig->events);
	size_t left = sizeof(rig->events) - (size_t)(at - rig->events);

	assert_int_equal(rig->end_count, 0);
	switch (event->kind) {
	case FOTA_HOST_LINE:
		break;
	case FOTA_HOST_ACCEPTED:
		snprintf(at, left, "accepted ");
		break;
	case FOTA_HOST_CODE:
		snprintf(at, left, "%d ", event->code);
		break;
	case FOTA_HOST_MOVED:
		snprintf(at, left, "%llu/%llu ", (unsigned long long)event->received_bytes,
			 (unsigned long long)event->total_bytes);
		break;
	case FOTA_HOST_END:
		rig->end = *event;
		rig->end_count++;
	}
}

static void begin(struct rig *rig, uint32_t now_ms)
{
	struct fota_host_cfg cfg = {
		.request = { "SIMCOM", "7600M21", "1540907004", SECRET, "V2" },
		.write = take_bytes,
		.event = take_event,
		.ctx = rig,
	};

	*rig = (struct rig) { .now_ms = now_ms };
	fota_host_init(&rig->host, &cfg, now_ms);
}

static void feed(struct rig *rig, const char *text)
{
	rig->sent[0] = '\0';
	fota_host_feed(&rig->host, text, strlen(text), rig->now_ms);
}

static void go_to_follow(struct rig *rig, uint32_t now_ms)
{
	begin(rig, now_ms);
	assert_string_equal(rig->sent, "AT\r");
	feed(rig, "\r\nOK\r\n");
	assert_string_equal(rig->sent, "AT+CMEE?\r");
	feed(rig, "\r\n+CMEE: 2\r\n\r\nOK\r\n");
	assert_string_equal(rig->sent, "AT+CMEE=1\r");
	feed(rig, "\r\nOK\r\n");
	assert_string_equal(rig->sent, "AT+FOTAPROG=1\r");
	feed(rig, "\r\nOK\r\n");
	assert_string_equal(rig->sent, "AT+CAPFOTA=1\r");
	feed(rig, "\r\nOK\r\n");
	assert_string_equal(rig->sent, START "\r");
	feed(rig, START "\r\r\nOK\r\n"); /* with its echo */
	assert_string_equal(rig->events, "accepted ");
}

static void the_codes_are_those_of_the_project(void **state)
{
	unsigned count;
	size_t own_count;
	const struct fota_code_info *list = fota_code_list(&count);
	const struct fota_host_code *own = fota_host_code_list(&own_count);

	(void)state;
	assert_int_equal(own_count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(own[i].number, list[i].number);
		assert_int_equal(own[i].code_class, list[i].code_class);
		assert_string_equal(own[i].text, list[i].text);
		assert_string_equal(own[i].advice, fota_code_advice(list[i].number));
		assert_ptr_equal(fota_host_code_find(list[i].number), &own[i]);
	}
	assert_null(fota_host_code_find(0));
}

static void a_session_is_told_from_accepted_to_done(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig, 0);
	feed(&rig, "\r\n+CSCFOTA: 2\r\n\r\n+FOTAPROG: 5,10\r\n\r\n+CSCFOTA: 3\r\n");
	assert_string_equal(rig.events, "accepted 2 5/10 3 ");
	assert_string_equal(rig.sent, "AT+FOTAPROG=0\r");
	feed(&rig, "OK\r");
	assert_string_equal(rig.sent, "AT+CMEE=2\r");
	feed(&rig, "OK\r");
	assert_int_equal(rig.end_count, 1);
	assert_int_equal(rig.end.outcome, FOTA_HOST_DONE_CODE);
	assert_int_equal(rig.end.code, 3);
	assert_int_equal(fota_host_next(&rig.end), FOTA_HOST_PROGRESS);
}

static void every_code_says_what_the_host_does_next(void **state)
{
	size_t count;
	const struct fota_host_code *codes = fota_host_code_list(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct rig rig;
		char line[64];

		if (codes[i].number == 2 || codes[i].number == 4) { continue; }
		go_to_follow(&rig, 77);
		snprintf(line, sizeof(line), "\r\n+CSCFOTA: 4\r\n+CSCFOTA: %d\r\n", codes[i].number);
		feed(&rig, line);
		feed(&rig, "OK\r");
		assert_int_equal(rig.end_count, 0);
		feed(&rig, "OK\r");
		assert_int_equal(rig.end_count, 1);
		assert_int_equal(rig.end.code, codes[i].number);
		assert_true(rig.end.is_part_kept);
		assert_ptr_equal(rig.end.info, &codes[i]);
		assert_int_equal(fota_host_next(&rig.end), codes[i].code_class);
	}
}

static const struct {
	const char *answer;
	int code;
	char next;
} refusals[] = { { "\r\n+CME ERROR: 308\r\n", 308, FOTA_HOST_RETRY },
		 { "\r\n+CME ERROR: 402\r\n", 402, FOTA_HOST_CHANGE },
		 { "\r\n+CME ERROR: 5\r\n", 5, FOTA_HOST_CHANGE },
		 { "\r\nERROR\r\n", 0, FOTA_HOST_CHANGE },
		 { "\r\n+CME ERROR: no SIM\r\n", 0, FOTA_HOST_CHANGE } };

static void a_refusal_tells_its_code_and_what_is_next(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct rig rig;

		begin(&rig, 0);
		for (unsigned k = 0; k < 9 && !strstr(rig.sent, "CSCFOTA"); k++) {
			feed(&rig, "OK\r");
		}
		assert_string_equal(rig.sent, START "\r");
		feed(&rig, refusals[i].answer);
		while (rig.end_count == 0) {
			feed(&rig, "OK\r");
		}
		assert_int_equal(rig.end.outcome, FOTA_HOST_REFUSED);
		assert_int_equal(rig.end.code, refusals[i].code);
		assert_int_equal(fota_host_next(&rig.end), refusals[i].next);
	}
}

/* The counter of 32 bits wraps in the middle of the session. */
static void time_may_wrap_around(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig, UINT32_MAX - 20);
	assert_int_equal(fota_host_wait_ms(&rig.host, UINT32_MAX - 20), 60000);
	fota_host_tick(&rig.host, 59970);
	assert_int_equal(fota_host_wait_ms(&rig.host, 59970), 9);
	rig.sent[0] = '\0';
	fota_host_tick(&rig.host, 59979);
	assert_string_equal(rig.sent, "AT+CAPFOTA?\r");
}

static void a_line_that_is_too_long_does_no_harm(void **state)
{
	static char line[4 * FOTA_HOST_LINE_BYTES];
	struct rig rig;

	(void)state;
	go_to_follow(&rig, 0);
	memset(line, 'x', sizeof(line) - 1);
	feed(&rig, line);
	feed(&rig, "\r\n+CSCFOTA: 5\r\n");
	assert_string_equal(rig.events, "accepted 5 ");
}

static void strings_are_escaped_and_nothing_is_lost(void **state)
{
	struct rig rig;
	struct fota_host_cfg cfg = {
		.request = { "A\"B", "\\", "1", SECRET "\x7f", "\n" },
		.write = take_bytes,
		.ctx = &rig,
	};

	(void)state;
	rig = (struct rig) { .now_ms = 1 };
	fota_host_init(&rig.host, &cfg, 1);
	for (unsigned i = 0; i < 10 && !strstr(rig.sent, "CSCFOTA"); i++) {
		feed(&rig, "OK\r");
	}
	assert_string_equal(rig.sent, "AT+CSCFOTA=\"A\\22B\",\"\\5C\",\"1\",\"" SECRET "\\7F\",\"\\0A\"\r");
}

static void nothing_of_the_secret_stays_behind(void **state)
{
	struct rig rig;

	(void)state;
	go_to_follow(&rig, 0);
	fota_host_gone(&rig.host);
	assert_int_equal(rig.end.outcome, FOTA_HOST_GONE);
	assert_int_equal(fota_host_next(&rig.end), FOTA_HOST_RETRY);
	for (size_t i = 0; i < sizeof(rig.host.line); i++) {
		assert_int_equal(rig.host.line[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_are_those_of_the_project),
		cmocka_unit_test(a_session_is_told_from_accepted_to_done),
		cmocka_unit_test(every_code_says_what_the_host_does_next),
		cmocka_unit_test(a_refusal_tells_its_code_and_what_is_next),
		cmocka_unit_test(time_may_wrap_around),
		cmocka_unit_test(a_line_that_is_too_long_does_no_harm),
		cmocka_unit_test(strings_are_escaped_and_nothing_is_lost),
		cmocka_unit_test(nothing_of_the_secret_stays_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
