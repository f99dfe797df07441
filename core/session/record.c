/* SPDX-License-Identifier: Apache-2.0 */
/* SPEC.md, "Record". Keys are never reused; unknown keys are skipped, so that an
 * older version can read what a newer one wrote. */
#include "fota/record.h"

#include "fota/cbor.h"

enum record_key { RECORD_PACKAGE = 1, RECORD_LAST = 2, RECORD_REPORTS = 3 };
enum package_key {
	PACKAGE_PRODUCT = 1,
	PACKAGE_TARGET = 2,
	PACKAGE_DIGEST = 3,
	PACKAGE_TOTAL = 4,
	PACKAGE_SYNCED = 5,
	PACKAGE_VERIFIED = 6,
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

struct fota_bytes fota_text_get(const struct fota_text *text)
{
	return (struct fota_bytes) { text->bytes, text->len };
}

enum fota_err fota_text_set(struct fota_text *text, struct fota_bytes bytes)
{
	if (bytes.len > sizeof(text->bytes)) { return FOTA_ERR_RANGE; }
	text->len = (uint8_t)bytes.len;
	if (bytes.len) { memcpy(text->bytes, bytes.ptr, bytes.len); }
	return FOTA_ERR_OK;
}

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
	fota_wr_map(wr, 6);
	put_text(wr, PACKAGE_PRODUCT, &package->product);
	put_text(wr, PACKAGE_TARGET, &package->target);
	put_fixed(wr, PACKAGE_DIGEST, package->digest, sizeof(package->digest));
	put_uint(wr, PACKAGE_TOTAL, package->total_bytes);
	put_uint(wr, PACKAGE_SYNCED, package->synced_bytes);
	put_uint(wr, PACKAGE_VERIFIED, package->is_verified);
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
	fota_wr_map(&wr, 3);
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
		default:
			fota_rd_skip(&rd);
		}
	}
	if (fota_rd_finish(&rd)) { memset(record, 0, sizeof(*record)); }
	return rd.err;
}
