/* SPDX-License-Identifier: Apache-2.0 */
/* The routing table of the whole platform. */
#ifndef CLOUD_ROUTES_H
#define CLOUD_ROUTES_H

#include "http/request.h"

extern const struct cloud_route cloud_routes[];
extern const size_t cloud_route_count;

#endif
