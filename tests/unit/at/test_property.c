/* SPDX-License-Identifier: Apache-2.0 */
/* Unsolicited results against random timing, on two ports at once: hosts type lines in
 * pieces with pauses, or send many at once; commands are pending for a while; results come at
 * any moment. Whatever the order of events, each port's output is a sequence of whole
 * blocks: a line's echo with its whole answer, or an unsolicited result; each kind in its
 * order, none lost.
 *
 * A failure names its seed; with the seed as argument the program plays that one alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define SEEDS       400u
#define STEPS       300u
#define LINES_MAX   STEPS
#define WAIT_MAX_MS 3u /* all waits of a play together are shorter than AT_TYPING_MS */
#define PAUSE_MS    30u
#define KEEP_MAX    (AT_INPUT_BYTES - 8u)

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static const struct {
	const char *in, *answer;
} lines[] = {
	{ "AT\r", OK },
	{ "AT+CMEE?\r", "\r\n+CMEE: 0\r\n" OK },
	{ "AT+TMULTI;+CMEE?\r", "\r\nfirst\r\nsecond\r\n\r\n+CMEE: 0\r\n" OK },
	{ "AT+FOO\r", ERROR },
	{ "AT+TWAIT;+CSQ\r", "\r\n+CSQ: 22,0\r\n" OK },
	{ "AT+TSET=\"a;b\",8\r", "\r\n+TSET: \"a;b\",=8,\"\"\r\n" OK },
	{ "AT+CAPFOTA?;+GCAP\r", "\r\n+CAPFOTA: 0\r\n\r\n+GCAP: +CGSM\r\n" OK },
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

struct host {
	uint8_t sent[LINES_MAX]; /* indices of `lines` */
	size_t sent_count;
	const char *rest; /* of the line that is being typed */
	unsigned raised;  /* unsolicited results */
};

static struct rig rig;
static struct host hosts[RIG_PORTS];
static uint32_t seed, state;

/* xorshift32: the same everywhere. */
static uint32_t dice(size_t sides)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % (uint32_t)sides;
}

static bool is_pending(unsigned port)
{
	return rig.ports[port].at.running != NULL;
}

/* ---- steps ---- */

/* A host waits with more while the module keeps what it sent. */
static bool is_patient(unsigned port, size_t len)
{
	return is_pending(port) && rig.ports[port].at.input_len + len > KEEP_MAX;
}

static void type(unsigned port, size_t len)
{
	struct host *host = &hosts[port];

	if (is_patient(port, len)) { return; }
	rig_feed_bytes(&rig, port, host->rest, len);
	host->rest += len;
	if (*host->rest == 0) { host->rest = NULL; }
}

static void step_type(unsigned port)
{
	struct host *host = &hosts[port];

	if (!host->rest) {
		if (host->sent_count == LINES_MAX) { return; }
		host->sent[host->sent_count] = (uint8_t)dice(LINES);
		host->rest = lines[host->sent[host->sent_count++]].in;
	}
	type(port, 1 + dice(strlen(host->rest)));
}

static void step_raise(unsigned port)
{
	char text[32];

	/* No more than the queue holds for certain. */
	if (rig.ports[port].at.urc_count + 1u >= AT_URC_MAX) { return; }
	(void)snprintf(text, sizeof(text), "+X: %u", hosts[port].raised++);
	assert_true(at_urc(&rig.ports[port].at, dice(2) ? AT_URC_RESULT : AT_URC_PROGRESS, fota_bytes_of(text)));
}

static void step_complete(unsigned port)
{
	at_complete(&rig.ports[port].at, AT_OK, rig.now_ms);
}

/* Short enough that no line counts as left; longer when none is being typed. */
static void step_wait(unsigned port)
{
	bool is_typing = false;

	(void)port;
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		is_typing = is_typing || hosts[i].rest;
	}
	rig_wait(&rig, dice(is_typing ? WAIT_MAX_MS : 2000));
}

static void (*const steps[])(unsigned port) = { step_type, step_type, step_type, step_raise, step_complete, step_wait };

_Static_assert(AT_TYPING_MS > STEPS * WAIT_MAX_MS, "no line counts as left");

/* Ends what was begun. */
static void finish(unsigned port)
{
	for (unsigned i = 0; i < LINES_MAX; i++) {
		step_complete(port);
		if (hosts[port].rest) { type(port, strlen(hosts[port].rest)); }
	}
	step_complete(port);
	rig_wait(&rig, PAUSE_MS);
}

/* ---- judging ---- */

/* The output behind a block, or NULL if it is not there whole. */
static const char *behind(const char *out, const char *block)
{
	size_t len = strlen(block);

	return strncmp(out, block, len) == 0 ? out + len : NULL;
}

static const char *behind_line(const char *out, const struct host *host, size_t line)
{
	const char *next;

	if (line == host->sent_count) { return NULL; }
	next = behind(out, lines[host->sent[line]].in);
	return next ? behind(next, lines[host->sent[line]].answer) : NULL;
}

static void check_port(unsigned port)
{
	const struct host *host = &hosts[port];
	const char *out = rig_port_out(&rig, port);
	size_t line = 0;
	unsigned result = 0;

	while (*out) {
		char block[32];
		const char *next;

		(void)snprintf(block, sizeof(block), "\r\n+X: %u\r\n", result);
		next = behind(out, block);
		result += next ? 1 : 0;
		if (!next) {
			next = behind_line(out, host, line);
			line++;
		}
		if (!next) { fail_msg("seed %u, port %u: no whole block in \"%s\"", seed, port, out); }
		out = next;
	}
	if (line != host->sent_count || result != host->raised) {
		fail_msg("seed %u, port %u: %zu of %zu lines, %u of %u results", seed, port, line, host->sent_count,
			 result, host->raised);
	}
}

static void play(uint32_t number)
{
	seed = number;
	state = number * 2654435761u + 1u;
	memset(hosts, 0, sizeof(hosts));
	assert_true(rig_init(&rig, "strict"));
	rig.ports[1].cfg.pause_ms = PAUSE_MS;
	for (unsigned i = 0; i < STEPS; i++) {
		steps[dice(sizeof(steps) / sizeof(steps[0]))](dice(RIG_PORTS));
	}
	for (unsigned port = 0; port < RIG_PORTS; port++) {
		finish(port);
		check_port(port);
	}
}

static void v250_112_unsolicited_results_are_never_inside_a_line_or_an_answer(void **ctx)
{
	uint32_t only = *ctx ? (uint32_t)strtoul(*ctx, NULL, 10) : 0;

	for (uint32_t i = only ? only : 1; i <= (only ? only : SEEDS); i++) {
		play(i);
	}
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(v250_112_unsolicited_results_are_never_inside_a_line_or_an_answer),
	};

	tests[0].initial_state = argc == 2 ? argv[1] : NULL;
	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
