/* SPDX-License-Identifier: Apache-2.0 */
/* The program's settings: command line first, then the file of --config, then the defaults. */
#ifndef CLOUD_OPTIONS_H
#define CLOUD_OPTIONS_H

#include "fota/bytes.h"
#include "log.h"

struct cloud_options {
	char *data;
	char *listen;
	char *tls_cert;
	char *tls_key;
	char *public_url; /* in front of package links; NULL: links are paths on this server */
	char *config;
	bool is_http_allowed;
	enum log_level log_level;
	uint64_t link_lifetime_s;
	uint64_t flush_interval_s;
	uint64_t thread_count;
};

/* Reads the command line, and the file that it names. Ends the program for --help, --version and
 * wrong usage, as argp does. 0, or the exit status after a message on stderr. */
int cloud_options_load(struct cloud_options *options, int argc, char **argv);
void cloud_options_free(struct cloud_options *options);

#endif
