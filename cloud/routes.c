/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each call. docs/admin-api.yaml describes the same paths, and a test compares the two. */
#include "routes.h"

#include "admin_api/admin_api.h"
#include "device_api/device_api.h"
#include "fota/device_api.h"

#define JSON_MAX 65536u

/* Rows of the admin API: how it is run, the body that it takes, the call. */
#define ADMIN(m, path, run, max, fn)                                                                                \
	{                                                                                                           \
		.method = m, .pattern = "/api/v1" path, .allow = cloud_admin_allow, .body_max = max, .handle = run, \
		.call = fn                                                                                          \
	}
#define READ(path, fn)    ADMIN("GET", path, cloud_admin_read, 0, fn)
#define DEVICES(path, fn) ADMIN("GET", path, cloud_admin_read_devices, 0, fn)
#define CREATE(path, fn)  ADMIN("POST", path, cloud_admin_write, JSON_MAX, fn)
#define ACT(path, fn)     ADMIN("POST", path, cloud_admin_write, 0, fn)
#define DELETE(path, fn)  ADMIN("DELETE", path, cloud_admin_write, 0, fn)
#define STREAM(m, path, s)                                                                       \
	{                                                                                        \
		.method = m, .pattern = "/api/v1" path, .allow = cloud_admin_allow, .stream = &s \
	}

const struct cloud_route cloud_routes[] = {
	{ "POST", FOTA_CHECK_PATH, NULL, FOTA_MESSAGE_MAX_BYTES, cloud_check_handle },
	{ "GET", "/device/v1/package/{}", NULL, 0, cloud_package_handle },
	{ "POST", FOTA_REPORT_PATH, NULL, FOTA_MESSAGE_MAX_BYTES, cloud_report_handle },
	{ "GET", "/healthz", NULL, 0, cloud_health_handle },

	READ("/oems", cloud_oem_list),
	CREATE("/oems", cloud_oem_add),
	READ("/oems/{}", cloud_oem_get),
	DELETE("/oems/{}", cloud_oem_delete),

	READ("/models", cloud_model_list),
	CREATE("/models", cloud_model_add),
	READ("/models/{}", cloud_model_get),
	DELETE("/models/{}", cloud_model_delete),

	READ("/products", cloud_product_list),
	CREATE("/products", cloud_product_add),
	READ("/products/{}", cloud_product_get),
	DELETE("/products/{}", cloud_product_delete),
	ACT("/products/{}/secret", cloud_product_show_secret),

	READ("/products/{}/keys", cloud_key_list),
	CREATE("/products/{}/keys", cloud_key_add),
	DELETE("/products/{}/keys/{}", cloud_key_delete),

	READ("/versions", cloud_version_list),
	CREATE("/versions", cloud_version_add),
	READ("/versions/{}", cloud_version_get),
	DELETE("/versions/{}", cloud_version_delete),
	ACT("/versions/{}/publish", cloud_version_publish),
	ACT("/versions/{}/withdraw", cloud_version_withdraw),
	ADMIN("GET", "/versions/{}/manifest", cloud_manifest_get_handle, 0, NULL),
	ADMIN("PUT", "/versions/{}/manifest", cloud_manifest_put_handle, JSON_MAX, NULL),
	STREAM("PUT", "/versions/{}/package", cloud_package_stream),
	CREATE("/versions/{}/uploads", cloud_upload_add),

	ADMIN("GET", "/uploads/{}", cloud_upload_get_handle, 0, NULL),
	STREAM("PATCH", "/uploads/{}", cloud_upload_stream),
	DELETE("/uploads/{}", cloud_upload_delete),
	ADMIN("POST", "/uploads/{}/finish", cloud_upload_finish_handle, 0, NULL),

	DEVICES("/devices", cloud_device_list),
	DEVICES("/devices/{}", cloud_device_get),

	READ("/deployments", cloud_deployment_list),
	READ("/deployments/{}", cloud_deployment_get),
	READ("/deployments/{}/reports", cloud_deployment_reports),
	ACT("/deployments/{}/close", cloud_deployment_close),
	ACT("/deployments/{}/open", cloud_deployment_open),

	READ("/tokens", cloud_token_list),
	CREATE("/tokens", cloud_token_add),
	DELETE("/tokens/{}", cloud_token_delete),
};

const size_t cloud_route_count = sizeof(cloud_routes) / sizeof(cloud_routes[0]);
