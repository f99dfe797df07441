/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the row of the routing table for a request. */
#ifndef CLOUD_HTTP_ROUTER_H
#define CLOUD_HTTP_ROUTER_H

#include "http/request.h"

enum cloud_route_result {
	CLOUD_ROUTE_FOUND,
	CLOUD_ROUTE_NO_PATH,
	CLOUD_ROUTE_NO_METHOD, /* the path is there, with other methods */
};

/* The first row whose pattern and method fit; HEAD finds GET. Fills `id` with the segment that
 * {} stands for, or the two with a '/' between them; what does not fit into it fits no row. With NO_METHOD, `allowed`
 * gets the methods that the path has ("GET, POST"). */
enum cloud_route_result cloud_route_find(const struct cloud_route *routes, size_t count, const char *method,
					 const char *path, const struct cloud_route **route, char id[CLOUD_PATH_ID_CAP],
					 char allowed[64]);

#endif
