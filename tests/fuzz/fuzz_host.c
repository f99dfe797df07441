/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the helper for hosts: what a module says, and time. A byte of 0xfe takes the
 * next one as an operation: wait, cancel, or the port is gone.
 *
 * Properties: the end comes once and is the last event; only whole commands of ours are
 * written; silence leads to the end in bounded time; AT+CSCFOTA is sent at most once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fota_host.h"

#define OP            0xfe
#define TURN_MAX      400u
#define COMMAND_BYTES 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct fota_host host;
	char command[COMMAND_BYTES];
	size_t len;
	unsigned start_count, end_count;
	uint32_t now_ms;
};

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

static void take_command(struct world *world)
{
	require(strncmp(world->command, "AT", 2) == 0, "a command begins with AT");
	if (strncmp(world->command, "AT+CSCFOTA=", 11) == 0) { world->start_count++; }
	require(world->start_count <= 1, "the session is started once");
	world->len = 0;
}

static void take_bytes(void *ctx, const char *bytes, size_t len)
{
	struct world *world = ctx;

	require(world->end_count == 0, "nothing is sent behind the end");
	require(len < COMMAND_BYTES - world->len, "a command is bounded");
	memcpy(world->command + world->len, bytes, len);
	world->len += len;
	world->command[world->len] = '\0';
	if (world->command[world->len - 1] == '\r') { take_command(world); }
}

static void take_event(void *ctx, const struct fota_host_event *event)
{
	struct world *world = ctx;

	require(world->end_count == 0, "the end is the last event");
	if (event->kind == FOTA_HOST_LINE) {
		require(strlen(event->text) <= FOTA_HOST_LINE_BYTES, "a line is bounded");
	}
	if (event->kind != FOTA_HOST_END) { return; }
	world->end_count++;
	require(event->outcome != FOTA_HOST_RUNNING && event->step != NULL, "the end has a reason");
	require(strchr("PERX", fota_host_next(event)) != NULL, "there is something to do next");
}

static void operate(struct world *world, uint8_t op)
{
	static const uint32_t times_ms[] = { 1, 299, 300, 1000, 9000, 15000, 60000, 3900000 };

	if (op % 16 < 8) {
		world->now_ms += times_ms[op % 8];
		fota_host_tick(&world->host, world->now_ms);
	} else if (op % 16 < 12) {
		fota_host_cancel(&world->host, world->now_ms);
	} else if (op % 16 == 15) {
		fota_host_gone(&world->host);
	}
}

/* Nothing but time. */
static void be_silent(struct world *world)
{
	unsigned turn_count = 0;

	fota_host_cancel(&world->host, world->now_ms);
	while (!fota_host_is_ended(&world->host)) {
		require(turn_count++ < TURN_MAX, "silence leads to the end");
		world->now_ms += fota_host_wait_ms(&world->host, world->now_ms);
		fota_host_tick(&world->host, world->now_ms);
	}
	require(world->end_count == 1, "the end comes once");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world world;
	struct fota_host_cfg cfg = {
		.request = { "SIMCOM", "7600\"M21", "1540907004", "f9bbb0d76f894da090b6b69253616561", "V2" },
		.write = take_bytes,
		.event = take_event,
		.ctx = &world,
	};

	world = (struct world) { .now_ms = len ? (uint32_t)data[0] << 24 : 0 };
	fota_host_init(&world.host, &cfg, world.now_ms);
	for (size_t i = 1; i < len; i++) {
		if (data[i] == OP && i + 1 < len) {
			operate(&world, data[++i]);
		} else {
			fota_host_feed(&world.host, data + i, 1, world.now_ms);
		}
	}
	be_silent(&world);
	return 0;
}
