/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance suite over the ports of POSIX and the simulators, and over ports that
 * are broken on purpose, where it must complain.
 * Usage: test_ports SERVER_PY */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "conformance.h"
#include "posix_clock.h"
#include "posix_crypto.h"
#include "posix_http.h"
#include "posix_random.h"
#include "posix_store.h"
#include "sim_flash.h"

static const char *server_path;

static void complain(void *ctx, const char *rule, long long detail)
{
	(void)ctx;
	print_error("broken: %s (%lld)\n", rule, detail);
}

static void assert_kept(const struct conf *conf, unsigned least)
{
	assert_true(conf->rule_count >= least);
	assert_int_equal(conf->fail_count, 0);
}

/* ---- flash ---- */

#define AREA_BYTES 65536u

static uint8_t cells[AREA_BYTES], states[AREA_BYTES], room[AREA_BYTES];
static struct sim_flash sim;

static enum fota_err wait_sim(void *ctx)
{
	enum fota_err result;

	return sim_flash_complete(ctx, &result) ? result : FOTA_ERR_CONTRACT;
}

static void restart_sim(void *ctx)
{
	sim_flash_restart(ctx);
}

static struct conf_flash sim_area(const struct fota_flash *flash)
{
	return (struct conf_flash) {
		.flash = flash, .wait = wait_sim, .reopen = restart_sim, .ctx = &sim, .room = { room, sizeof(room) }
	};
}

static void simulated_flash_keeps_the_contract_in_every_shape(void **state)
{
	static const struct {
		uint32_t area_bytes, erase_bytes, prog_bytes;
	} shapes[] = { { 8192, 4096, 1 }, { 65536, 512, 512 }, { 65536, 32768, 64 }, { 12288, 4096, 256 } };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct conf conf = { .fail = complain };
		struct sim_fault fault;
		struct conf_flash area;

		sim_flash_init(&sim, cells, states, shapes[i / 2].area_bytes, shapes[i / 2].erase_bytes,
			       shapes[i / 2].prog_bytes);
		sim.is_async = i % 2;
		area = sim_area(&sim.flash);
		conf_flash(&conf, &area);
		/* faults that are not asked for change nothing */
		sim_fault_init(&fault, &sim.flash);
		area = sim_area(&fault.flash);
		conf_flash(&conf, &area);
		assert_kept(&conf, 100);
		assert_int_equal(sim.violation_count, 0); /* nor does the suite break it */
	}
}

struct files {
	char dir[64];
	struct posix_store *store;
	struct fota_flash first, second;
};

static void open_files(void *ctx)
{
	struct files *files = ctx;

	posix_store_close(files->store);
	assert_int_equal(posix_store_open(&files->store, files->dir), FOTA_ERR_OK);
	assert_int_equal(posix_store_add(files->store, "first", 16 * 4096, POSIX_STORE_SPARSE, &files->first),
			 FOTA_ERR_OK);
	assert_int_equal(posix_store_add(files->store, "second", 3 * 4096 + 1, POSIX_STORE_RESERVED, &files->second),
			 FOTA_ERR_OK);
}

static enum fota_err wait_files(void *ctx)
{
	struct files *files = ctx;
	struct pollfd fd = { .fd = posix_store_fd(files->store), .events = POLLIN };
	enum fota_err result = FOTA_ERR_TIMEOUT;

	if (poll(&fd, 1, 5000) != 1 || !posix_store_poll(files->store, &result)) { return FOTA_ERR_TIMEOUT; }
	return result;
}

static void remove_files(struct files *files)
{
	static const char *const names[] = { "first", "second", "lock", "" };
	char path[128];

	posix_store_close(files->store);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", files->dir, names[i]);
		(void)(names[i][0] ? unlink(path) : rmdir(path));
	}
}

static void storage_in_files_keeps_the_contract(void **state)
{
	struct files files = { .dir = "test_ports.XXXXXX" };
	struct conf conf = { .fail = complain };
	struct conf_flash area = { .flash = &files.first,
				   .wait = wait_files,
				   .reopen = open_files,
				   .ctx = &files,
				   .room = { room, sizeof(room) } };
	struct posix_store *other = NULL;

	(void)state;
	assert_non_null(mkdtemp(files.dir));
	open_files(&files);
	conf_flash(&conf, &area);
	area.flash = &files.second;
	assert_int_equal(files.second.area_bytes, 3 * 4096 + 1);
	conf_flash(&conf, &area);
	/* a directory belongs to one process at a time */
	assert_int_equal(posix_store_open(&other, files.dir), FOTA_ERR_BUSY);
	remove_files(&files);
	assert_kept(&conf, 200);
}

/* A session programs many small pieces before it syncs. */
static void storage_in_files_keeps_many_pieces_in_order(void **state)
{
	struct files files = { .dir = "test_ports.XXXXXX" };
	static uint8_t image[16 * 4096], back[16 * 4096];
	enum fota_err err = FOTA_ERR_OK;

	(void)state;
	assert_non_null(mkdtemp(files.dir));
	open_files(&files);
	for (size_t i = 0; i < sizeof(image); i++) {
		image[i] = (uint8_t)(i * 31 + (i >> 8));
	}
	err = files.first.erase(files.first.ctx, 0, sizeof(image));
	assert_int_equal(err == FOTA_ERR_PENDING ? wait_files(&files) : err, FOTA_ERR_OK);
	for (size_t at = 0, len = 1; at < sizeof(image); at += len, len = len * 7 % 1499 + 1) {
		if (len > sizeof(image) - at) { len = sizeof(image) - at; }
		err = files.first.prog(files.first.ctx, at, image + at, len);
		assert_int_equal(err == FOTA_ERR_PENDING ? wait_files(&files) : err, FOTA_ERR_OK);
	}
	err = files.first.sync(files.first.ctx);
	assert_int_equal(err == FOTA_ERR_PENDING ? wait_files(&files) : err, FOTA_ERR_OK);
	open_files(&files);
	err = files.first.read(files.first.ctx, 0, back, sizeof(back));
	assert_int_equal(err == FOTA_ERR_PENDING ? wait_files(&files) : err, FOTA_ERR_OK);
	assert_memory_equal(image, back, sizeof(image));
	remove_files(&files);
}

/* ---- clock, random, crypto ---- */

static void sleep_ms(uint32_t ms)
{
	(void)usleep(ms * 1000u);
}

static void clock_random_and_crypto_of_posix_keep_their_contracts(void **state)
{
	struct fota_clock clock = posix_clock_port();
	struct fota_random random = posix_random_port();
	struct conf conf = { .fail = complain };
	struct posix_crypto posix;
	struct fota_crypto crypto;

	(void)state;
	assert_int_equal(posix_crypto_init(&posix), FOTA_ERR_OK);
	crypto = posix_crypto_port(&posix);
	conf_clock(&conf, &clock, sleep_ms);
	conf_random(&conf, &random);
	conf_crypto(&conf, &crypto);
	posix_crypto_close(&posix);
	assert_kept(&conf, 500);
}

/* ---- http ---- */

struct client {
	struct conf_http conf;
	struct posix_http *http;
	struct fota_http port;
	pid_t server;
	int server_in;
	char url[64];
};

static enum fota_err on_event(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	return conf_http_event(&((struct client *)ctx)->conf, event, taken);
}

static void poll_http(void *ctx)
{
	struct client *client = ctx;

	posix_http_wait(client->http, NULL, 0, 20);
	posix_http_perform(client->http);
}

/* The server prints its URL, and ends when its input does: also when this test dies. */
static void start_server(struct client *client)
{
	int in[2], out[2];
	ssize_t len;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	client->server = fork();
	assert_true(client->server >= 0);
	if (client->server == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)close(in[1]);
		(void)execl("/usr/bin/python3", "python3", server_path, (char *)NULL);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	client->server_in = in[1];
	len = read(out[0], client->url, sizeof(client->url) - 1);
	(void)close(out[0]);
	assert_true(len > 7 && memcmp(client->url, "http://", 7) == 0);
	client->url[strcspn(client->url, "\n")] = 0;
}

static void stop_server(struct client *client)
{
	int status;

	(void)close(client->server_in);
	assert_int_equal(waitpid(client->server, &status, 0), client->server);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void http_of_posix_keeps_its_contract(void **state)
{
	struct client client = { .url = "" };
	struct posix_http_cfg cfg = { .allow_plain = true,
				      .connect_ms = 3000,
				      .stall_ms = 700,
				      .user_agent = "conformance",
				      .event = on_event,
				      .event_ctx = &client };
	struct conf conf = { .fail = complain };

	(void)state;
	start_server(&client);
	assert_int_equal(posix_http_open(&client.http, &cfg), FOTA_ERR_OK);
	client.port = posix_http_port(client.http);
	client.conf = (struct conf_http) { .http = &client.port,
					   .base_url = client.url,
					   .refused_url = "http://127.0.0.1:1/x",
					   .poll = poll_http,
					   .ctx = &client,
					   .poll_max = 2000,
					   .has_short_stall = true };
	conf_http(&conf, &client.conf);
	posix_http_close(client.http);
	stop_server(&client);
	assert_kept(&conf, 200);
}

/* ---- the suite complains ---- */

static unsigned rule_seen;
static const char *wanted_rule;

static void look_for_rule(void *ctx, const char *rule, long long detail)
{
	(void)ctx;
	(void)detail;
	if (strstr(rule, wanted_rule)) { rule_seen++; }
}

static struct conf expect(const char *rule)
{
	wanted_rule = rule;
	rule_seen = 0;
	return (struct conf) { .fail = look_for_rule };
}

static enum fota_err deaf_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	(void)ctx;
	(void)off;
	(void)src;
	(void)len;
	return FOTA_ERR_OK;
}

static enum fota_err wide_erase(void *ctx, uint64_t off, uint64_t len)
{
	(void)off;
	(void)len;
	return sim.flash.erase(ctx, 0, sim.flash.area_bytes);
}

static enum fota_err narrow_erase(void *ctx, uint64_t off, uint64_t len)
{
	(void)len;
	return sim.flash.erase(ctx, off, sim.flash.erase_bytes);
}

/* As flash does: bits only go from 1 to 0. */
static enum fota_err and_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	static uint8_t both[AREA_BYTES];

	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		both[i] = cells[off + i] & ((const uint8_t *)src)[i];
	}
	return sim.flash.prog(&sim, off, both, len);
}

static enum fota_err odd_sync(void *ctx)
{
	(void)ctx;
	return FOTA_ERR_BUSY;
}

/* Keeps the pointer instead of the bytes. */
static const void *late_src;
static uint64_t late_off;
static size_t late_len;

static void catch_up(void)
{
	if (late_src) { (void)!sim.flash.prog(&sim, late_off, late_src, late_len); }
	late_src = NULL;
}

static enum fota_err late_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	(void)ctx;
	catch_up();
	late_src = src;
	late_off = off;
	late_len = len;
	return FOTA_ERR_OK;
}

static enum fota_err late_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	catch_up();
	return sim.flash.read(ctx, off, dst, len);
}

static void forget(void *ctx)
{
	(void)ctx;
	memset(cells, 0xff, sizeof(cells));
}

static void the_suite_complains_about_flash_that_breaks_a_rule(void **state)
{
	static const struct {
		const char *rule;
		int bend; /* index below */
	} rows[] = {
		{ "power of two", 0 },    { "prog_bytes divides", 1 },
		{ "before a sync", 2 },   { "leaves other units alone", 3 },
		{ "by one call", 4 },     { "sync ends with OK", 5 },
		{ "before a sync", 6 },   { "after a restart", 7 },
		{ "two erase units", 8 }, { "erase_step_bytes is", 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf conf = expect(rows[i].rule);
		struct fota_flash flash;
		struct conf_flash area;

		sim_flash_init(&sim, cells, states, 16384, 4096, 16);
		flash = sim.flash;
		area = sim_area(&flash);
		switch (rows[i].bend) {
		case 0:
			flash.erase_bytes = 4095;
			break;
		case 1:
			flash.prog_bytes = 48;
			break;
		case 2:
			flash.prog = deaf_prog;
			break;
		case 3:
			flash.erase = wide_erase;
			break;
		case 4:
			flash.erase = narrow_erase;
			flash.prog = and_prog;
			break;
		case 5:
			flash.sync = odd_sync;
			break;
		case 6:
			flash.prog = late_prog;
			flash.read = late_read;
			break;
		case 7:
			area.reopen = forget;
			break;
		case 8:
			flash.area_bytes = 4096;
			break;
		default:
			flash.erase_step_bytes = 100;
			break;
		}
		conf_flash(&conf, &area);
		if (!rule_seen) { fail_msg("not noticed: %s", rows[i].rule); }
	}
}

static uint64_t broken_now, broken_step;

static uint64_t odd_now(void *ctx)
{
	(void)ctx;
	return broken_now += broken_step;
}

static uint64_t odd_unix(void *ctx)
{
	(void)ctx;
	return 12345; /* 1970 */
}

static enum fota_err same_fill(void *ctx, uint8_t *dst, size_t len)
{
	(void)ctx;
	memset(dst, 0x5a, len);
	return FOTA_ERR_OK;
}

static enum fota_err short_fill(void *ctx, uint8_t *dst, size_t len)
{
	struct fota_random random = posix_random_port();

	(void)ctx;
	return random.fill(NULL, dst, len > 4 ? len - 1 : len);
}

static void the_suite_complains_about_clocks_and_random_numbers_that_break_a_rule(void **state)
{
	struct fota_clock clock = { .now_ms = odd_now, .unix_s = odd_unix };
	struct fota_random same = { .fill = same_fill }, short_one = { .fill = short_fill };
	struct conf conf = expect("never goes back");

	(void)state;
	broken_now = UINT64_MAX / 2;
	broken_step = UINT64_MAX; /* one less each time */
	conf_clock(&conf, &clock, NULL);
	assert_int_equal(rule_seen, 1);
	broken_step = 0;
	conf = expect("not slower");
	conf_clock(&conf, &clock, sleep_ms);
	assert_int_equal(rule_seen, 1);
	broken_step = 1000000;
	conf = expect("not faster");
	conf_clock(&conf, &clock, sleep_ms);
	assert_int_equal(rule_seen, 1);
	conf = expect("until the time is known");
	conf_clock(&conf, &clock, NULL);
	assert_int_equal(rule_seen, 1);
	conf = expect("other bytes each time");
	conf_random(&conf, &same);
	assert_int_equal(rule_seen, 1);
	conf = expect("fills all bytes");
	conf_random(&conf, &short_one);
	assert_true(rule_seen > 0);
}

static struct fota_crypto whole_crypto;

static enum fota_err one_part_hmac(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
				   uint8_t mac[32])
{
	return whole_crypto.hmac_sha256(ctx, key, parts, part_count ? 1 : 0, mac);
}

static enum fota_err no_begin(void *ctx)
{
	static bool has_begun;

	if (has_begun) { return FOTA_ERR_OK; }
	has_begun = true;
	return whole_crypto.sha256_begin(ctx);
}

static enum fota_err one_part_sha1(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20])
{
	return whole_crypto.sha1(ctx, parts, part_count ? 1 : 0, digest);
}

static enum fota_err believe_all(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64])
{
	(void)ctx, (void)key, (void)hash, (void)signature;
	return FOTA_ERR_OK;
}

/* Takes the running SHA-256 for itself, as a driver with one engine may. */
static enum fota_err careless_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32],
				     const uint8_t signature[64])
{
	enum fota_err err = whole_crypto.sha256_begin(ctx);

	return err ? err : whole_crypto.p256_verify(ctx, key, hash, signature);
}

static void the_suite_complains_about_signatures_that_break_a_rule(void **state)
{
	struct posix_crypto posix;
	struct fota_crypto crypto;
	struct conf conf = expect("sha1 gives the known answer");

	(void)state;
	assert_int_equal(posix_crypto_init(&posix), FOTA_ERR_OK);
	whole_crypto = crypto = posix_crypto_port(&posix);
	crypto.sha1 = one_part_sha1;
	conf_crypto(&conf, &crypto);
	assert_true(rule_seen > 0);
	crypto = whole_crypto;
	crypto.p256_verify = believe_all;
	conf = expect("finds a flipped bit");
	conf_crypto(&conf, &crypto);
	assert_int_equal(rule_seen, 2 * (64 + 32 + 64));
	crypto.p256_verify = careless_verify;
	conf = expect("do not disturb");
	conf_crypto(&conf, &crypto);
	assert_int_equal(rule_seen, 1);
	posix_crypto_close(&posix);
}

static void the_suite_complains_about_crypto_that_breaks_a_rule(void **state)
{
	struct posix_crypto posix;
	struct fota_crypto crypto;
	struct conf conf = expect("in parts split anywhere");

	(void)state;
	assert_int_equal(posix_crypto_init(&posix), FOTA_ERR_OK);
	whole_crypto = crypto = posix_crypto_port(&posix);
	crypto.hmac_sha256 = one_part_hmac;
	conf_crypto(&conf, &crypto);
	assert_true(rule_seen > 0);
	crypto = whole_crypto;
	crypto.sha256_begin = no_begin;
	conf = expect("sha256");
	conf_crypto(&conf, &crypto);
	assert_true(rule_seen > 0);
	posix_crypto_close(&posix);
}

static enum fota_err lame_start(void *ctx, const struct fota_http_request *req)
{
	(void)ctx;
	(void)req;
	return FOTA_ERR_OK;
}

static void lame(void *ctx)
{
	(void)ctx;
}

static void the_suite_complains_about_a_client_that_does_nothing(void **state)
{
	struct fota_http port = { .start = lame_start, .resume = lame, .cancel = lame };
	struct conf_http client = { .http = &port,
				    .base_url = "http://127.0.0.1:1",
				    .refused_url = "http://127.0.0.1:1",
				    .poll = lame,
				    .poll_max = 3 };
	struct conf conf = expect("a request ends");

	(void)state;
	conf_http(&conf, &client);
	assert_true(rule_seen > 20);
}

/* ---- faults on demand ---- */

static void a_fault_is_given_by_name_and_begins_where_it_is_asked_to(void **state)
{
	static const char *const bad[] = {
		"",          "prog",      "prog=",      "prog=odd", "write=io",          "prog=io@",
		"prog=io@0", "prog=io@x", "prog=io@1x", "prog=iox", "prog=io@4294967296"
	};
	struct sim_fault fault;
	uint8_t bytes[16] = { 0 };

	(void)state;
	sim_flash_init(&sim, cells, states, 8192, 4096, 16);
	sim_fault_init(&fault, &sim.flash);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (sim_fault_parse(&fault, bad[i])) { fail_msg("taken: '%s'", bad[i]); }
	}
	sim_fault_init(&fault, &sim.flash);
	assert_true(sim_fault_parse(&fault, "read=io@3"));
	assert_true(sim_fault_parse(&fault, "prog=full"));
	assert_true(sim_fault_parse(&fault, "sync=hang@1"));
	assert_true(sim_fault_parse(&fault, "erase=fine"));
	assert_int_equal(fault.flash.read(fault.flash.ctx, 0, bytes, 1), FOTA_ERR_OK);
	assert_int_equal(fault.flash.read(fault.flash.ctx, 0, bytes, 1), FOTA_ERR_OK);
	assert_int_equal(fault.flash.read(fault.flash.ctx, 0, bytes, 1), FOTA_ERR_IO);
	assert_int_equal(fault.flash.read(fault.flash.ctx, 0, bytes, 1), FOTA_ERR_IO);
	assert_int_equal(fault.flash.erase(fault.flash.ctx, 0, 4096), FOTA_ERR_OK);
	assert_int_equal(fault.flash.prog(fault.flash.ctx, 0, bytes, 16), FOTA_ERR_FULL);
	assert_int_equal(fault.flash.sync(fault.flash.ctx), FOTA_ERR_PENDING);
}

static void simulated_flash_notices_callers_that_break_the_contract(void **state)
{
	uint8_t bytes[32] = { 0 };
	enum fota_err result;

	(void)state;
	sim_flash_init(&sim, cells, states, 8192, 4096, 16);
	(void)!sim.flash.prog(&sim, 0, bytes, 16); /* was not erased */
	assert_int_equal(sim.violation_count, 16);
	sim.violation_count = 0;
	assert_int_equal(sim.flash.prog(&sim, 8, bytes, 16), FOTA_ERR_IO);
	assert_int_equal(sim.flash.prog(&sim, 0, bytes, 8), FOTA_ERR_IO);
	assert_int_equal(sim.flash.prog(&sim, 8192, bytes, 16), FOTA_ERR_IO);
	assert_int_equal(sim.flash.erase(&sim, 16, 4096), FOTA_ERR_IO);
	assert_int_equal(sim.flash.erase(&sim, 4096, 8192), FOTA_ERR_IO);
	assert_int_equal(sim.violation_count, 5);
	sim.violation_count = 0;
	sim.is_async = true;
	assert_int_equal(sim.flash.sync(&sim), FOTA_ERR_PENDING);
	assert_int_equal(sim.flash.sync(&sim), FOTA_ERR_PENDING); /* one too many */
	assert_int_equal(sim.violation_count, 1);
	assert_true(sim_flash_complete(&sim, &result));
	assert_false(sim_flash_complete(&sim, &result));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simulated_flash_keeps_the_contract_in_every_shape),
		cmocka_unit_test(storage_in_files_keeps_the_contract),
		cmocka_unit_test(storage_in_files_keeps_many_pieces_in_order),
		cmocka_unit_test(clock_random_and_crypto_of_posix_keep_their_contracts),
		cmocka_unit_test(http_of_posix_keeps_its_contract),
		cmocka_unit_test(the_suite_complains_about_flash_that_breaks_a_rule),
		cmocka_unit_test(the_suite_complains_about_clocks_and_random_numbers_that_break_a_rule),
		cmocka_unit_test(the_suite_complains_about_crypto_that_breaks_a_rule),
		cmocka_unit_test(the_suite_complains_about_signatures_that_break_a_rule),
		cmocka_unit_test(the_suite_complains_about_a_client_that_does_nothing),
		cmocka_unit_test(a_fault_is_given_by_name_and_begins_where_it_is_asked_to),
		cmocka_unit_test(simulated_flash_notices_callers_that_break_the_contract),
	};

	if (argc != 2) { return 2; }
	server_path = argv[1];
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
