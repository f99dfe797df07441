/* SPDX-License-Identifier: Apache-2.0 */
/* The platform in memory, asked by hand: messages that a session would send, and what
 * comes back at which byte and which moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "posix_crypto.h"
#include "sim_http.h"

#define SECRET "f9bbb0d76f894da090b6b69253616561"
#define SIZE   10000u

struct rig {
	struct sim_http sim;
	struct posix_crypto engine;
	struct fota_crypto crypto;
	struct fota_clock clock;
	uint64_t now_ms;
	struct fota_http_event head;
	unsigned head_count, done_count, fail_count, stop_count;
	enum fota_err fail;
	bool is_going_on; /* behind a stop */
	size_t take_max;  /* bytes of a body that are taken at a time */
	size_t len;
	uint8_t body[SIZE];
	uint8_t request[FOTA_MESSAGE_MAX_BYTES];
	struct fota_bytes message;
	uint8_t tag[FOTA_MAC_BYTES];
};

static uint64_t get_now_ms(void *ctx)
{
	return ((struct rig *)ctx)->now_ms;
}

static uint64_t get_unix_s(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static struct fota_bytes get_secret(void *ctx, struct fota_bytes product)
{
	(void)ctx;
	return fota_bytes_of(fota_bytes_is_equal(product, fota_bytes_of("1540907004")) ? SECRET : "");
}

static bool on_stop(void *ctx, enum sim_http_part part)
{
	struct rig *rig = ctx;

	(void)part;
	rig->stop_count++;
	return rig->is_going_on;
}

static enum fota_err on_event(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	struct rig *rig = ctx;

	*taken = 0;
	switch (event->kind) {
	case FOTA_HTTP_HEAD:
		rig->head = *event;
		rig->head_count++;
		break;
	case FOTA_HTTP_BODY:
		*taken = event->body.len < rig->take_max ? event->body.len : rig->take_max;
		assert_true(rig->len + *taken <= sizeof(rig->body));
		memcpy(rig->body + rig->len, event->body.ptr, *taken);
		rig->len += *taken;
		return *taken < event->body.len ? FOTA_ERR_BUSY : FOTA_ERR_OK;
	case FOTA_HTTP_DONE:
		rig->done_count++;
		break;
	case FOTA_HTTP_FAIL:
		rig->fail = event->err;
		rig->fail_count++;
	}
	return FOTA_ERR_OK;
}

static void begin(struct rig *rig)
{
	struct sim_http_cfg cfg = {
		.clock = &rig->clock,
		.crypto = &rig->crypto,
		.secret_of = get_secret,
		.stop = on_stop,
		.event = on_event,
		.ctx = rig,
	};

	*rig = (struct rig) { .now_ms = 5, .take_max = SIZE };
	assert_int_equal(posix_crypto_init(&rig->engine), FOTA_ERR_OK);
	rig->crypto = posix_crypto_port(&rig->engine);
	rig->clock = (struct fota_clock) { rig, get_now_ms, get_unix_s };
	sim_http_init(&rig->sim, &cfg);
	rig->sim.plan.size_bytes = SIZE;
}

static void end(struct rig *rig)
{
	posix_crypto_close(&rig->engine);
}

static void run_until_idle(struct rig *rig)
{
	for (unsigned i = 0; i < 10000 && sim_http_next_ms(&rig->sim) != UINT32_MAX; i++) {
		rig->now_ms += sim_http_next_ms(&rig->sim);
		sim_http_perform(&rig->sim);
	}
	assert_int_equal(sim_http_next_ms(&rig->sim), UINT32_MAX);
}

static void post_check(struct rig *rig, const char *secret)
{
	static const uint8_t nonce[FOTA_NONCE_BYTES] = { 1 };
	struct fota_check_request msg = { .nonce = { nonce, sizeof(nonce) },
					  .time_s = 1700000000,
					  .oem = fota_bytes_of("SIMCOM"),
					  .model = fota_bytes_of("7600M21"),
					  .device = fota_bytes_of("8600"),
					  .version = fota_bytes_of("V1"),
					  .target = fota_bytes_of("V2"),
					  .slot_bytes = 1 << 20,
					  .accept_count = 1 };
	uint8_t payload[FOTA_MESSAGE_MAX_BYTES];
	struct fota_bytes out;
	struct fota_http_request req = { .method = FOTA_HTTP_POST, .url = fota_bytes_of("http://sim" FOTA_CHECK_PATH) };

	assert_int_equal(fota_check_request_put(&msg, (struct fota_room) { payload, sizeof(payload) }, &out), 0);
	assert_int_equal(fota_mac0_put(&rig->crypto, fota_bytes_of(secret), fota_bytes_of("1540907004"),
				       (struct fota_bytes) { NULL, 0 }, out,
				       (struct fota_room) { rig->request, sizeof(rig->request) }, &rig->message,
				       rig->tag),
			 0);
	req.body = rig->message;
	assert_int_equal(rig->sim.port.start(rig->sim.port.ctx, &req), FOTA_ERR_OK);
	assert_int_equal(rig->head_count, 0); /* nothing comes from inside start */
}

static void get_package(struct rig *rig, uint64_t off)
{
	struct fota_http_request req = { .method = FOTA_HTTP_GET,
					 .url = fota_bytes_of("http://sim/package"),
					 .has_range = off > 0,
					 .range_start = off };

	rig->len = 0;
	assert_int_equal(rig->sim.port.start(rig->sim.port.ctx, &req), FOTA_ERR_OK);
}

static void the_answer_to_a_check_is_authentic_and_names_the_package(void **state)
{
	struct rig rig;
	struct fota_mac0 mac0;
	struct fota_check_answer answer;

	(void)state;
	begin(&rig);
	rig.sim.plan.answers[SIM_HTTP_CHECK].ms = 100;
	post_check(&rig, SECRET);
	sim_http_perform(&rig.sim);
	assert_int_equal(rig.head_count, 0);
	assert_int_equal(sim_http_next_ms(&rig.sim), 100);
	run_until_idle(&rig);
	assert_int_equal(rig.now_ms, 105);
	assert_int_equal(rig.head.status, 200);
	assert_true(rig.head.is_message);
	assert_int_equal(rig.done_count, 1);
	assert_int_equal(fota_mac0_get((struct fota_bytes) { rig.body, rig.len }, &mac0), 0);
	assert_int_equal(fota_mac0_verify(&mac0, &rig.crypto, fota_bytes_of(SECRET),
					  (struct fota_bytes) { rig.tag, sizeof(rig.tag) }),
			 0);
	assert_int_equal(fota_check_answer_get(mac0.payload, &answer), 0);
	assert_int_equal(answer.result, FOTA_REFUSAL_UPDATE);
	assert_int_equal(answer.size_bytes, SIZE);
	end(&rig);
}

static void a_request_with_another_secret_gets_403_without_a_body(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	post_check(&rig, SECRET "x");
	run_until_idle(&rig);
	assert_int_equal(rig.head.status, 403);
	assert_int_equal(rig.len, 0);
	assert_int_equal(rig.sim.counts.check_count, 0);
	end(&rig);
}

static void a_package_comes_whole_and_goes_on_from_any_byte(void **state)
{
	struct rig rig;

	(void)state;
	for (uint64_t off = 0; off < SIZE; off += 999) {
		begin(&rig);
		get_package(&rig, off);
		run_until_idle(&rig);
		assert_int_equal(rig.head.status, off ? 206 : 200);
		assert_int_equal(rig.head.range_start, off);
		assert_int_equal(rig.len, SIZE - off);
		for (size_t i = 0; i < rig.len; i++) {
			assert_int_equal(rig.body[i], sim_http_byte(off + i));
		}
		assert_int_equal(rig.done_count, 1);
		end(&rig);
	}
}

static void a_failure_comes_at_its_byte(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	rig.sim.plan.stop_off = 4567;
	rig.sim.plan.answers[SIM_HTTP_PACKAGE].is_failing = true;
	rig.sim.plan.answers[SIM_HTTP_PACKAGE].fail = FOTA_ERR_STALL;
	get_package(&rig, 0);
	run_until_idle(&rig);
	assert_int_equal(rig.len, 4567);
	assert_int_equal(rig.fail_count, 1);
	assert_int_equal(rig.fail, FOTA_ERR_STALL);
	assert_int_equal(rig.done_count, 0);
	end(&rig);
}

static void a_stop_is_told_once_and_holds_or_goes_on(void **state)
{
	(void)state;
	for (int goes_on = 0; goes_on < 2; goes_on++) {
		struct rig rig;

		begin(&rig);
		rig.is_going_on = goes_on;
		rig.sim.plan.stop_off = 5000;
		rig.sim.plan.answers[SIM_HTTP_PACKAGE].is_stopping = true;
		get_package(&rig, 0);
		run_until_idle(&rig);
		assert_int_equal(rig.stop_count, 1);
		assert_int_equal(rig.len, goes_on ? SIZE : 5000);
		assert_int_equal(rig.done_count, goes_on);
		end(&rig);
	}
}

static void bytes_that_are_not_taken_are_offered_again(void **state)
{
	struct rig rig;
	unsigned turn_count = 0;

	(void)state;
	begin(&rig);
	rig.take_max = 777;
	get_package(&rig, 0);
	while (rig.done_count == 0) {
		assert_true(turn_count++ < 100);
		run_until_idle(&rig);
		rig.sim.port.resume(rig.sim.port.ctx);
	}
	assert_int_equal(rig.len, SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		assert_int_equal(rig.body[i], sim_http_byte(i));
	}
	end(&rig);
}

static void the_body_takes_its_time(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	rig.sim.plan.answers[SIM_HTTP_PACKAGE].ms = 1000;
	get_package(&rig, 0);
	while (rig.now_ms < 505) {
		sim_http_perform(&rig.sim);
		rig.now_ms++;
	}
	assert_in_range(rig.len, SIZE / 2 - 20, SIZE / 2);
	rig.sim.port.cancel(rig.sim.port.ctx);
	assert_int_equal(sim_http_next_ms(&rig.sim), UINT32_MAX);
	end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_to_a_check_is_authentic_and_names_the_package),
		cmocka_unit_test(a_request_with_another_secret_gets_403_without_a_body),
		cmocka_unit_test(a_package_comes_whole_and_goes_on_from_any_byte),
		cmocka_unit_test(a_failure_comes_at_its_byte),
		cmocka_unit_test(a_stop_is_told_once_and_holds_or_goes_on),
		cmocka_unit_test(bytes_that_are_not_taken_are_offered_again),
		cmocka_unit_test(the_body_takes_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
