/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "config_args.h"
#include "guard.h"
#include "inherit.h"
#include "module.h"

/* libcurl brings GnuTLS along, for its LDAP and RTMP, which this program never speaks. By this
 * function, which GnuTLS looks for in the program, it is spared its start: tables, tests of itself and
 * PKCS#11, together 0.7 MiB of resident memory. TLS is OpenSSL's. */
int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
	return 1;
}

int main(int argc, char **argv)
{
	struct module_options options;
	struct config_args args;
	char message[512];
	int status;

	guard_memory();
	if (!inherit_mend()) { return 1; }
	if (config_args_load(&args, module_option_rows, argc, argv, message, sizeof(message))) {
		(void)fprintf(stderr, "atfotad: %s\n", message);
		return 64;
	}
	module_options_parse(&options, args.argc, args.argv);
	status = module_run(&options);
	config_args_free(&args);
	return status;
}
