/* SPDX-License-Identifier: Apache-2.0 */
/* The payloads of the device API as tables: a row per field, in the order of its
 * key, which is the order on the wire. One encoder and one decoder walk the rows, so
 * that both directions cannot disagree. */
#include "fota/device_api.h"

#include "fota/cbor.h"

/* One name space of keys for all messages; never reused. */
enum field_key {
	KEY_NONCE = 1,
	KEY_TIME = 2,
	KEY_OEM = 3,
	KEY_MODEL = 4,
	KEY_DEVICE = 5,
	KEY_VERSION = 6,
	KEY_TARGET = 7,
	KEY_SLOT = 8,
	KEY_ACCEPT = 9,
	KEY_ATTRIBUTES = 10,
	KEY_RESULT = 11,
	KEY_DEPLOYMENT = 12,
	KEY_MANIFEST = 13,
	KEY_URL = 14,
	KEY_SIZE = 15,
	KEY_DIGEST = 16,
	KEY_ENCODING = 17,
	KEY_RETRY_AFTER = 18,
	KEY_ID = 19,
	KEY_STATE = 20,
	KEY_CODE = 21,
	KEY_RECEIVED = 22,
};

enum field_kind { KIND_UINT, KIND_BSTR, KIND_TEXT, KIND_ACCEPT, KIND_ATTRIBUTES };

/* When a field stands in a message. */
enum field_rule {
	RULE_ALWAYS,
	RULE_UPDATE,   /* if and only if the result is 0 */
	RULE_NOT_0,    /* unless its value, or count, is 0 */
	RULE_NOT_NONE, /* unless its value is FOTA_RECEIVED_NONE */
};

struct field {
	uint8_t key;
	uint8_t kind;
	uint8_t rule;
	uint16_t off;      /* in the struct */
	uint16_t min, max; /* of the value, or of the length of a string; ANY: no greatest value */
};

/* Bounds are small or none, so that a row has 10 bytes instead of 32. */
#define ANY UINT16_MAX

struct message {
	const struct field *fields;
	size_t field_count;
};

#define FIELD_COUNT_MAX 16u

/* The offset of a number; an array of size -1 if the member is not 64 bits wide. */
#define UINT_OFF(type, member) \
	(offsetof(type, member) + 0 * sizeof(char[sizeof(((type *)0)->member) == sizeof(uint64_t) ? 1 : -1]))

#define CHECK(member)  offsetof(struct fota_check_request, member)
#define ANSWER(member) offsetof(struct fota_check_answer, member)
#define REPORT(member) offsetof(struct fota_report_request, member)
#define REPLY(member)  offsetof(struct fota_report_answer, member)

static const struct field check_request_fields[] = {
	{ KEY_NONCE, KIND_BSTR, RULE_ALWAYS, CHECK(nonce), FOTA_NONCE_BYTES, FOTA_NONCE_BYTES },
	{ KEY_TIME, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_check_request, time_s), 0, ANY },
	{ KEY_OEM, KIND_TEXT, RULE_ALWAYS, CHECK(oem), 1, FOTA_NAME_MAX_BYTES },
	{ KEY_MODEL, KIND_TEXT, RULE_ALWAYS, CHECK(model), 1, FOTA_NAME_MAX_BYTES },
	{ KEY_DEVICE, KIND_TEXT, RULE_ALWAYS, CHECK(device), 1, FOTA_NAME_MAX_BYTES },
	{ KEY_VERSION, KIND_TEXT, RULE_ALWAYS, CHECK(version), 1, FOTA_VERSION_MAX_BYTES },
	{ KEY_TARGET, KIND_TEXT, RULE_ALWAYS, CHECK(target), 1, FOTA_VERSION_MAX_BYTES },
	{ KEY_SLOT, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_check_request, slot_bytes), 0, ANY },
	{ KEY_ACCEPT, KIND_ACCEPT, RULE_ALWAYS, 0, 1, FOTA_ACCEPT_MAX },
	{ KEY_ATTRIBUTES, KIND_ATTRIBUTES, RULE_NOT_0, 0, 0, FOTA_ATTRIBUTE_MAX },
};

static const struct field check_answer_fields[] = {
	{ KEY_TIME, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_check_answer, time_s), 0, ANY },
	{ KEY_RESULT, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_check_answer, result), 0, ANY },
	{ KEY_DEPLOYMENT, KIND_TEXT, RULE_UPDATE, ANSWER(deployment), 1, FOTA_NAME_MAX_BYTES },
	{ KEY_MANIFEST, KIND_BSTR, RULE_UPDATE, ANSWER(manifest), 0, FOTA_MESSAGE_MAX_BYTES },
	{ KEY_URL, KIND_TEXT, RULE_UPDATE, ANSWER(url), 1, FOTA_URL_MAX_BYTES },
	{ KEY_SIZE, KIND_UINT, RULE_UPDATE, UINT_OFF(struct fota_check_answer, size_bytes), 1, ANY },
	{ KEY_DIGEST, KIND_BSTR, RULE_UPDATE, ANSWER(digest), FOTA_DIGEST_BYTES, FOTA_DIGEST_BYTES },
	{ KEY_ENCODING, KIND_UINT, RULE_UPDATE, UINT_OFF(struct fota_check_answer, encoding), 0, ANY },
	{ KEY_RETRY_AFTER, KIND_UINT, RULE_NOT_0, UINT_OFF(struct fota_check_answer, retry_after_s), 0, ANY },
};

static const struct field report_request_fields[] = {
	{ KEY_NONCE, KIND_BSTR, RULE_ALWAYS, REPORT(nonce), FOTA_NONCE_BYTES, FOTA_NONCE_BYTES },
	{ KEY_TIME, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_report_request, time_s), 0, ANY },
	{ KEY_DEVICE, KIND_TEXT, RULE_ALWAYS, REPORT(device), 1, FOTA_NAME_MAX_BYTES },
	{ KEY_VERSION, KIND_TEXT, RULE_ALWAYS, REPORT(version), 1, FOTA_VERSION_MAX_BYTES },
	{ KEY_DEPLOYMENT, KIND_TEXT, RULE_ALWAYS, REPORT(deployment), 1, FOTA_NAME_MAX_BYTES },
	{ KEY_ID, KIND_BSTR, RULE_ALWAYS, REPORT(id), FOTA_REPORT_ID_BYTES, FOTA_REPORT_ID_BYTES },
	{ KEY_STATE, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_report_request, state), FOTA_REPORT_CHECKING,
	  FOTA_REPORT_CANCELLED },
	{ KEY_CODE, KIND_UINT, RULE_NOT_0, UINT_OFF(struct fota_report_request, code), 0, 999 },
	{ KEY_RECEIVED, KIND_UINT, RULE_NOT_NONE, UINT_OFF(struct fota_report_request, received_bytes), 0, ANY },
};

static const struct field report_answer_fields[] = {
	{ KEY_TIME, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_report_answer, time_s), 0, ANY },
	{ KEY_RESULT, KIND_UINT, RULE_ALWAYS, UINT_OFF(struct fota_report_answer, result), 0, ANY },
	{ KEY_RETRY_AFTER, KIND_UINT, RULE_NOT_0, UINT_OFF(struct fota_report_answer, retry_after_s), 0, ANY },
};

#define MESSAGE_OF(fields)                                   \
	{                                                    \
		fields, sizeof(fields) / sizeof((fields)[0]) \
	}

static const struct message check_request = MESSAGE_OF(check_request_fields);
static const struct message check_answer = MESSAGE_OF(check_answer_fields);
static const struct message report_request = MESSAGE_OF(report_request_fields);
static const struct message report_answer = MESSAGE_OF(report_answer_fields);

static uint64_t *uint_of(const struct field *field, uint8_t *msg)
{
	return (uint64_t *)(void *)(msg + field->off);
}

static struct fota_bytes *bytes_of(const struct field *field, uint8_t *msg)
{
	return (struct fota_bytes *)(void *)(msg + field->off);
}

static bool is_in_range(const struct field *field, uint64_t value)
{
	return value >= field->min && (field->max == ANY || value <= field->max);
}

/* ---- encoding ---- */

/* Encoded order of texts: shorter first, then bytewise. */
static bool is_text_before(struct fota_bytes a, struct fota_bytes b)
{
	if (a.len != b.len) { return a.len < b.len; }
	return memcmp(a.ptr, b.ptr, a.len) < 0;
}

/* Writes the attributes in the order of their names, whatever order they came in:
 * each turn takes the next larger name. */
static enum fota_err put_attributes(struct fota_wr *wr, const struct fota_check_request *msg)
{
	const struct fota_attribute *before = NULL;

	fota_wr_map(wr, msg->attribute_count);
	for (size_t n = 0; n < msg->attribute_count; n++) {
		const struct fota_attribute *next = NULL;

		for (size_t i = 0; i < msg->attribute_count; i++) {
			const struct fota_attribute *it = &msg->attributes[i];

			if (before && !is_text_before(before->name, it->name)) { continue; }
			if (!next || is_text_before(it->name, next->name)) { next = it; }
		}
		if (!next || next->name.len > FOTA_NAME_MAX_BYTES || next->value.len > FOTA_VERSION_MAX_BYTES) {
			return FOTA_ERR_RANGE; /* a name twice, or too long */
		}
		fota_wr_text(wr, next->name);
		fota_wr_text(wr, next->value);
		before = next;
	}
	return FOTA_ERR_OK;
}

static enum fota_err put_accept(struct fota_wr *wr, const struct fota_check_request *msg)
{
	fota_wr_array(wr, msg->accept_count);
	for (size_t i = 0; i < msg->accept_count; i++) {
		fota_wr_uint(wr, msg->accept[i]);
	}
	return FOTA_ERR_OK;
}

static bool is_present(const struct field *field, uint8_t *msg, bool is_update)
{
	switch (field->rule) {
	case RULE_UPDATE:
		return is_update;
	case RULE_NOT_0:
		if (field->kind == KIND_ATTRIBUTES) {
			return ((struct fota_check_request *)(void *)msg)->attribute_count != 0;
		}
		return *uint_of(field, msg) != 0;
	case RULE_NOT_NONE:
		return *uint_of(field, msg) != FOTA_RECEIVED_NONE;
	default:
		return true;
	}
}

static enum fota_err put_field(struct fota_wr *wr, const struct field *field, uint8_t *msg)
{
	struct fota_check_request *check = (struct fota_check_request *)(void *)msg;

	fota_wr_uint(wr, field->key);
	switch (field->kind) {
	case KIND_UINT:
		fota_wr_uint(wr, *uint_of(field, msg));
		return is_in_range(field, *uint_of(field, msg)) ? FOTA_ERR_OK : FOTA_ERR_RANGE;
	case KIND_BSTR:
		fota_wr_bstr(wr, *bytes_of(field, msg));
		return is_in_range(field, bytes_of(field, msg)->len) ? FOTA_ERR_OK : FOTA_ERR_RANGE;
	case KIND_TEXT:
		fota_wr_text(wr, *bytes_of(field, msg));
		return is_in_range(field, bytes_of(field, msg)->len) ? FOTA_ERR_OK : FOTA_ERR_RANGE;
	case KIND_ACCEPT:
		return is_in_range(field, check->accept_count) ? put_accept(wr, check) : FOTA_ERR_RANGE;
	default:
		return is_in_range(field, check->attribute_count) ? put_attributes(wr, check) : FOTA_ERR_RANGE;
	}
}

static enum fota_err put_message(const struct message *shape, const void *from, bool is_update, struct fota_room room,
				 struct fota_bytes *out)
{
	/* The rows reach members by offset; nothing is written through this pointer here. */
	uint8_t *msg = (uint8_t *)(uintptr_t)from;
	struct fota_wr wr;
	size_t count = 0;

	for (size_t i = 0; i < shape->field_count; i++) {
		count += is_present(&shape->fields[i], msg, is_update);
	}
	fota_wr_init(&wr, room);
	fota_wr_map(&wr, count);
	for (size_t i = 0; i < shape->field_count; i++) {
		enum fota_err err;

		if (!is_present(&shape->fields[i], msg, is_update)) { continue; }
		err = put_field(&wr, &shape->fields[i], msg);
		if (err) { return err; }
	}
	return fota_wr_finish(&wr, out);
}

/* ---- decoding ---- */

static void get_accept(struct fota_rd *rd, const struct field *field, struct fota_check_request *msg)
{
	uint64_t count = fota_rd_array(rd);

	if (!rd->err && !is_in_range(field, count)) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
	for (uint64_t i = 0; !rd->err && i < count; i++) {
		uint64_t encoding = fota_rd_uint(rd);

		if (encoding > UINT8_MAX) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
		msg->accept[msg->accept_count++] = (uint8_t)encoding;
	}
}

static void get_attributes(struct fota_rd *rd, struct fota_check_request *msg)
{
	struct fota_rd_map map;
	struct fota_bytes name;

	fota_rd_map(rd, &map);
	while (fota_rd_text_key(rd, &map, &name)) {
		struct fota_bytes value = fota_rd_text(rd);

		if (msg->attribute_count == FOTA_ATTRIBUTE_MAX || name.len > FOTA_NAME_MAX_BYTES ||
		    value.len > FOTA_VERSION_MAX_BYTES) {
			fota_rd_fail(rd, FOTA_ERR_RANGE);
			return;
		}
		msg->attributes[msg->attribute_count++] = (struct fota_attribute) { name, value };
	}
}

static void get_field(struct fota_rd *rd, const struct field *field, uint8_t *msg)
{
	uint64_t measure;

	switch (field->kind) {
	case KIND_UINT:
		measure = *uint_of(field, msg) = fota_rd_uint(rd);
		break;
	case KIND_BSTR:
		*bytes_of(field, msg) = fota_rd_bstr(rd);
		measure = bytes_of(field, msg)->len;
		break;
	case KIND_TEXT:
		*bytes_of(field, msg) = fota_rd_text(rd);
		measure = bytes_of(field, msg)->len;
		break;
	case KIND_ACCEPT:
		get_accept(rd, field, (struct fota_check_request *)(void *)msg);
		return;
	default:
		get_attributes(rd, (struct fota_check_request *)(void *)msg);
		return;
	}
	if (!rd->err && !is_in_range(field, measure)) { fota_rd_fail(rd, FOTA_ERR_RANGE); }
}

static const struct field *find_field(const struct message *shape, int64_t key)
{
	for (size_t i = 0; i < shape->field_count; i++) {
		if (shape->fields[i].key == key) { return &shape->fields[i]; }
	}
	return NULL;
}

/* The result decides which fields an answer must have; messages without a result
 * have no such fields. */
static bool is_required(const struct field *field, bool is_update)
{
	return field->rule == RULE_ALWAYS || (field->rule == RULE_UPDATE && is_update);
}

/* `result` is the message's own result, read when everything else is. */
static enum fota_err get_message(const struct message *shape, struct fota_bytes payload, void *into,
				 const uint64_t *result)
{
	uint8_t *msg = into;
	struct fota_rd rd;
	struct fota_rd_map map;
	uint32_t seen = 0; /* a bit for each key */
	int64_t key;

	fota_rd_init(&rd, payload);
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		const struct field *field = find_field(shape, key);

		if (!field) {
			fota_rd_skip(&rd);
			continue;
		}
		get_field(&rd, field, msg);
		seen |= UINT32_C(1) << field->key;
	}
	if (fota_rd_finish(&rd)) { return rd.err; }
	for (size_t i = 0; i < shape->field_count; i++) {
		bool has = (seen >> shape->fields[i].key & 1) != 0;

		if (!has && is_required(&shape->fields[i], result && *result == FOTA_REFUSAL_UPDATE)) {
			return FOTA_ERR_MISSING;
		}
	}
	return FOTA_ERR_OK;
}

enum fota_err fota_check_request_put(const struct fota_check_request *msg, struct fota_room room,
				     struct fota_bytes *out)
{
	return put_message(&check_request, msg, false, room, out);
}

enum fota_err fota_check_answer_put(const struct fota_check_answer *msg, struct fota_room room, struct fota_bytes *out)
{
	return put_message(&check_answer, msg, msg->result == FOTA_REFUSAL_UPDATE, room, out);
}

enum fota_err fota_report_request_put(const struct fota_report_request *msg, struct fota_room room,
				      struct fota_bytes *out)
{
	return put_message(&report_request, msg, false, room, out);
}

enum fota_err fota_report_answer_put(const struct fota_report_answer *msg, struct fota_room room,
				     struct fota_bytes *out)
{
	return put_message(&report_answer, msg, false, room, out);
}

enum fota_err fota_check_request_get(struct fota_bytes payload, struct fota_check_request *msg)
{
	*msg = (struct fota_check_request) { .time_s = 0 };
	return get_message(&check_request, payload, msg, NULL);
}

enum fota_err fota_check_answer_get(struct fota_bytes payload, struct fota_check_answer *msg)
{
	*msg = (struct fota_check_answer) { .time_s = 0 };
	return get_message(&check_answer, payload, msg, &msg->result);
}

enum fota_err fota_report_request_get(struct fota_bytes payload, struct fota_report_request *msg)
{
	*msg = (struct fota_report_request) { .received_bytes = FOTA_RECEIVED_NONE };
	return get_message(&report_request, payload, msg, NULL);
}

enum fota_err fota_report_answer_get(struct fota_bytes payload, struct fota_report_answer *msg)
{
	*msg = (struct fota_report_answer) { .time_s = 0 };
	return get_message(&report_answer, payload, msg, NULL);
}
