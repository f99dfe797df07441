/* SPDX-License-Identifier: Apache-2.0 */
/* The questions are asked in a fixed order: form, signature, names, image, place among the versions. So nothing
 * of a manifest is believed before a key of the product vouches for it.
 *
 * Texts of the manifest are never repeated in an answer: they may be anything. */
#include "domain/manifest.h"

#include <stdarg.h>
#include <stdio.h>

#define SLOT_COUNT 2u

#define BUILD "build it anew with 'atfota package build'"

__attribute__((format(printf, 2, 3))) static struct cloud_ruling rule(enum cloud_ruling_kind kind, const char *format,
								      ...)
{
	struct cloud_ruling ruling = { .kind = kind };
	va_list args;

	va_start(args, format);
	vsnprintf(ruling.why, sizeof(ruling.why), format, args);
	va_end(args);
	return ruling;
}

static const struct cloud_ruling good = { .kind = CLOUD_RULING_GOOD };

static struct cloud_ruling failed(enum fota_err err)
{
	return rule(CLOUD_RULING_FAILED, "the manifest cannot be verified now: %s", fota_err_text(err));
}

/* What is wrong with the form of an envelope, by what fota_suit_get returned. */
static struct cloud_ruling rule_form(enum fota_err err)
{
	switch (err) {
	case FOTA_ERR_OK:
		return good;
	case FOTA_ERR_FULL:
		return rule(CLOUD_RULING_INVALID, "a manifest has at most %u bytes with its signatures; " BUILD,
			    FOTA_SUIT_ENVELOPE_MAX_BYTES);
	case FOTA_ERR_UNSUPPORTED:
		return rule(CLOUD_RULING_INVALID, "the manifest asks for what modules do not know; " BUILD);
	case FOTA_ERR_IO:
		return failed(err);
	default:
		return rule(CLOUD_RULING_INVALID, "this is no SUIT envelope, or it is damaged; " BUILD);
	}
}

/* Tries each key by itself: all that have signed are of interest, not only the first. */
static enum fota_err find_signers(const struct fota_suit *suit, const struct fota_crypto *crypto,
				  const struct cloud_keys *keys, uint32_t *signers)
{
	*signers = 0;
	for (size_t i = 0; i < keys->count; i++) {
		enum fota_err err = fota_suit_verify(suit, crypto, &keys->keys[i], 1, NULL);

		if (err == FOTA_ERR_IO) { return err; }
		if (err == FOTA_ERR_OK) { *signers |= UINT32_C(1) << i; }
	}
	return FOTA_ERR_OK;
}

enum fota_err cloud_manifest_signers(struct fota_bytes envelope, const struct fota_crypto *crypto,
				     const struct cloud_keys *keys, uint32_t *signers)
{
	struct fota_suit suit;
	enum fota_err err = fota_suit_get(envelope, crypto, &suit);

	*signers = 0;
	if (err != FOTA_ERR_OK) { return err == FOTA_ERR_IO ? err : FOTA_ERR_OK; }
	return find_signers(&suit, crypto, keys, signers);
}

static struct cloud_ruling rule_signature(const struct fota_suit *suit, const struct fota_crypto *crypto,
					  const struct cloud_keys *keys, uint32_t *signers)
{
	enum fota_err err;

	if (keys->count == 0) {
		return rule(CLOUD_RULING_CONFLICT,
			    "the product has no key that could sign for it; give it one first (POST "
			    "/products/{id}/keys, or 'atfota product-key create')");
	}
	err = find_signers(suit, crypto, keys, signers);
	if (err != FOTA_ERR_OK) { return failed(err); }
	if (*signers) { return good; }
	return rule(
		CLOUD_RULING_INVALID,
		"no key of the product has signed this manifest; sign it with one of them ('atfota package sign'), or "
		"give the product the key that has signed it ('atfota product-key create')");
}

/* A name that the manifest must have as the platform has it. */
static struct cloud_ruling rule_name(const char *what, const char *option, struct fota_bytes found,
				     struct fota_bytes wanted)
{
	if (fota_bytes_is_equal(found, wanted)) { return good; }
	return rule(CLOUD_RULING_INVALID, "the manifest names %s %s than '%.*s'; " BUILD " %s '%.*s'",
		    found.len ? "another" : "no", what, (int)wanted.len, (const char *)wanted.ptr, option,
		    (int)wanted.len, (const char *)wanted.ptr);
}

static struct cloud_ruling rule_names(const struct fota_suit *suit, const struct cloud_release *release)
{
	struct cloud_ruling ruling = rule_name("OEM", "--oem", suit->text.vendor_name, release->oem);

	if (ruling.kind == CLOUD_RULING_GOOD) {
		ruling = rule_name("model", "--model", suit->text.model_name, release->model);
	}
	if (ruling.kind == CLOUD_RULING_GOOD) {
		ruling = rule_name("version", "--version", suit->text.version, release->version);
	}
	return ruling;
}

static struct cloud_ruling rule_identifiers(enum fota_err err, const struct fota_suit_plan *plan)
{
	if (err == FOTA_ERR_IO) { return failed(err); }
	if (err == FOTA_ERR_MISMATCH) {
		return rule(CLOUD_RULING_INVALID,
			    "vendor or class identifier of the manifest are not those of OEM and model; " BUILD);
	}
	if (err != FOTA_ERR_OK) {
		return rule(CLOUD_RULING_INVALID,
			    "not every module can carry out the commands of the manifest; " BUILD);
	}
	if (!plan->has_vendor || !plan->has_class) {
		return rule(
			CLOUD_RULING_INVALID,
			"the manifest has no condition for vendor and class: modules of others would take it; " BUILD);
	}
	if (!plan->has_digest || !plan->has_size || !plan->is_fetched) {
		return rule(CLOUD_RULING_INVALID,
			    "the manifest does not say size and digest of the image that is to be fetched; " BUILD);
	}
	return good;
}

/* Runs the manifest as modules of this OEM and model would, into either of their slots: the package is the same
 * for all of them, whichever slot is free. */
static struct cloud_ruling run_plans(const struct fota_suit *suit, struct fota_suit_device *device,
				     struct fota_suit_plan *plan)
{
	struct fota_suit_plan plans[SLOT_COUNT] = { 0 };

	for (uint8_t slot = 0; slot < SLOT_COUNT; slot++) {
		struct cloud_ruling ruling;

		device->slot = slot;
		ruling = rule_identifiers(fota_suit_plan(suit, device, &plans[slot]), &plans[slot]);
		if (ruling.kind != CLOUD_RULING_GOOD) { return ruling; }
		if (plans[slot].size_bytes != plans[0].size_bytes ||
		    memcmp(plans[slot].digest, plans[0].digest, sizeof(plans[0].digest)) != 0) {
			return rule(CLOUD_RULING_INVALID, "the manifest is for another image in another slot; " BUILD);
		}
	}
	*plan = plans[0];
	return good;
}

static struct cloud_ruling rule_plan(const struct fota_suit *suit, const struct fota_crypto *crypto,
				     const struct cloud_release *release, struct cloud_promise *promise)
{
	struct fota_suit_device device;
	struct fota_suit_plan plan = { 0 };
	enum fota_err err = fota_uuid_of_names(crypto, release->oem, release->model, device.vendor, device.class_id);
	struct cloud_ruling ruling;

	if (err != FOTA_ERR_OK) { return failed(err); }
	ruling = run_plans(suit, &device, &plan);
	if (ruling.kind != CLOUD_RULING_GOOD) { return ruling; }
	if (suit->sequence_number > INT64_MAX || plan.size_bytes > INT64_MAX || plan.size_bytes == 0) {
		return rule(CLOUD_RULING_INVALID, "sequence number or size of the manifest cannot be; " BUILD);
	}
	promise->sequence = (int64_t)suit->sequence_number;
	promise->size_bytes = plan.size_bytes;
	memcpy(promise->digest, plan.digest, sizeof(promise->digest));
	return good;
}

/* A draft may change its mind; a version that was published stays what it is. */
static struct cloud_ruling rule_image(const struct cloud_release *release, const struct cloud_promise *promise)
{
	bool is_same = release->has_package && release->package_bytes == promise->size_bytes &&
		       memcmp(release->package_digest, promise->digest, sizeof(promise->digest)) == 0;

	if (is_same || release->state == CLOUD_VERSION_DRAFT) { return good; }
	return rule(
		CLOUD_RULING_INVALID,
		"the manifest is for another image than the package of this version, which was published; a changed "
		"package needs a new version name");
}

/* The same manifest, though other keys may have signed it. */
static bool is_same_manifest(struct fota_bytes a, struct fota_bytes b)
{
	struct fota_bytes left, right;

	return a.len && fota_suit_manifest_of(a, &left) == FOTA_ERR_OK &&
	       fota_suit_manifest_of(b, &right) == FOTA_ERR_OK && fota_bytes_is_equal(left, right);
}

static struct cloud_ruling rule_sequence(struct fota_bytes envelope, const struct cloud_release *release,
					 const struct cloud_promise *promise)
{
	int64_t floor = release->highest;

	if (is_same_manifest(release->manifest, envelope)) { return good; }
	if (release->manifest.len && release->state != CLOUD_VERSION_DRAFT && release->sequence > floor) {
		floor = release->sequence;
	}
	if (promise->sequence > floor) { return good; }
	return rule(
		CLOUD_RULING_CONFLICT,
		"sequence number %lld is not above %lld, the highest of the product; build it anew with a higher one "
		"('atfota package build --sequence')",
		(long long)promise->sequence, (long long)floor);
}

static struct cloud_ruling rule_content(struct fota_bytes envelope, const struct fota_suit *suit,
					const struct fota_crypto *crypto, const struct cloud_release *release,
					struct cloud_promise *promise)
{
	struct cloud_ruling ruling = rule_names(suit, release);

	if (ruling.kind == CLOUD_RULING_GOOD) { ruling = rule_plan(suit, crypto, release, promise); }
	if (ruling.kind == CLOUD_RULING_GOOD) { ruling = rule_image(release, promise); }
	if (ruling.kind == CLOUD_RULING_GOOD) { ruling = rule_sequence(envelope, release, promise); }
	return ruling;
}

struct cloud_ruling cloud_manifest_rule(struct fota_bytes envelope, const struct fota_crypto *crypto,
					const struct cloud_keys *keys, const struct cloud_release *release,
					struct cloud_promise *promise)
{
	struct fota_suit suit;
	struct cloud_ruling ruling = rule_form(fota_suit_get(envelope, crypto, &suit));

	*promise = (struct cloud_promise) { 0 };
	if (ruling.kind == CLOUD_RULING_GOOD) { ruling = rule_signature(&suit, crypto, keys, &promise->signers); }
	if (ruling.kind == CLOUD_RULING_GOOD) { ruling = rule_content(envelope, &suit, crypto, release, promise); }
	return ruling;
}

struct cloud_ruling cloud_package_rule(const struct cloud_promise *promise, uint64_t size_bytes, const uint8_t *digest)
{
	if (size_bytes != promise->size_bytes) {
		return rule(CLOUD_RULING_INVALID,
			    "the package has %llu bytes, the manifest is for an image of %llu; send the image that the "
			    "manifest was built for, or build a manifest for this one",
			    (unsigned long long)size_bytes, (unsigned long long)promise->size_bytes);
	}
	if (digest && memcmp(digest, promise->digest, sizeof(promise->digest)) != 0) {
		return rule(
			CLOUD_RULING_INVALID,
			"the package is not the image of the manifest: its digest is another; send the image that the "
			"manifest was built for, or build a manifest for this one");
	}
	return good;
}
