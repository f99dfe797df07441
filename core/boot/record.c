/* SPDX-License-Identifier: Apache-2.0 */
/* SPEC.md, "Record". Keys are never reused; unknown keys are skipped, so that an
 * older version can read what a newer one wrote. */
#include "fota/record.h"

#include "fota/cbor.h"

enum record_key { RECORD_PACKAGE = 1, RECORD_LAST = 2, RECORD_REPORTS = 3, RECORD_BOOT = 4 };
enum package_key {
	PACKAGE_PRODUCT = 1,
	PACKAGE_TARGET = 2,
	PACKAGE_DIGEST = 3,
	PACKAGE_TOTAL = 4,
	PACKAGE_SYNCED = 5,
	PACKAGE_VERIFIED = 6,
	PACKAGE_SECRET = 7,
	PACKAGE_DEPLOYMENT = 8,
	PACKAGE_SEQUENCE = 9,
	PACKAGE_SLOT = 10,
	PACKAGE_KID = 11,
};
enum last_key { LAST_CODE = 1, LAST_STEP = 2, LAST_TARGET = 3 };
enum report_key {
	REPORT_PRODUCT = 1,
	REPORT_SECRET = 2,
	REPORT_DEPLOYMENT = 3,
	REPORT_ID = 4,
	REPORT_STATE = 5,
	REPORT_CODE = 6,
	REPORT_RECEIVED = 7,
};

enum boot_key {
	BOOT_STATE = 1,
	BOOT_ACTIVE = 2,
	BOOT_TRIES = 3,
	BOOT_FLOOR = 4,
	BOOT_IMAGES = 5,
	BOOT_RESULT = 6,
};
enum image_key { IMAGE_VERSION = 1, IMAGE_DIGEST = 2, IMAGE_SIZE = 3, IMAGE_SEQUENCE = 4 };
enum result_key { RESULT_CODE = 1, RESULT_TOLD = 2, RESULT_OLD = 3, RESULT_NEW = 4 };

static void put_text(struct fota_wr *wr, uint64_t key, const struct fota_text *text)
{
	fota_wr_uint(wr, key);
	fota_wr_bstr(wr, fota_text_get(text));
}

static void put_uint(struct fota_wr *wr, uint64_t key, uint64_t value)
{
	fota_wr_uint(wr, key);
	fota_wr_uint(wr, value);
}

static void put_fixed(struct fota_wr *wr, uint64_t key, const uint8_t *bytes, size_t len)
{
	fota_wr_uint(wr, key);
	fota_wr_bstr(wr, (struct fota_bytes) { bytes, len });
}

static void put_package(struct fota_wr *wr, const struct fota_package *package)
{
	fota_wr_map(wr, 11);
	put_text(wr, PACKAGE_PRODUCT, &package->product);
	put_text(wr, PACKAGE_TARGET, &package->target);
	put_fixed(wr, PACKAGE_DIGEST, package->digest, sizeof(package->digest));
	put_uint(wr, PACKAGE_TOTAL, package->total_bytes);
	put_uint(wr, PACKAGE_SYNCED, package->synced_bytes);
	put_uint(wr, PACKAGE_VERIFIED, package->is_verified);
	put_text(wr, PACKAGE_SECRET, &package->secret);
	put_text(wr, PACKAGE_DEPLOYMENT, &package->deployment);
	put_uint(wr, PACKAGE_SEQUENCE, package->sequence);
	put_uint(wr, PACKAGE_SLOT, package->slot);
	put_fixed(wr, PACKAGE_KID, package->kid, sizeof(package->kid));
}

static void put_image(struct fota_wr *wr, const struct fota_image *image)
{
	fota_wr_map(wr, 4);
	put_text(wr, IMAGE_VERSION, &image->version);
	put_fixed(wr, IMAGE_DIGEST, image->digest, sizeof(image->digest));
	put_uint(wr, IMAGE_SIZE, image->size_bytes);
	put_uint(wr, IMAGE_SEQUENCE, image->sequence);
}

/* A result that was never there has an empty map. */
static void put_result(struct fota_wr *wr, const struct fota_boot_result *result)
{
	fota_wr_map(wr, result->is_there ? 4 : 0);
	if (!result->is_there) { return; }
	put_uint(wr, RESULT_CODE, result->code);
	put_uint(wr, RESULT_TOLD, result->is_told);
	put_text(wr, RESULT_OLD, &result->old_version);
	put_text(wr, RESULT_NEW, &result->new_version);
}

static void put_boot(struct fota_wr *wr, const struct fota_boot *boot)
{
	fota_wr_map(wr, 6);
	put_uint(wr, BOOT_STATE, boot->state);
	put_uint(wr, BOOT_ACTIVE, boot->active);
	put_uint(wr, BOOT_TRIES, boot->tries_left);
	put_uint(wr, BOOT_FLOOR, boot->floor);
	fota_wr_uint(wr, BOOT_IMAGES);
	fota_wr_array(wr, FOTA_SLOT_COUNT);
	for (size_t i = 0; i < FOTA_SLOT_COUNT; i++) {
		put_image(wr, &boot->images[i]);
	}
	fota_wr_uint(wr, BOOT_RESULT);
	put_result(wr, &boot->result);
}

static void put_report(struct fota_wr *wr, const struct fota_pending_report *report)
{
	fota_wr_map(wr, 7);
	put_text(wr, REPORT_PRODUCT, &report->product);
	put_text(wr, REPORT_SECRET, &report->secret);
	put_text(wr, REPORT_DEPLOYMENT, &report->deployment);
	put_fixed(wr, REPORT_ID, report->id, sizeof(report->id));
	put_uint(wr, REPORT_STATE, report->state);
	put_uint(wr, REPORT_CODE, report->code);
	put_uint(wr, REPORT_RECEIVED, report->received_bytes);
}

enum fota_err fota_record_put(const struct fota_record *record, struct fota_room room, struct fota_bytes *out)
{
	struct fota_wr wr;

	fota_wr_init(&wr, room);
	fota_wr_map(&wr, 4);
	fota_wr_uint(&wr, RECORD_PACKAGE);
	put_package(&wr, &record->package);
	fota_wr_uint(&wr, RECORD_LAST);
	fota_wr_map(&wr, 3);
	put_uint(&wr, LAST_CODE, record->last_code);
	put_uint(&wr, LAST_STEP, record->last_step);
	put_text(&wr, LAST_TARGET, &record->last_target);
	fota_wr_uint(&wr, RECORD_REPORTS);
	fota_wr_array(&wr, record->report_count);
	for (size_t i = 0; i < record->report_count; i++) {
		put_report(&wr, &record->reports[i]);
	}
	fota_wr_uint(&wr, RECORD_BOOT);
	put_boot(&wr, &record->boot);
	return fota_wr_finish(&wr, out);
}

static void get_text(struct fota_rd *rd, struct fota_text *text, size_t max)
{
	struct fota_bytes bytes = fota_rd_bstr(rd);

	if (bytes.len > max || fota_text_set(text, bytes)) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
}

static uint64_t get_uint(struct fota_rd *rd, uint64_t max)
{
	uint64_t value = fota_rd_uint(rd);

	if (value > max) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
	return value;
}

static void get_fixed(struct fota_rd *rd, uint8_t *dst, size_t len)
{
	struct fota_bytes bytes = fota_rd_bstr(rd);

	if (bytes.len != len) {
		fota_rd_fail(rd, FOTA_ERR_RANGE);
		return;
	}
	memcpy(dst, bytes.ptr, len);
}

static void get_package(struct fota_rd *rd, struct fota_package *package)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		switch (key) {
		case PACKAGE_PRODUCT:
			get_text(rd, &package->product, FOTA_PRODUCT_MAX_BYTES);
			break;
		case PACKAGE_TARGET:
			get_text(rd, &package->target, FOTA_VERSION_MAX_BYTES);
			break;
		case PACKAGE_DIGEST:
			get_fixed(rd, package->digest, sizeof(package->digest));
			break;
		case PACKAGE_TOTAL:
			package->total_bytes = fota_rd_uint(rd);
			break;
		case PACKAGE_SYNCED:
			package->synced_bytes = fota_rd_uint(rd);
			break;
		case PACKAGE_VERIFIED:
			package->is_verified = get_uint(rd, 1) == 1;
			break;
		case PACKAGE_SECRET:
			get_text(rd, &package->secret, FOTA_SECRET_MAX_BYTES);
			break;
		case PACKAGE_DEPLOYMENT:
			get_text(rd, &package->deployment, FOTA_NAME_MAX_BYTES);
			break;
		case PACKAGE_SEQUENCE:
			package->sequence = fota_rd_uint(rd);
			break;
		case PACKAGE_SLOT:
			package->slot = (uint8_t)get_uint(rd, FOTA_SLOT_COUNT - 1);
			break;
		case PACKAGE_KID:
			get_fixed(rd, package->kid, sizeof(package->kid));
			break;
		default:
			fota_rd_skip(rd);
		}
	}
	if (package->synced_bytes > package->total_bytes) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
}

static void get_last(struct fota_rd *rd, struct fota_record *record)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		switch (key) {
		case LAST_CODE:
			record->last_code = (uint16_t)get_uint(rd, 999);
			break;
		case LAST_STEP:
			record->last_step = (uint8_t)get_uint(rd, UINT8_MAX);
			break;
		case LAST_TARGET:
			get_text(rd, &record->last_target, FOTA_VERSION_MAX_BYTES);
			break;
		default:
			fota_rd_skip(rd);
		}
	}
}

static void get_report(struct fota_rd *rd, struct fota_pending_report *report)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		switch (key) {
		case REPORT_PRODUCT:
			get_text(rd, &report->product, FOTA_PRODUCT_MAX_BYTES);
			break;
		case REPORT_SECRET:
			get_text(rd, &report->secret, FOTA_SECRET_MAX_BYTES);
			break;
		case REPORT_DEPLOYMENT:
			get_text(rd, &report->deployment, FOTA_NAME_MAX_BYTES);
			break;
		case REPORT_ID:
			get_fixed(rd, report->id, sizeof(report->id));
			break;
		case REPORT_STATE:
			report->state = (uint8_t)get_uint(rd, FOTA_REPORT_CANCELLED);
			break;
		case REPORT_CODE:
			report->code = (uint16_t)get_uint(rd, 999);
			break;
		case REPORT_RECEIVED:
			report->received_bytes = fota_rd_uint(rd);
			break;
		default:
			fota_rd_skip(rd);
		}
	}
}

static void get_reports(struct fota_rd *rd, struct fota_record *record)
{
	uint64_t count = fota_rd_array(rd);

	if (count > FOTA_PENDING_REPORT_MAX) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
	for (uint64_t i = 0; !rd->err && i < count; i++) {
		get_report(rd, &record->reports[i]);
		record->report_count++;
	}
}

static void get_image(struct fota_rd *rd, struct fota_image *image)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		switch (key) {
		case IMAGE_VERSION:
			get_text(rd, &image->version, FOTA_VERSION_MAX_BYTES);
			break;
		case IMAGE_DIGEST:
			get_fixed(rd, image->digest, sizeof(image->digest));
			break;
		case IMAGE_SIZE:
			image->size_bytes = fota_rd_uint(rd);
			break;
		case IMAGE_SEQUENCE:
			image->sequence = fota_rd_uint(rd);
			break;
		default:
			fota_rd_skip(rd);
		}
	}
}

static void get_images(struct fota_rd *rd, struct fota_boot *boot)
{
	uint64_t count = fota_rd_array(rd);

	if (count != FOTA_SLOT_COUNT) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
	for (uint64_t i = 0; !rd->err && i < count; i++) {
		get_image(rd, &boot->images[i]);
	}
}

static void get_result(struct fota_rd *rd, struct fota_boot_result *result)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		result->is_there = true;
		switch (key) {
		case RESULT_CODE:
			result->code = (uint16_t)get_uint(rd, 999);
			break;
		case RESULT_TOLD:
			result->is_told = get_uint(rd, 1) == 1;
			break;
		case RESULT_OLD:
			get_text(rd, &result->old_version, FOTA_VERSION_MAX_BYTES);
			break;
		case RESULT_NEW:
			get_text(rd, &result->new_version, FOTA_VERSION_MAX_BYTES);
			break;
		default:
			fota_rd_skip(rd);
		}
	}
}

static void get_boot(struct fota_rd *rd, struct fota_boot *boot)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		switch (key) {
		case BOOT_STATE:
			boot->state = (uint8_t)get_uint(rd, FOTA_BOOT_TRIAL);
			break;
		case BOOT_ACTIVE:
			boot->active = (uint8_t)get_uint(rd, FOTA_SLOT_COUNT - 1);
			break;
		case BOOT_TRIES:
			boot->tries_left = (uint8_t)get_uint(rd, UINT8_MAX);
			break;
		case BOOT_FLOOR:
			boot->floor = fota_rd_uint(rd);
			break;
		case BOOT_IMAGES:
			get_images(rd, boot);
			break;
		case BOOT_RESULT:
			get_result(rd, &boot->result);
			break;
		default:
			fota_rd_skip(rd);
		}
	}
}

enum fota_err fota_record_get(struct fota_bytes bytes, struct fota_record *record)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;

	memset(record, 0, sizeof(*record));
	fota_rd_init(&rd, bytes);
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		switch (key) {
		case RECORD_PACKAGE:
			get_package(&rd, &record->package);
			break;
		case RECORD_LAST:
			get_last(&rd, record);
			break;
		case RECORD_REPORTS:
			get_reports(&rd, record);
			break;
		case RECORD_BOOT:
			get_boot(&rd, &record->boot);
			break;
		default:
			fota_rd_skip(&rd);
		}
	}
	if (fota_rd_finish(&rd)) { memset(record, 0, sizeof(*record)); }
	return rd.err;
}
