/* SPDX-License-Identifier: Apache-2.0 */
/* A name server that keeps silent must not keep the loop: libcurl looks names up in a
 * thread of its own, and this program has its own getaddrinfo, which takes long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netdb.h>
#include <unistd.h>

#include "posix_clock.h"
#include "posix_http.h"

#define LOOKUP_S   4
#define TURN_MS    20
#define TURN_COUNT 10
#define MOST_MS    1000 /* one turn of the loop, on a busy machine */

/* In the place of libc's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	(void)node, (void)service, (void)hints;
	*result = NULL;
	(void)sleep(LOOKUP_S);
	return EAI_AGAIN;
}

static enum fota_err on_event(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	unsigned *fail_count = ctx;

	*taken = event->body.len;
	if (event->kind == FOTA_HTTP_FAIL) { (*fail_count)++; }
	return FOTA_ERR_OK;
}

/* The longest turn, in milliseconds. */
static uint64_t turn(struct posix_http *http, unsigned count)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t begun = posix_clock_now_ms(), took;

		posix_http_wait(http, NULL, 0, TURN_MS);
		posix_http_perform(http);
		took = posix_clock_now_ms() - begun;
		if (took > longest) { longest = took; }
	}
	return longest;
}

static struct posix_http *begin(uint32_t connect_ms, unsigned *fail_count)
{
	struct posix_http_cfg cfg = {
		.allow_plain = true, .connect_ms = connect_ms, .event = on_event, .event_ctx = fail_count
	};
	struct fota_http_request req = { .method = FOTA_HTTP_GET, .url = fota_bytes_of("http://silent.example/") };
	struct posix_http *http;
	struct fota_http port;

	assert_int_equal(posix_http_open(&http, &cfg), FOTA_ERR_OK);
	port = posix_http_port(http);
	assert_int_equal(port.start(port.ctx, &req), FOTA_ERR_OK);
	return http;
}

static void cancel_does_not_wait_for_a_silent_name_server(void **state)
{
	unsigned fail_count = 0;
	struct posix_http *http = begin(60000, &fail_count);
	struct fota_http port = posix_http_port(http);

	(void)state;
	assert_true(turn(http, TURN_COUNT) < MOST_MS);
	port.cancel(port.ctx);
	assert_true(turn(http, TURN_COUNT) < MOST_MS);
	assert_int_equal(fail_count, 0);
	posix_http_close(http);
}

static void time_limit_does_not_wait_for_a_silent_name_server(void **state)
{
	unsigned fail_count = 0;
	struct posix_http *http = begin(100, &fail_count);

	(void)state;
	assert_true(turn(http, 5 * TURN_COUNT) < MOST_MS);
	assert_int_equal(fail_count, 1);
	posix_http_close(http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancel_does_not_wait_for_a_silent_name_server),
		cmocka_unit_test(time_limit_does_not_wait_for_a_silent_name_server),
	};

	return cmocka_run_group_tests_name("ports: names", tests, NULL, NULL);
}
