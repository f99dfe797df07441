/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that a host changes with AT+FOTACFG and that stay: the file `settings` in the state
 * directory, lines `name = value`. What is not in it has the value of the program's
 * options.
 *
 * A change is written by a thread of its own, since a disk may take its time; it counts, and the
 * command is answered, when it is durable. */
#ifndef MODULE_SETTINGS_H
#define MODULE_SETTINGS_H

#include <pthread.h>

#include "fota/at_config.h"
#include "fota/session.h"
#include "log.h"

enum setting {
	SETTING_SERVER,
	SETTING_CODES,
	SETTING_RETRIES,
	SETTING_RETRY_BASE,
	SETTING_RETRY_MAX,
	SETTING_AUTO_INSTALL,
	SETTING_AUTO_CONFIRM,
	SETTING_TRIAL_TIME,
	SETTING_TRIAL_BOOTS,
	SETTING_WINDOW,
	SETTING_COUNT,
};

struct settings {
	/* private */
	struct log *log;
	const char *dir;
	bool allow_plain;
	const char *server_url;                                    /* the default */
	char defaults[SETTING_COUNT][16];                          /* of the others */
	char values[SETTING_COUNT][AT_CONFIG_VALUE_MAX_BYTES + 1]; /* "": the default */
	char wanted[AT_CONFIG_VALUE_MAX_BYTES + 1];                /* of `changing`, while it is written */
	enum setting changing;
	struct at_server *waiting; /* whose command made the change; NULL: nothing is being written */
	bool is_written;           /* by the thread, before it tells */
	pthread_t writer;
	char *text; /* of the file; the writer's */
	int fd;     /* told by the writer */
	struct at_config_cfg at_cfg;
	/* A value changed, or was read at the start. */
	void (*changed)(void *ctx);
	/* A session runs: nothing may change now. */
	bool (*is_busy)(void *ctx);
	void *ctx;
};

struct settings_options {
	const char *dir; /* NULL: nothing is kept, changes are refused */
	const char *server_url;
	const struct fota_session_limits *limits; /* that hold without settings, fota_session_get_limits */
	bool allow_plain;
	struct log *log;
	void (*changed)(void *ctx);
	bool (*is_busy)(void *ctx);
	void *ctx;
};

/* Reads the file. 0, or -1 after an error in the log. Keeps the strings. */
int settings_open(struct settings *settings, const struct settings_options *options);
void settings_close(struct settings *settings);

/* The table of AT+FOTACFG; keeps *settings. */
struct at_table settings_table(struct settings *settings);

/* Readable when a change was written; then settings_perform ends its command. */
int settings_fd(const struct settings *settings);
void settings_perform(struct settings *settings, uint64_t now_ms);

bool settings_is_writing(const struct settings *settings);

/* What holds now. */
const char *settings_server(const struct settings *settings);
bool settings_is_code_for_all(const struct settings *settings);
void settings_limits(const struct settings *settings, struct fota_session_limits *limits);
void settings_policy(const struct settings *settings, struct fota_session_policy *policy);

#endif
