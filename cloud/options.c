/* SPDX-License-Identifier: Apache-2.0 */
/* Every option is a row of argp's table and a row of `setters`; the file of --config uses the
 * same rows, so that both always know the same names. */
#include "options.h"

#include "config_file.h"
#include "text.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE           64
#define PUBLIC_URL_MAX_BYTES 100u

enum key {
	KEY_DATA = 256,
	KEY_LISTEN,
	KEY_TLS_CERT,
	KEY_TLS_KEY,
	KEY_ALLOW_HTTP,
	KEY_PUBLIC_URL,
	KEY_LINK_LIFETIME,
	KEY_FLUSH_INTERVAL,
	KEY_THREADS,
	KEY_CONFIG,
	KEY_LOG_LEVEL,
	KEY_END,
};

static const struct argp_option argp_rows[] = {
	{ "data", KEY_DATA, "DIR", 0, "directory of database, packages and first token (needed)", 0 },
	{ "listen", KEY_LISTEN, "ADDR:PORT", 0, "where to listen; port 0 takes a free one [127.0.0.1:8080]", 0 },
	{ "tls-cert", KEY_TLS_CERT, "FILE", 0, "certificate chain, PEM", 0 },
	{ "tls-key", KEY_TLS_KEY, "FILE", 0, "private key of the certificate, PEM", 0 },
	{ "allow-http", KEY_ALLOW_HTTP, NULL, 0, "serve without TLS if no certificate is given", 0 },
	{ "public-url", KEY_PUBLIC_URL, "URL", 0, "begin of package links, when they lead over a CDN or a proxy", 0 },
	{ "link-lifetime", KEY_LINK_LIFETIME, "SECONDS", 0, "how long a package link is good for [86400]", 0 },
	{ "flush-interval", KEY_FLUSH_INTERVAL, "SECONDS", 0, "how often collected last-seen times are written [10]",
	  0 },
	{ "threads", KEY_THREADS, "COUNT", 0, "HTTP threads; 0 = one for each core [0]", 0 },
	{ "config", KEY_CONFIG, "FILE", 0, "settings in lines 'name = value', with the names above", 0 },
	{ "log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warn, info or debug [info]", 0 },
	{ 0 },
};

struct load {
	struct cloud_options *options;
	bool is_set[KEY_END - KEY_DATA];
};

static const char *set_text(char **to, const char *value)
{
	if (!*value) { return "must not be empty"; }
	free(*to);
	*to = strdup(value);
	return *to ? NULL : "no memory";
}

/* What stands before "/device/v1/package/…": the whole link has to fit into an answer. */
static const char *set_url(char **to, const char *value)
{
	size_t len = strlen(value);

	if (strncmp(value, "https://", 8) != 0 && strncmp(value, "http://", 7) != 0) {
		return "must begin with https:// or http://";
	}
	if (len > PUBLIC_URL_MAX_BYTES) { return "must have at most 100 bytes"; }
	return value[len - 1] == '/' ? "must not end with /" : set_text(to, value);
}

static const char *set_number(uint64_t *to, const char *value, uint64_t min, uint64_t max)
{
	if (!cloud_number_get(value, max, to) || *to < min) { return "is not a number in its range"; }
	return NULL;
}

static const char *set_flag(bool *to, const char *value)
{
	if (!value || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0) {
		*to = true;
	} else if (strcmp(value, "false") == 0 || strcmp(value, "no") == 0) {
		*to = false;
	} else {
		return "must be yes or no";
	}
	return NULL;
}

/* NULL, or what is wrong with the value. */
static const char *set_option(struct cloud_options *options, int key, const char *value)
{
	switch ((enum key)key) {
	case KEY_DATA:
		return set_text(&options->data, value);
	case KEY_LISTEN:
		return set_text(&options->listen, value);
	case KEY_TLS_CERT:
		return set_text(&options->tls_cert, value);
	case KEY_TLS_KEY:
		return set_text(&options->tls_key, value);
	case KEY_ALLOW_HTTP:
		return set_flag(&options->is_http_allowed, value);
	case KEY_PUBLIC_URL:
		return set_url(&options->public_url, value);
	case KEY_LINK_LIFETIME:
		return set_number(&options->link_lifetime_s, value, 1, 31622400);
	case KEY_FLUSH_INTERVAL:
		return set_number(&options->flush_interval_s, value, 1, 3600);
	case KEY_THREADS:
		return set_number(&options->thread_count, value, 0, 256);
	case KEY_CONFIG:
		return set_text(&options->config, value);
	case KEY_LOG_LEVEL:
		return log_level_parse(value, &options->log_level) ? NULL : "must be error, warn, info or debug";
	case KEY_END:
		break;
	}
	return "is not known";
}

static const struct argp_option *row_of_key(int key)
{
	const struct argp_option *row = argp_rows;

	while (row->name && row->key != key) {
		row++;
	}
	return row->name ? row : NULL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct load *load = state->input;
	const struct argp_option *row = row_of_key(key);
	const char *wrong;

	if (key == ARGP_KEY_ARG) { argp_error(state, "unexpected argument '%s'", value); }
	if (!row) { return ARGP_ERR_UNKNOWN; }
	wrong = set_option(load->options, key, value);
	if (wrong) { argp_error(state, "--%s %s", row->name, wrong); }
	load->is_set[key - KEY_DATA] = true;
	return 0;
}

/* What the command line set stays. NULL, or what is wrong with the setting. */
static const char *set_from_file(void *ctx, const char *section, const char *name, const char *value)
{
	struct load *load = ctx;
	const struct argp_option *row = argp_rows;

	(void)section;
	while (row->name && strcmp(row->name, name) != 0) {
		row++;
	}
	if (!row->name || row->key == KEY_CONFIG) { return "has a name that is not known"; }
	return load->is_set[row->key - KEY_DATA] ? NULL : set_option(load->options, row->key, value);
}

static int load_file(struct load *load, const char *path)
{
	struct config_reader reader = { .set = set_from_file, .ctx = load };
	char message[512];

	if (config_file_load(path, &reader, message, sizeof(message)) == 0) { return 0; }
	fprintf(stderr, "atfota-cloud: %s\n", message);
	return EXIT_USAGE;
}

static int check(const struct cloud_options *options)
{
	const char *wrong = NULL;

	if (!options->data) {
		wrong = "no data directory: give --data DIR";
	} else if (!options->tls_cert != !options->tls_key) {
		wrong = "--tls-cert and --tls-key belong together: give both";
	} else if (!options->tls_cert && !options->is_http_allowed) {
		wrong = "no certificate: give --tls-cert and --tls-key (atfota-cloud(8) makes both with two commands), or "
			"--allow-http to serve without TLS";
	}
	if (wrong) { fprintf(stderr, "atfota-cloud: %s\n", wrong); }
	return wrong ? EXIT_USAGE : 0;
}

/* The name and the missing const are argp's. */
const char *argp_program_version = "atfota-cloud " ATFOTA_VERSION;

int cloud_options_load(struct cloud_options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_rows,
		.parser = parse_option,
		.doc = "The atfota platform: products, versions and packages for firmware updates over the air.",
	};
	struct load load = { .options = options };
	int status = 0;

	*options = (struct cloud_options) {
		.log_level = LOG_LEVEL_INFO,
		.link_lifetime_s = 86400,
		.flush_interval_s = 10,
		.listen = strdup("127.0.0.1:8080"),
	};
	if (argp_parse(&argp, argc, argv, 0, NULL, &load) != 0) { return EXIT_USAGE; }
	if (options->config) { status = load_file(&load, options->config); }
	return status ? status : check(options);
}

void cloud_options_free(struct cloud_options *options)
{
	free(options->data);
	free(options->listen);
	free(options->tls_cert);
	free(options->tls_key);
	free(options->public_url);
	free(options->config);
}
