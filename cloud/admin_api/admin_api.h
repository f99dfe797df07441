/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the admin API, for the routing table. Each answers through its call. */
#ifndef CLOUD_ADMIN_API_ADMIN_API_H
#define CLOUD_ADMIN_API_ADMIN_API_H

#include "admin_api/call.h"

cloud_call_fn cloud_oem_add, cloud_oem_list, cloud_oem_get, cloud_oem_delete;
cloud_call_fn cloud_model_add, cloud_model_list, cloud_model_get, cloud_model_delete;
cloud_call_fn cloud_product_add, cloud_product_list, cloud_product_get, cloud_product_delete;
cloud_call_fn cloud_product_show_secret;
cloud_call_fn cloud_key_add, cloud_key_list, cloud_key_delete;
cloud_call_fn cloud_version_add, cloud_version_list, cloud_version_get, cloud_version_delete;
cloud_call_fn cloud_version_publish, cloud_version_withdraw;
cloud_call_fn cloud_upload_add, cloud_upload_delete;
cloud_call_fn cloud_device_list, cloud_device_get;
cloud_call_fn cloud_deployment_list, cloud_deployment_get, cloud_deployment_reports;
cloud_call_fn cloud_deployment_close, cloud_deployment_open;
cloud_call_fn cloud_token_list, cloud_token_add, cloud_token_delete;

/* Requests that need the thread for files. */
void cloud_upload_get_handle(struct cloud_request *request);
void cloud_upload_finish_handle(struct cloud_request *request);
extern const struct cloud_stream cloud_upload_stream;  /* PATCH /uploads/{} */
extern const struct cloud_stream cloud_package_stream; /* PUT /versions/{}/package */

/* GET and PUT /versions/{}/manifest: bytes, not JSON. */
void cloud_manifest_get_handle(struct cloud_request *request);
void cloud_manifest_put_handle(struct cloud_request *request);

/* GET /healthz. */
void cloud_health_handle(struct cloud_request *request);

/* Answers with a version as it is now. */
void cloud_version_answer(struct cloud_call *call, unsigned status, int64_t id);

/* Fills `text` with `len` random bytes in hex and a final 0. */
FOTA_MUST_CHECK bool cloud_random_hex(char *text, size_t len);
/* A new access token. `hash` is its SHA-256, which is what the store keeps. */
#define CLOUD_TOKEN_CAP 64u
FOTA_MUST_CHECK bool cloud_token_new(struct cloud_app *app, char token[CLOUD_TOKEN_CAP], uint8_t hash[32]);

#endif
