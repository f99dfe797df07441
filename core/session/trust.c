/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an offer may be taken: its manifest, judged before a byte is asked for.
 *
 * The manifest comes in the platform's answer, but the platform is not believed: what
 * counts is the signature of a key that this module was given, and that what was signed
 * is this very payload, for this vendor and class, with the version that the host
 * asked for. */
#include "internal.h"

/* What is wrong, for the log; `code` for the host. */
struct verdict {
	enum fota_code code;
	const char *reason;
};

static const struct verdict fine = { FOTA_CODE_NONE, "" };

static const struct {
	enum fota_err err;
	struct verdict verdict;
} verdicts[] = {
	{ FOTA_ERR_FORMAT, { FOTA_CODE_VERIFY, "the manifest is damaged or of another form" } },
	{ FOTA_ERR_FULL, { FOTA_CODE_VERIFY, "the manifest is too large" } },
	{ FOTA_ERR_UNSUPPORTED, { FOTA_CODE_VERIFY, "the manifest asks for what this module cannot do" } },
	{ FOTA_ERR_AUTH, { FOTA_CODE_VERIFY, "no trusted key has signed the manifest" } },
	{ FOTA_ERR_MISMATCH, { FOTA_CODE_BAD_DEVICE, "the manifest is for another vendor or class" } },
	{ FOTA_ERR_CORRUPT, { FOTA_CODE_VERIFY, "a condition of the manifest is not met" } },
};

static struct verdict verdict_of(enum fota_err err)
{
	if (err == FOTA_ERR_OK) { return fine; }
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (verdicts[i].err == err) { return verdicts[i].verdict; }
	}
	return (struct verdict) { FOTA_CODE_INTERNAL, "the crypto port failed" };
}

/* A text that is not there names nobody else: that is a matter of form. */
static struct verdict judge_text(const struct fota_session *s, const struct fota_suit_text *text)
{
	if (!text->vendor_name.len || !text->model_name.len || !text->version.len) {
		return (struct verdict) { FOTA_CODE_VERIFY, "the manifest does not name OEM, model and version" };
	}
	if (!fota_bytes_is_equal(text->vendor_name, fota_text_get(&s->oem)) ||
	    !fota_bytes_is_equal(text->model_name, fota_text_get(&s->model))) {
		return (struct verdict) { FOTA_CODE_BAD_DEVICE, "the manifest names another OEM or model" };
	}
	if (!fota_bytes_is_equal(text->version, fota_text_get(&s->target))) {
		return (struct verdict) { FOTA_CODE_VERIFY, "the manifest names another version" };
	}
	return fine;
}

static struct verdict judge_plan(const struct fota_suit_plan *plan, const struct fota_check_answer *msg)
{
	if (!plan->has_vendor || !plan->has_class) {
		return (struct verdict) { FOTA_CODE_BAD_DEVICE,
					  "the manifest does not say for which vendor and class" };
	}
	if (!plan->is_fetched || !plan->has_digest || !plan->has_size) {
		return (struct verdict) { FOTA_CODE_VERIFY, "the manifest does not install an image" };
	}
	if (plan->size_bytes != msg->size_bytes || memcmp(plan->digest, msg->digest.ptr, sizeof(plan->digest)) != 0) {
		return (struct verdict) { FOTA_CODE_VERIFY, "the manifest is of another image than the offer" };
	}
	return fine;
}

/* What was signed, run for this module. */
static enum fota_err make_plan(const struct fota_session *s, const struct fota_suit *suit, struct fota_suit_plan *plan)
{
	struct fota_suit_device device = { .slot = (uint8_t)fota_boot_target(&s->record.boot) };
	enum fota_err err = fota_uuid_of_names(s->cfg->crypto, fota_text_get(&s->oem), fota_text_get(&s->model),
					       device.vendor, device.class_id);

	return err ? err : fota_suit_plan(suit, &device, plan);
}

static struct verdict judge(struct fota_session *s, const struct fota_check_answer *msg)
{
	const struct fota_session_cfg *cfg = s->cfg;
	struct fota_suit_plan plan;
	struct fota_suit suit;
	struct verdict verdict;
	size_t key = 0;
	enum fota_err err = fota_suit_get(msg->manifest, cfg->crypto, &suit);

	if (!err) { err = fota_suit_verify(&suit, cfg->crypto, cfg->keys, cfg->key_count, &key); }
	if (!err) { err = make_plan(s, &suit, &plan); }
	if (err) { return verdict_of(err); }
	verdict = judge_text(s, &suit.text);
	if (!verdict.code) { verdict = judge_plan(&plan, msg); }
	if (verdict.code) { return verdict; }
	if (fota_bytes_is_equal(fota_text_get(&s->target), session_identity(s, FOTA_IDENTITY_VERSION))) {
		return (struct verdict) { FOTA_CODE_NO_VERSION, "this version runs already" };
	}
	if (suit.sequence_number < s->record.boot.floor) {
		return (struct verdict) { FOTA_CODE_NO_VERSION, "the manifest is older than what was installed" };
	}
	s->offer_sequence = suit.sequence_number;
	memcpy(s->offer_kid, cfg->keys[key].kid, sizeof(s->offer_kid));
	return fine;
}

/* A key may have been withdrawn since the download. */
bool session_is_package_trusted(const struct fota_session *s)
{
	const struct fota_session_cfg *cfg = s->cfg;

	for (size_t i = 0; i < cfg->key_count; i++) {
		if (memcmp(cfg->keys[i].kid, s->record.package.kid, sizeof(cfg->keys[i].kid)) == 0) { return true; }
	}
	return false;
}

enum fota_code session_judge_offer(struct fota_session *s, const struct fota_check_answer *msg)
{
	struct verdict verdict = judge(s, msg);

	if (verdict.code) {
		session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_REFUSED,
							  .code = verdict.code,
							  .reason = verdict.reason });
	}
	return verdict.code;
}
