/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the device API, for the routing table. */
#ifndef CLOUD_DEVICE_API_DEVICE_API_H
#define CLOUD_DEVICE_API_DEVICE_API_H

#include "http/request.h"

struct cloud_app;

void cloud_check_handle(struct cloud_request *request);
void cloud_report_handle(struct cloud_request *request);
void cloud_package_handle(struct cloud_request *request);

/* Responses with whole packages are shared by all connections that send the same one.
 * NULL: no memory. */
struct cloud_package_cache *cloud_package_cache_new(void);
void cloud_package_cache_free(struct cloud_package_cache *cache);

#endif
