/* SPDX-License-Identifier: Apache-2.0 */
#include "device_api/message.h"

#include "fota/device_api.h"
#include "store/catalog.h"

#include <strings.h>

bool cloud_message_is_authentic(const struct fota_mac0 *mac0, const struct cloud_product *product,
				const struct fota_crypto *crypto)
{
	/* Verified against when the product is unknown, so that this costs the same. */
	static const char nobody[] = "00000000000000000000000000000000";
	const struct fota_bytes none = { 0 };
	struct fota_bytes key = product ? product->secret : fota_bytes_of(nobody);
	enum fota_err err = fota_mac0_verify(mac0, crypto, key, none);

	return err == FOTA_ERR_OK && product != NULL;
}

/* The media type decides; parameters are of no interest. */
static bool is_cose(struct cloud_request *request)
{
	static const char type[] = "application/cose";
	const char *header = cloud_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
	size_t len = sizeof(type) - 1;

	return header && strncasecmp(header, type, len) == 0 && strchr("; \t", header[len]);
}

bool cloud_message_open(struct cloud_message *message, struct cloud_request *request)
{
	struct cloud_app *app = request->app;

	*message = (struct cloud_message) { .app = app };
	if (!is_cose(request)) {
		cloud_answer_empty(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE);
		return false;
	}
	if (fota_mac0_get((struct fota_bytes) { request->body, request->body_len }, &message->mac0) != FOTA_ERR_OK) {
		cloud_answer_empty(request, MHD_HTTP_BAD_REQUEST);
		return false;
	}
	message->worker = cloud_worker_get(app->workers);
	if (!message->worker) {
		cloud_answer_empty(request, MHD_HTTP_SERVICE_UNAVAILABLE);
		return false;
	}
	message->catalog = cloud_store_catalog(app->store);
	message->product = cloud_product_find(message->catalog, message->mac0.kid);
	if (!cloud_message_is_authentic(&message->mac0, message->product, &message->worker->crypto)) {
		cloud_message_close(message);
		cloud_answer_empty(request, MHD_HTTP_FORBIDDEN);
		return false;
	}
	return true;
}

void cloud_message_answer(struct cloud_message *message, struct cloud_request *request, struct fota_bytes payload)
{
	uint8_t bytes[FOTA_MESSAGE_MAX_BYTES];
	uint8_t tag[FOTA_MAC_BYTES];
	struct fota_bytes sealed;
	enum fota_err err;

	err = fota_mac0_put(&message->worker->crypto, message->product->secret, message->product->id, message->mac0.tag,
			    payload, (struct fota_room) { bytes, sizeof(bytes) }, &sealed, tag);
	if (err != FOTA_ERR_OK) {
		log_line(request->log, LOG_LEVEL_ERROR, "device", "an answer cannot be sealed: %s", fota_err_text(err));
		cloud_answer_empty(request, MHD_HTTP_INTERNAL_SERVER_ERROR);
		return;
	}
	cloud_answer_bytes(request, MHD_HTTP_OK, FOTA_MESSAGE_CONTENT_TYPE, sealed);
}

void cloud_message_close(struct cloud_message *message)
{
	if (!message->app) { return; }
	cloud_worker_put(message->app->workers, message->worker);
	cloud_catalog_drop(message->catalog);
	message->worker = NULL;
	message->catalog = NULL;
	message->app = NULL;
}
