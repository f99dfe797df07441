/* SPDX-License-Identifier: Apache-2.0 */
/* A start goes from what fails most often to what is seen: data directory and database, certificate and
 * socket, threads; only when all of it stands is the first token made and shown. So nobody sees a token of a
 * platform that does not run, and a start that failed can simply be tried again. */
#include "run.h"

#include "app.h"
#include "first_token.h"
#include "http/server.h"
#include "routes.h"
#include "sandbox.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IDLE_TIMEOUT_S 120

/* Whether the terminal that it was started on has gone, which comes as SIGHUP too. */
static bool is_left(bool was_on_terminal)
{
	return was_on_terminal && !isatty(STDIN_FILENO);
}

/* Flushes now and then, and reloads when told so, until a signal to end comes. Returns the signal. */
static int wait_for_end(struct cloud_app *app, struct cloud_server *server, const sigset_t *signals)
{
	const struct timespec interval = { .tv_sec = (time_t)app->options->flush_interval_s };
	bool was_on_terminal = isatty(STDIN_FILENO);

	for (;;) {
		int signal_number = sigtimedwait(signals, NULL, &interval);

		if (signal_number < 0) {
			if (errno == EAGAIN) { cloud_app_flush(app); }
		} else if (signal_number == SIGHUP && !is_left(was_on_terminal)) {
			cloud_server_reload(server);
		} else {
			return signal_number;
		}
	}
}

static int serve(struct cloud_app *app, const sigset_t *signals)
{
	const struct cloud_server_cfg cfg = {
		.listen = app->options->listen,
		.tls_cert_path = app->options->tls_cert,
		.tls_key_path = app->options->tls_key,
		.thread_count = (unsigned)app->options->thread_count,
		.idle_timeout_s = IDLE_TIMEOUT_S,
		.routes = cloud_routes,
		.route_count = cloud_route_count,
		.app = app,
		.log = app->log,
	};
	char url[128];
	struct cloud_server *server = cloud_server_start(&cfg, url);
	int signal_number;
	bool is_good;

	if (!server) { return EXIT_FAILURE; }
	is_good = cloud_first_token_make(app);
	if (is_good) {
		printf("listening on %s\n", url);
		fflush(stdout);
		signal_number = wait_for_end(app, server, signals);
		log_line(app->log, LOG_LEVEL_INFO, "main", "%s: finishing", strsignal(signal_number));
	}
	cloud_server_quiesce(server);
	cloud_app_drain(app);
	cloud_server_stop(server);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cloud_run(const struct cloud_options *options)
{
	const struct log log = { .fd = STDERR_FILENO, .level = options->log_level };
	struct cloud_app app;
	sigset_t signals;
	int status = EXIT_FAILURE;

	/* Blocked before there are threads: all of them inherit it, and only the main one waits. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	umask(077);
	cloud_sandbox_enter(&log); /* also before there are threads */
	if (cloud_app_open(&app, options, &log)) { status = serve(&app, &signals); }
	cloud_app_close(&app);
	return status;
}
