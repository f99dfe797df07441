/* SPDX-License-Identifier: Apache-2.0 */
/* The access token that the first start makes, so that somebody can log in. */
#ifndef CLOUD_FIRST_TOKEN_H
#define CLOUD_FIRST_TOKEN_H

#include "app.h"

/* If the platform knows no token: makes one, keeps it in the file admin-token of the data directory and says
 * so on standard output, with the token itself only to a terminal. False on failure, logged. */
FOTA_MUST_CHECK bool cloud_first_token_make(struct cloud_app *app);

#endif
