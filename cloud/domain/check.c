/* SPDX-License-Identifier: Apache-2.0 */
/* The decision is a list of questions in a fixed order; the first that has an answer ends it.
 * The order is part of the contract: a module of the wrong model never learns which
 * versions there are. */
#include "domain/check.h"

bool cloud_clock_is_skewed(uint64_t theirs_s, uint64_t ours_s)
{
	uint64_t distance = theirs_s > ours_s ? theirs_s - ours_s : ours_s - theirs_s;

	return distance > FOTA_CLOCK_SKEW_MAX_S;
}

enum fota_refusal cloud_refusal_of(enum fota_err err)
{
	switch (err) {
	case FOTA_ERR_MISSING:
		return FOTA_REFUSAL_MISSING_FIELD;
	case FOTA_ERR_FORMAT:
	case FOTA_ERR_RANGE:
		return FOTA_REFUSAL_BAD_PARAMETER;
	default:
		return FOTA_REFUSAL_INTERNAL;
	}
}

static bool is_offered(const struct cloud_version *version)
{
	return version && version->state == CLOUD_VERSION_PUBLISHED && version->deployment != 0 &&
	       version->has_package && version->manifest.len != 0;
}

static bool leads_from(const struct cloud_version *version, struct fota_bytes source)
{
	for (size_t i = 0; i < version->from_count; i++) {
		if (fota_bytes_is_equal(version->from[i], source)) { return true; }
	}
	return version->from_count == 0;
}

static bool accepts(const struct fota_check_request *request, uint8_t encoding)
{
	for (size_t i = 0; i < request->accept_count; i++) {
		if (request->accept[i] == encoding) { return true; }
	}
	return false;
}

struct cloud_decision cloud_check_decide(const struct cloud_product *product, const struct fota_check_request *request)
{
	const struct cloud_version *version;
	struct cloud_decision decision = { .result = FOTA_REFUSAL_NONE };

	if (!fota_bytes_is_equal(product->oem, request->oem) || !fota_bytes_is_equal(product->model, request->model)) {
		decision.result = FOTA_REFUSAL_DEVICE_MISMATCH;
		return decision;
	}
	if (fota_bytes_is_equal(request->version, request->target)) { return decision; }
	version = cloud_version_find(product, request->target);
	if (!is_offered(version)) { return decision; }
	if (!leads_from(version, request->version)) {
		if (!cloud_version_find(product, request->version)) { decision.result = FOTA_REFUSAL_UNKNOWN_SOURCE; }
		return decision;
	}
	if (!accepts(request, FOTA_ENCODING_FULL)) { return decision; }
	decision.result = FOTA_REFUSAL_UPDATE;
	decision.version = version;
	return decision;
}
