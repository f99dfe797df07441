/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_session.h"

struct fota_session *fake_session_handle(struct fake_session *fake)
{
	return (struct fota_session *)(void *)fake;
}

static struct fake_session *fake_of(struct fota_session *s)
{
	return (struct fake_session *)(void *)s;
}

static void tell(struct fake_session *fake, struct fota_notice notice)
{
	notice.origin = fake->origin;
	notice.received_bytes = fake->info.received_bytes;
	if (notice.kind != FOTA_NOTICE_OFFER) { notice.total_bytes = fake->info.total_bytes; }
	fake->notify(fake->notify_ctx, &notice);
}

void fake_session_meet(struct fake_session *fake, enum fota_code code, const char *step)
{
	if (code == FOTA_CODE_CHECKED) {
		fake->info.state = FOTA_STATE_DOWNLOADING;
	} else if (code != FOTA_CODE_PARTIAL) {
		fake->info.state = code == FOTA_CODE_DOWNLOADED ? FOTA_STATE_READY : FOTA_STATE_IDLE;
		fake->info.is_running = false;
		fake->info.last = (struct fota_session_last) { code, step, fake->info.target };
	}
	tell(fake, (struct fota_notice) { .kind = FOTA_NOTICE_CODE, .code = code, .step = step });
}

void fake_session_offer(struct fake_session *fake, uint64_t size_bytes, uint8_t encoding)
{
	fake->info.state = FOTA_STATE_IDLE;
	fake->info.is_running = false;
	tell(fake, (struct fota_notice) { .kind = FOTA_NOTICE_OFFER,
					  .target = fake->info.target,
					  .total_bytes = size_bytes,
					  .encoding = encoding });
}

void fake_session_result(struct fake_session *fake, enum fota_code code, const char *old_version,
			 const char *new_version)
{
	struct fota_boot_result *result = &fake->info.result;

	fake->info.state = code == FOTA_CODE_NONE ? FOTA_STATE_TRIAL : FOTA_STATE_IDLE;
	*result = (struct fota_boot_result) { .is_there = true, .code = (uint16_t)code };
	/* versions of a test fit */
	(void)!fota_text_set(&result->old_version, fota_bytes_of(old_version));
	(void)!fota_text_set(&result->new_version, fota_bytes_of(new_version));
	tell(fake, (struct fota_notice) { .kind = FOTA_NOTICE_RESULT,
					  .code = code,
					  .old_version = fota_bytes_of(old_version),
					  .target = fota_bytes_of(new_version) });
}

void fake_session_receive(struct fake_session *fake, uint64_t received_bytes, uint64_t total_bytes)
{
	fake->info.received_bytes = received_bytes;
	fake->info.total_bytes = total_bytes;
	tell(fake, (struct fota_notice) { .kind = FOTA_NOTICE_PROGRESS });
}

void fake_session_retry(struct fake_session *fake)
{
	tell(fake, (struct fota_notice) { .kind = FOTA_NOTICE_RETRY, .code = FOTA_CODE_CONNECT });
}

void fake_session_turn(struct fake_session *fake)
{
	if (!fake->info.is_running || fake->stop_code == FOTA_CODE_NONE) { return; }
	fake_session_meet(fake, fake->stop_code, "download");
	fake->stop_code = FOTA_CODE_NONE;
}

void fota_session_set_on(struct fota_session *s, bool is_on)
{
	struct fake_session *fake = fake_of(s);

	if (!is_on && fake->info.is_running) { fake->stop_code = FOTA_CODE_CANCELLED; }
	fake->info.is_on = is_on;
}

static bool is_between(struct fota_bytes text, size_t min, size_t max)
{
	return text.len >= min && text.len <= max;
}

static bool is_digits(struct fota_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') { return false; }
	}
	return true;
}

static bool is_request_valid(const struct fota_request *req)
{
	return is_between(req->oem, 1, FOTA_NAME_MAX_BYTES) && is_between(req->model, 1, FOTA_NAME_MAX_BYTES) &&
	       is_between(req->product, 1, FOTA_PRODUCT_MAX_BYTES) && is_digits(req->product) &&
	       is_between(req->secret, FOTA_SECRET_MIN_BYTES, FOTA_SECRET_MAX_BYTES) &&
	       is_between(req->target, 1, FOTA_VERSION_MAX_BYTES);
}

enum fota_code fota_session_start(struct fota_session *s, const struct fota_request *req, uint32_t origin)
{
	struct fake_session *fake = fake_of(s);

	if (fake->info.state >= FOTA_STATE_INSTALLING) { return FOTA_CODE_NESTING; }
	if (!is_request_valid(req)) { return FOTA_CODE_BAD_PARAM; }
	if (!fake->info.is_on) { return FOTA_CODE_BAD_OPERATION; }
	if (fake->info.is_running) { return FOTA_CODE_NESTING; }
	if (fake->is_without_model) { return FOTA_CODE_NO_DEVICE; }
	memcpy(fake->target, req->target.ptr, req->target.len);
	memcpy(fake->secret, req->secret.ptr, req->secret.len);
	fake->secret_len = req->secret.len;
	fake->info.target = (struct fota_bytes) { (const uint8_t *)fake->target, req->target.len };
	fake->info.state = FOTA_STATE_CHECKING;
	fake->info.is_running = true;
	fake->origin = origin;
	fake->is_check_only = false;
	return FOTA_CODE_NONE;
}

enum fota_code fota_session_check(struct fota_session *s, const struct fota_request *req, uint32_t origin)
{
	enum fota_code code = fota_session_start(s, req, origin);

	if (code == FOTA_CODE_NONE) { fake_of(s)->is_check_only = true; }
	return code;
}

enum fota_code fota_session_cancel(struct fota_session *s)
{
	struct fake_session *fake = fake_of(s);

	if (!fake->info.is_running) { return FOTA_CODE_BAD_OPERATION; }
	fake->stop_code = FOTA_CODE_CANCELLED;
	return FOTA_CODE_NONE;
}

enum fota_code fota_session_install(struct fota_session *s)
{
	struct fake_session *fake = fake_of(s);

	if (fake->info.is_running || fake->info.state >= FOTA_STATE_INSTALLING) { return FOTA_CODE_NESTING; }
	if (fake->info.state != FOTA_STATE_READY) { return FOTA_CODE_BAD_OPERATION; }
	fake->info.state = FOTA_STATE_INSTALLING;
	fake->install_count++;
	return FOTA_CODE_NONE;
}

enum fota_code fota_session_confirm(struct fota_session *s, bool is_kept)
{
	struct fake_session *fake = fake_of(s);

	if (fake->info.state != FOTA_STATE_TRIAL) { return FOTA_CODE_BAD_OPERATION; }
	fake->info.state = FOTA_STATE_IDLE;
	if (is_kept) {
		fake->kept_count++;
	} else {
		fake->rolled_back_count++;
	}
	return FOTA_CODE_NONE;
}

void fota_session_get(const struct fota_session *s, struct fota_session_info *info)
{
	*info = ((const struct fake_session *)(const void *)s)->info;
}
