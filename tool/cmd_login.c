/* SPDX-License-Identifier: Apache-2.0 */
/* atfota login: only a token that the platform takes is stored. */
#include <string.h>

#include "api.h"

static enum tool_status verify(const struct tool_config *config, struct tool_error *err)
{
	struct api_path path;
	struct api api;
	enum tool_status status = api_open_with(&api, config, err);

	api_path_init(&path, "/tokens");
	api_path_query(&path, "limit", "1");
	if (!status) { status = api_call(&api, "GET", &path, NULL, NULL, err); }
	api_close(&api);
	return status;
}

enum tool_status tool_login(const struct tool_args *args, struct tool_error *err)
{
	struct tool_config config;
	char path[PATH_MAX];
	enum tool_status status = tool_config_get(args, true, &config, err);

	if (!status) { status = verify(&config, err); }
	if (!status) { status = tool_config_store(&config, err); }
	if (!status && tool_config_path(path, sizeof path, err) == TOOL_STATUS_OK) {
		printf("%s takes the token; stored in %s\n", config.server, path);
	}
	explicit_bzero(&config, sizeof config);
	return status;
}
