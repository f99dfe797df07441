/* SPDX-License-Identifier: Apache-2.0 */
/* A host that upgrades its module and does with each result code what it asks for:
 *
 *   R  tries again after a pause that doubles; a part that the module kept (4) is used
 *   E  is content: up to date, or cancelled
 *   X  stops, and tells the person what to change
 *
 * Everything about AT commands is in host/fota_host.c; here is the port, the clock and
 * the decision. Build: cc -I../../host upgrade.c ../../host/fota_host.c -o upgrade
 * Run: PRODUCT_SECRET=... ./upgrade PORT OEM MODEL PRODUCT TARGET [TRIES [PAUSE_MS]]
 * Status: 0 done or nothing to do, 1 a person has to change something, 2 tries used up. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "fota_host.h"

#define TRIES        5
#define PAUSE_MS     1000
#define PAUSE_MAX_MS 60000
#define POLL_MAX_MS  1000
#define SYNC_MS      300 /* for the answer to one AT: a module that starts is met soon */

enum { STATUS_FINE, STATUS_CHANGE, STATUS_RETRY, STATUS_USAGE = 64 };

struct app {
	int fd;
	struct fota_host_event end; /* how the last session ended */
	char refusal[64];
};

static uint32_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

/* ---- the port ---- */

static int open_port(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct termios tio;

	if (fd < 0 || tcgetattr(fd, &tio)) { return fd < 0 ? fd : -1; }
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	(void)cfsetispeed(&tio, B115200);
	(void)cfsetospeed(&tio, B115200);
	return tcsetattr(fd, TCSANOW, &tio) ? -1 : fd;
}

/* A command has a few hundred bytes. What the port does not take within a second is
 * lost, and the helper notices that the module is silent. */
static void write_port(void *ctx, const char *bytes, size_t len)
{
	const struct app *app = ctx;

	while (len) {
		struct pollfd fd = { .fd = app->fd, .events = POLLOUT };
		ssize_t n = write(app->fd, bytes, len);

		if (n < 0 && (errno != EAGAIN || poll(&fd, 1, 1000) <= 0)) { return; }
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
}

/* ---- what happens ---- */

static void tell(void *ctx, const struct fota_host_event *event)
{
	struct app *app = ctx;

	switch (event->kind) {
	case FOTA_HOST_ACCEPTED:
		printf("accepted\n");
		break;
	case FOTA_HOST_CODE:
		printf("code %d: %s\n", event->code, event->info ? event->info->text : "unknown");
		break;
	case FOTA_HOST_MOVED:
		printf("received %llu of %llu\n", (unsigned long long)event->received_bytes,
		       (unsigned long long)event->total_bytes);
		break;
	case FOTA_HOST_END:
		app->end = *event;
		(void)snprintf(app->refusal, sizeof(app->refusal), "%s", event->text);
		break;
	case FOTA_HOST_LINE:
		break;
	}
	(void)fflush(stdout);
}

static void read_port(struct app *app, struct fota_host *host)
{
	char bytes[512];
	ssize_t n = read(app->fd, bytes, sizeof(bytes));

	if (n > 0) {
		fota_host_feed(host, bytes, (size_t)n, now_ms());
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		fota_host_gone(host);
	}
}

static void run_session(struct app *app, const struct fota_host_request *request)
{
	struct fota_host_cfg cfg = {
		.request = *request,
		.limits = { .sync_ms = SYNC_MS, .sync_tries = 20 },
		.write = write_port,
		.event = tell,
		.ctx = app,
	};
	struct fota_host host;

	fota_host_init(&host, &cfg, now_ms());
	while (!fota_host_is_ended(&host)) {
		struct pollfd fd = { .fd = app->fd, .events = POLLIN };
		uint32_t wait_ms = fota_host_wait_ms(&host, now_ms());

		if (poll(&fd, 1, (int)(wait_ms < POLL_MAX_MS ? wait_ms : POLL_MAX_MS)) > 0) { read_port(app, &host); }
		fota_host_tick(&host, now_ms());
	}
}

/* ---- what to do about it ---- */

static const char *text_of(const struct app *app)
{
	static const char *const outcomes[] = {
		[FOTA_HOST_REFUSED] = "the command was refused",    [FOTA_HOST_NO_ANSWER] = "the module is silent",
		[FOTA_HOST_RESTARTED] = "the module restarted",     [FOTA_HOST_GONE] = "the port is gone",
		[FOTA_HOST_TIMEOUT] = "the time limit is over",     [FOTA_HOST_CANCELLED] = "cancelled",
		[FOTA_HOST_DONE_CODE] = "a code that is not known",
	};

	return app->end.info ? app->end.info->text : outcomes[app->end.outcome];
}

static int stop_at(const struct app *app)
{
	printf("stop: %d %s: %s\n", app->end.code, text_of(app), app->end.info ? app->end.info->advice : app->refusal);
	return STATUS_CHANGE;
}

static void pause_ms(unsigned long ms)
{
	struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

static int upgrade(struct app *app, const struct fota_host_request *request, unsigned long tries, unsigned long pause)
{
	for (unsigned long i = 1;; i++) {
		char next;

		run_session(app, request);
		next = fota_host_next(&app->end);
		if (next == FOTA_HOST_CHANGE) { return stop_at(app); }
		if (next != FOTA_HOST_RETRY) {
			printf("%s: %d %s\n", next == FOTA_HOST_NOTHING ? "fine" : "done", app->end.code, text_of(app));
			return STATUS_FINE;
		}
		if (i == tries) { break; }
		printf("again in %lu ms: %d %s%s\n", pause, app->end.code, text_of(app),
		       app->end.is_part_kept ? ", from the part that is stored" : "");
		(void)fflush(stdout);
		pause_ms(pause);
		pause = 2 * pause < PAUSE_MAX_MS ? 2 * pause : PAUSE_MAX_MS;
	}
	printf("given up after %lu tries: %d %s\n", tries, app->end.code, text_of(app));
	return STATUS_RETRY;
}

int main(int argc, char **argv)
{
	const char *secret = getenv("PRODUCT_SECRET"); /* arguments are seen by everybody */
	struct app app;
	int status;

	if (argc < 6 || argc > 8 || !secret) {
		(void)fprintf(stderr, "usage: PRODUCT_SECRET=... upgrade PORT OEM MODEL PRODUCT TARGET "
				      "[TRIES [PAUSE_MS]]\n");
		return STATUS_USAGE;
	}
	app = (struct app) { .fd = open_port(argv[1]) };
	if (app.fd < 0) {
		perror(argv[1]);
		return STATUS_RETRY;
	}
	status = upgrade(&app, &(struct fota_host_request) { argv[2], argv[3], argv[4], secret, argv[5] },
			 argc > 6 ? strtoul(argv[6], NULL, 10) : TRIES,
			 argc > 7 ? strtoul(argv[7], NULL, 10) : PAUSE_MS);
	(void)close(app.fd);
	return status;
}
