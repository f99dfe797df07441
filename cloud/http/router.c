/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the table: with some dozens of rows it costs less than the hash of a path. The
 * rows that devices use are the first. */
#include "http/router.h"

#include <stdio.h>

static bool is_match(const char *pattern, const char *path, char id[CLOUD_PATH_ID_CAP])
{
	size_t len, off = 0;

	id[0] = 0;
	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *path++) { return false; }
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || len >= CLOUD_PATH_ID_CAP - off - (off != 0)) { return false; }
		if (off) { id[off++] = '/'; }
		memcpy(id + off, path, len);
		off += len;
		id[off] = 0;
		path += len;
		pattern += 2;
	}
	return !*path;
}

static void add_method(char allowed[64], const char *method)
{
	size_t len = strlen(allowed);

	snprintf(allowed + len, 64 - len, "%s%s", len ? ", " : "", method);
}

enum cloud_route_result cloud_route_find(const struct cloud_route *routes, size_t count, const char *method,
					 const char *path, const struct cloud_route **route, char id[CLOUD_PATH_ID_CAP],
					 char allowed[64])
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

	id[0] = 0;
	allowed[0] = 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_match(routes[i].pattern, path, id)) { continue; }
		if (strcmp(routes[i].method, wanted) == 0) {
			*route = &routes[i];
			return CLOUD_ROUTE_FOUND;
		}
		add_method(allowed, routes[i].method);
	}
	return allowed[0] ? CLOUD_ROUTE_NO_METHOD : CLOUD_ROUTE_NO_PATH;
}
