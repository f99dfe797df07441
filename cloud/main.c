/* SPDX-License-Identifier: Apache-2.0 */
/* atfota-cloud: the platform. Everything is in libcloud. */
#include "guard.h"
#include "inherit.h"
#include "run.h"
#include "wipe.h"

#include <jansson.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct cloud_options options;
	int status;

	guard_memory();
	if (!inherit_mend()) { return 1; }
	json_set_alloc_funcs(malloc, wipe_free);
	status = cloud_options_load(&options, argc, argv);
	if (status == 0) { status = cloud_run(&options); }
	cloud_options_free(&options);
	return status;
}
