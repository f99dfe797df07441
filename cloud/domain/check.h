/* SPDX-License-Identifier: Apache-2.0 */
/* Who may get what. Pure functions over plain structs. */
#ifndef CLOUD_DOMAIN_CHECK_H
#define CLOUD_DOMAIN_CHECK_H

#include "domain/catalog.h"
#include "fota/device_api.h"

struct cloud_decision {
	enum fota_refusal result;
	const struct cloud_version *version; /* only with FOTA_REFUSAL_UPDATE */
};

/* A module's time is too far from ours to be believed; 0 (no time yet) always is. */
bool cloud_clock_is_skewed(uint64_t theirs_s, uint64_t ours_s);

/* The refusal that tells a module why its authentic payload cannot be used. `err` is what
 * decoding it returned, not OK. */
enum fota_refusal cloud_refusal_of(enum fota_err err);

/* What a module that asks gets. A package that does not fit its slot is offered all the
 * same: only the module knows what it can free, and it says 301 itself. */
struct cloud_decision cloud_check_decide(const struct cloud_product *product, const struct fota_check_request *request);

#endif
