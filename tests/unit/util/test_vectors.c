/* SPDX-License-Identifier: Apache-2.0 */
/* The golden messages of the device API, made by another implementation: opened,
 * compared field by field, encoded and sealed again to the same bytes; and the bad ones,
 * refused with their error. Usage: test_util_vectors DIRECTORY */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fota/cose.h"
#include "message_kinds.h"
#include "posix_crypto.h"

#define HEX_MAX 4096

static const char *directory;
static struct posix_crypto posix;
static struct fota_crypto crypto;

static size_t from_hex(const char *hex, uint8_t *dst)
{
	size_t len = strlen(hex) / 2;
	unsigned byte;

	assert_true(len <= HEX_MAX);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		dst[i] = (uint8_t)byte;
	}
	return len;
}

/* A copy of exactly its size, for a sanitizer. The caller frees. */
static struct fota_bytes hex_of(const json_t *row, const char *key)
{
	const char *hex = json_string_value(json_object_get(row, key));
	uint8_t *copy;

	assert_non_null(hex);
	copy = malloc(strlen(hex) / 2 + 1);
	return (struct fota_bytes) { copy, from_hex(hex, copy) };
}

static struct fota_bytes text_of(const json_t *row, const char *key)
{
	return fota_bytes_of(json_string_value(json_object_get(row, key)));
}

/* ---- fields against the JSON ---- */

static void check_uint(const json_t *fields, const char *name, uint64_t value, uint64_t absent)
{
	const json_t *field = json_object_get(fields, name);

	if (!field) {
		assert_true(value == absent);
		return;
	}
	if (json_is_string(field)) { /* beyond what JSON can carry */
		assert_true(value == strtoull(json_string_value(field), NULL, 10));
		return;
	}
	assert_true((uint64_t)json_integer_value(field) == value);
}

static void check_text(const json_t *fields, const char *name, struct fota_bytes value)
{
	const json_t *field = json_object_get(fields, name);

	if (!field) {
		assert_int_equal(value.len, 0);
		return;
	}
	assert_true(fota_bytes_is_equal(value, fota_bytes_of(json_string_value(field))));
}

static void check_bytes(const json_t *fields, const char *name, struct fota_bytes value)
{
	const json_t *field = json_object_get(fields, name);
	struct fota_bytes wanted;

	if (!field) {
		assert_int_equal(value.len, 0);
		return;
	}
	wanted = hex_of(field, "hex");
	assert_true(fota_bytes_is_equal(value, wanted));
	free((void *)(uintptr_t)wanted.ptr);
}

static void check_check_request(const json_t *fields, const union message *msg)
{
	const struct fota_check_request *req = &msg->check_request;
	const json_t *accept = json_object_get(fields, "accept");
	const json_t *attributes = json_object_get(fields, "attributes");

	check_bytes(fields, "nonce", req->nonce);
	check_uint(fields, "time", req->time_s, 0);
	check_text(fields, "oem", req->oem);
	check_text(fields, "model", req->model);
	check_text(fields, "device", req->device);
	check_text(fields, "version", req->version);
	check_text(fields, "target", req->target);
	check_uint(fields, "slot", req->slot_bytes, 0);
	assert_int_equal(req->accept_count, json_array_size(accept));
	for (size_t i = 0; i < req->accept_count; i++) {
		assert_int_equal(req->accept[i], json_integer_value(json_array_get(accept, i)));
	}
	assert_int_equal(req->attribute_count, json_object_size(attributes));
	for (size_t i = 0; i < req->attribute_count; i++) {
		char name[FOTA_NAME_MAX_BYTES + 1] = "";

		memcpy(name, req->attributes[i].name.ptr, req->attributes[i].name.len);
		check_text(attributes, name, req->attributes[i].value);
	}
}

static void check_check_answer(const json_t *fields, const union message *msg)
{
	const struct fota_check_answer *answer = &msg->check_answer;

	check_uint(fields, "result", answer->result, UINT64_MAX);
	check_uint(fields, "time", answer->time_s, 0);
	check_text(fields, "deployment", answer->deployment);
	check_bytes(fields, "manifest", answer->manifest);
	check_text(fields, "url", answer->url);
	check_uint(fields, "size", answer->size_bytes, 0);
	check_bytes(fields, "digest", answer->digest);
	check_uint(fields, "encoding", answer->encoding, 0);
	check_uint(fields, "retry_after", answer->retry_after_s, 0);
}

static void check_report_request(const json_t *fields, const union message *msg)
{
	const struct fota_report_request *req = &msg->report_request;

	check_bytes(fields, "nonce", req->nonce);
	check_uint(fields, "time", req->time_s, 0);
	check_text(fields, "device", req->device);
	check_text(fields, "deployment", req->deployment);
	check_bytes(fields, "id", req->id);
	check_uint(fields, "state", (uint64_t)req->state, 0);
	check_uint(fields, "code", req->code, 0);
	check_uint(fields, "received", req->received_bytes, FOTA_RECEIVED_NONE);
	check_text(fields, "version", req->version);
}

static void check_report_answer(const json_t *fields, const union message *msg)
{
	check_uint(fields, "result", msg->report_answer.result, UINT64_MAX);
	check_uint(fields, "time", msg->report_answer.time_s, 0);
	check_uint(fields, "retry_after", msg->report_answer.retry_after_s, 0);
}

/* ---- kinds ---- */

static const struct check {
	const char *name;
	void (*run)(const json_t *fields, const union message *msg);
} checks[] = {
	{ "check_request", check_check_request },
	{ "check_answer", check_check_answer },
	{ "report_request", check_report_request },
	{ "report_answer", check_report_answer },
};

static const struct message_kind *find_kind(const json_t *row)
{
	const struct message_kind *kind = message_kind_find(json_string_value(json_object_get(row, "kind")));

	assert_non_null(kind);
	return kind;
}

static void check_fields(const struct message_kind *kind, const json_t *row, const union message *msg)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(checks[i].name, kind->name) == 0) {
			checks[i].run(json_object_get(row, "fields"), msg);
			return;
		}
	}
	fail_msg("no check of %s", kind->name);
}

/* ---- a file ---- */

static enum fota_err open_message(const json_t *row, struct fota_bytes message, struct fota_bytes aad,
				  struct fota_mac0 *mac0)
{
	enum fota_err err = fota_mac0_get(message, mac0);

	return err ? err : fota_mac0_verify(mac0, &crypto, text_of(row, "secret"), aad);
}

static void check_seal(const json_t *row, struct fota_bytes payload, struct fota_bytes aad, struct fota_bytes wanted,
		       struct fota_bytes wanted_tag)
{
	uint8_t room[HEX_MAX], tag[FOTA_MAC_BYTES];
	struct fota_bytes sealed;

	assert_int_equal(fota_mac0_put(&crypto, text_of(row, "secret"), text_of(row, "product"), aad, payload,
				       (struct fota_room) { room, sizeof(room) }, &sealed, tag),
			 FOTA_ERR_OK);
	assert_true(fota_bytes_is_equal(sealed, wanted));
	assert_true(fota_bytes_is_equal((struct fota_bytes) { tag, sizeof(tag) }, wanted_tag));
	/* and in every room that is too small not */
	for (size_t cap = 0; cap < wanted.len; cap++) {
		uint8_t *small = malloc(cap + 1);

		assert_int_equal(fota_mac0_put(&crypto, text_of(row, "secret"), text_of(row, "product"), aad, payload,
					       (struct fota_room) { small, cap }, &sealed, tag),
				 FOTA_ERR_FULL);
		free(small);
	}
}

static void check_golden(const json_t *row, struct fota_bytes message, struct fota_bytes aad)
{
	const struct message_kind *kind = find_kind(row);
	struct fota_bytes payload = hex_of(row, "payload"), tag = hex_of(row, "tag"), again;
	struct fota_mac0 mac0;
	union message msg;
	uint8_t room[HEX_MAX];

	assert_int_equal(open_message(row, message, aad, &mac0), FOTA_ERR_OK);
	assert_true(fota_bytes_is_equal(mac0.kid, text_of(row, "product")));
	assert_true(fota_bytes_is_equal(mac0.payload, payload));
	assert_true(fota_bytes_is_equal(mac0.tag, tag));
	assert_int_equal(kind->get(mac0.payload, &msg), FOTA_ERR_OK);
	check_fields(kind, row, &msg);
	assert_int_equal(kind->put(&msg, (struct fota_room) { room, sizeof(room) }, &again), FOTA_ERR_OK);
	assert_true(fota_bytes_is_equal(again, payload));
	check_seal(row, payload, aad, message, tag);
	free((void *)(uintptr_t)payload.ptr);
	free((void *)(uintptr_t)tag.ptr);
}

static void check_bad(const json_t *row, struct fota_bytes message, struct fota_bytes aad, const char *error)
{
	static const struct {
		const char *name;
		enum fota_err err;
	} errors[] = {
#define ERR_NAME(name, value, text) { #name, FOTA_ERR_##name },
		FOTA_ERR_LIST(ERR_NAME)
#undef ERR_NAME
	};
	struct fota_mac0 mac0;
	union message msg;
	enum fota_err err = open_message(row, message, aad, &mac0);

	if (!err) { err = find_kind(row)->get(mac0.payload, &msg); }
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(errors[i].name, error) == 0) {
			assert_int_equal(err, errors[i].err);
			return;
		}
	}
	fail_msg("no error %s", error);
}

static int is_json(const struct dirent *entry)
{
	return strstr(entry->d_name, ".json") != NULL;
}

static void check_file(const char *name)
{
	char path[512];
	json_t *row;
	struct fota_bytes message, aad;
	const char *error;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	row = json_load_file(path, 0, NULL);
	if (!row) { fail_msg("cannot read %s", path); }
	print_message("%s\n", name);
	message = hex_of(row, "message");
	aad = hex_of(row, "external_aad");
	error = json_string_value(json_object_get(row, "error"));
	if (error) {
		check_bad(row, message, aad, error);
	} else {
		check_golden(row, message, aad);
	}
	free((void *)(uintptr_t)message.ptr);
	free((void *)(uintptr_t)aad.ptr);
	json_decref(row);
}

static void messages_of_another_implementation_mean_the_same(void **state)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_json, alphasort);

	(void)state;
	assert_true(count > 50);
	for (int i = 0; i < count; i++) {
		check_file(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(messages_of_another_implementation_mean_the_same) };
	int failed;

	if (argc != 2 || posix_crypto_init(&posix)) { return 2; }
	directory = argv[1];
	crypto = posix_crypto_port(&posix);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	posix_crypto_close(&posix);
	return failed;
}
