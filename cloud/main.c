/* SPDX-License-Identifier: Apache-2.0 */
/* atfota-cloud: the platform. Everything is in libcloud. */
#include "app.h"
#include "guard.h"

int main(int argc, char **argv)
{
	struct cloud_options options;
	int status;

	guard_memory();
	status = cloud_options_load(&options, argc, argv);
	if (status == 0) { status = cloud_app_run(&options); }
	cloud_options_free(&options);
	return status;
}
