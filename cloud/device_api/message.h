/* SPDX-License-Identifier: Apache-2.0 */
/* A device's message: taken apart, authenticated, answered. */
#ifndef CLOUD_DEVICE_API_MESSAGE_H
#define CLOUD_DEVICE_API_MESSAGE_H

#include "app.h"
#include "device_api/workers.h"
#include "fota/cose.h"
#include "http/request.h"

struct cloud_message {
	struct cloud_app *app;
	struct cloud_worker *worker;
	const struct cloud_catalog *catalog;
	const struct cloud_product *product;
	struct fota_mac0 mac0; /* slices of the request's body */
};

/* Opens the request's body. False: it was answered, with 415 or 400 if it is no message, with 403 if the
 * product is unknown or the tag is not of its secret; which of these takes the same
 * time. */
FOTA_MUST_CHECK bool cloud_message_open(struct cloud_message *message, struct cloud_request *request);

/* Whether a message was sealed with the secret of `product`. NULL, for a product that is unknown, is
 * never authentic and takes as long. */
FOTA_MUST_CHECK bool cloud_message_is_authentic(const struct fota_mac0 *mac0, const struct cloud_product *product,
						const struct fota_crypto *crypto);

/* Seals `payload` as the answer of this message. */
void cloud_message_answer(struct cloud_message *message, struct cloud_request *request, struct fota_bytes payload);

/* Gives back what the message held; no effect on one that is closed. */
void cloud_message_close(struct cloud_message *message);

#endif
