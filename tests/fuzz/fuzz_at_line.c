/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes a port of the AT server with all its commands: characters, time, completions,
 * unsolicited results and what a session meets.
 *
 * The first byte chooses the profile. Then each byte is a character for the host's
 * side, but for OP, which takes the next byte as an operation (see `operations`): the
 * low three bits choose it, the high five are its argument.
 *
 * Properties: the server always gets back to answering AT; nothing is held back
 * while it is idle; time always moves on; output is bounded; A/ finds the line that ran. */
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define OP           0xfe
#define BYTE_OUT_MAX (256u * 1024u) /* a full line of the shortest commands with the longest answers */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct rig rig;
static size_t out_len;

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

static void count_out(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	require(bytes != NULL || len == 0, "output has bytes");
	out_len += len;
}

static struct at_server *server(void)
{
	return &rig.ports[0].at;
}

/* ---- operations ---- */

static void op_wait(unsigned arg)
{
	static const uint32_t times_ms[] = { 0, 1, 124, 125, 999, 1000, 29999, 30000 };

	rig.now_ms += times_ms[arg % 8];
	at_tick(server(), rig.now_ms);
	require(at_next_ms(server(), rig.now_ms) > 0, "a tick leaves nothing to do now");
}

static void op_complete(unsigned arg)
{
	static const enum at_result results[] = { AT_OK, AT_OK_LAST, AT_ERROR, AT_CME, AT_PENDING };

	(void)at_cme(server(), arg * 20);
	at_complete(server(), results[arg % 5], rig.now_ms);
}

static void raise_urc(enum at_urc_class urc_class, unsigned arg)
{
	static const uint8_t text[AT_URC_TEXT_BYTES + 28] = "+URC: ";

	(void)at_urc(server(), urc_class, (struct fota_bytes) { text, arg * 5 });
}

static void op_progress(unsigned arg)
{
	raise_urc(AT_URC_PROGRESS, arg);
}

static void op_result(unsigned arg)
{
	raise_urc(AT_URC_RESULT, arg);
}

static void op_code(unsigned arg)
{
	unsigned count;
	const struct fota_code_info *list = fota_code_list(&count);

	fake_session_meet(&rig.session, (enum fota_code)list[arg % count].number, "step");
}

static void op_receive(unsigned arg)
{
	fake_session_receive(&rig.session, arg * UINT64_C(0x0842108421084210), UINT64_MAX);
}

static void op_reset(unsigned arg)
{
	(void)arg;
	at_reset(server());
}

static void op_turn(unsigned arg)
{
	(void)arg;
	fake_session_turn(&rig.session);
}

static void (*const operations[8])(unsigned arg) = {
	op_wait, op_complete, op_progress, op_result, op_code, op_receive, op_reset, op_turn,
};

/* ---- properties ---- */

static void check_state(void)
{
	const struct at_server *at = server();
	size_t len = 0;

	require(at->state <= 4 && at->state != 3, "no line runs between two calls");
	require(at->state != 0 || at->urc_count == 0, "nothing is held back while idle");
	for (unsigned i = 0; i < at->urc_count; i++) {
		len += 1u + (at->urc[len] & 0x7fu);
	}
	require(len == at->urc_len && len <= AT_URC_BYTES, "the queue is whole");
	require(at->urc_count <= AT_URC_MAX, "the queue is bounded");
	require(at->input_len <= AT_INPUT_BYTES, "the input is bounded");
	require(out_len <= BYTE_OUT_MAX, "output is bounded");
}

static void feed(uint8_t c)
{
	out_len = 0;
	at_feed(server(), &c, 1, rig.now_ms);
	check_state();
}

/* Each completion ends one command of the line, or one line that was kept. */
static void complete_all(void)
{
	for (unsigned i = 0; i < AT_LINE_BYTES + AT_INPUT_BYTES; i++) {
		at_complete(server(), AT_OK, rig.now_ms);
	}
	require(server()->state != 4, "pending commands come to an end");
}

static void check_a_slash(void)
{
	static uint8_t before[AT_LINE_BYTES];
	const struct at_server *at = server();
	uint16_t len = at->line_len;

	memcpy(before, at->line, sizeof(before));
	feed('A');
	feed('/');
	complete_all();
	require(at->line_len == len, "A/ keeps the length of the line");
	for (size_t i = 0; i < sizeof(before); i++) {
		bool is_hex_case = before[i] >= 'a' && before[i] <= 'f' && at->line[i] == before[i] - 0x20;

		require(at->line[i] == before[i] || is_hex_case, "A/ keeps the line");
	}
}

/* Whatever came before, a line gets its answer. S3 that is a letter of the line
 * itself cannot end one. */
static void check_alive(void)
{
	complete_all();
	if (at_get_value(server(), AT_VALUE_S3) >= ' ') { return; }
	feed(at_get_value(server(), AT_VALUE_S3));
	complete_all();
	require(server()->state == 0, "a terminator ends the line");
	check_a_slash();
	if (at_get_value(server(), AT_VALUE_S3) >= ' ') { return; }
	feed('A');
	feed('T');
	feed(at_get_value(server(), AT_VALUE_S3));
	require(at_get_value(server(), AT_VALUE_Q) || out_len > 0, "AT is answered");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t count;
	const struct at_profile *profiles = at_profile_list(&count);

	if (len == 0) { return 0; }
	require(rig_init(&rig, profiles[data[0] % count].name), "the rig starts");
	rig.ports[0].cfg.write = count_out;
	rig.ports[1].cfg.write = count_out;
	for (size_t i = 1; i < len; i++) {
		if (data[i] == OP && i + 1 < len) {
			i++;
			operations[data[i] & 7](data[i] >> 3);
			check_state();
		} else {
			feed(data[i]);
		}
	}
	check_alive();
	return 0;
}
