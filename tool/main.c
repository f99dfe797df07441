/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "guard.h"
#include "inherit.h"
#include "wipe.h"

int main(int argc, char **argv)
{
	guard_memory();
	if (!inherit_mend()) { return TOOL_STATUS_FAIL; }
	/* Both hold tokens and secrets. A failure of libcurl is told by whoever needs it. */
	json_set_alloc_funcs(malloc, wipe_free);
	(void)curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup, calloc);
	return (int)tool_command_run(&tool_root, argc, argv);
}
