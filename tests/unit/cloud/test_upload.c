/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: order, restart at every block, verification, and what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blob/blob.h"
#include "blob/upload.h"
#include "temp_dir.h"

#include <stdio.h>
#include <unistd.h>

#define SIZE  3000u
#define BLOCK 700u

static uint8_t data[SIZE];
static const char digest_hex[] = "1f4e52d7c6ab7c08aec69bd1b6a83ba06b2f5ba0a3e3b0ea8bd0b2ba8f4f3bb4";

static struct cloud_upload wish = { .id = "u1", .size_bytes = SIZE, .has_digest = false };

static int start(void **state)
{
	for (size_t i = 0; i < SIZE; i++) {
		data[i] = (uint8_t)(i * 7 + i / 256);
	}
	return temp_dir_make(state) == 0 && cloud_blob_prepare(*state, NULL) ? 0 : -1;
}

static enum cloud_upload_result append(struct cloud_uploads *uploads, size_t off, size_t len)
{
	return cloud_upload_append(uploads, &wish, off, (struct fota_bytes) { data + off, len });
}

/* The whole upload in blocks; with_restarts forgets everything but the files after each. */
static void send(void **state, bool with_restarts, uint8_t digest[CLOUD_DIGEST_BYTES])
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);

	for (size_t off = 0; off < SIZE; off += BLOCK) {
		assert_int_equal(append(uploads, off, SIZE - off < BLOCK ? SIZE - off : BLOCK), CLOUD_UPLOAD_OK);
		if (with_restarts) {
			cloud_uploads_free(uploads);
			uploads = cloud_uploads_new(*state, NULL);
		}
	}
	assert_int_equal(cloud_upload_finish(uploads, &wish, digest), CLOUD_UPLOAD_OK);
	cloud_uploads_free(uploads);
}

static bool blob_holds(void **state, const uint8_t digest[CLOUD_DIGEST_BYTES])
{
	char hex[CLOUD_DIGEST_HEX_CAP];
	uint8_t bytes[SIZE];
	uint64_t size = 0;
	bool is_same;
	int fd;

	cloud_hex_put(digest, CLOUD_DIGEST_BYTES, hex);
	fd = cloud_blob_open(*state, hex, &size);
	if (fd < 0) { return false; }
	is_same = size == SIZE && read(fd, bytes, SIZE) == SIZE && memcmp(bytes, data, SIZE) == 0;
	close(fd);
	return is_same;
}

static void restart_at_any_block_gives_the_same_digest(void **state)
{
	uint8_t whole[CLOUD_DIGEST_BYTES], broken[CLOUD_DIGEST_BYTES];

	send(state, false, whole);
	assert_true(blob_holds(state, whole));
	send(state, true, broken);
	assert_memory_equal(whole, broken, sizeof(whole));
	assert_true(blob_holds(state, broken));
}

static void bytes_in_the_wrong_place_do_not_count(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	uint64_t received = 99;

	assert_int_equal(append(uploads, 10, 10), CLOUD_UPLOAD_OFFSET);
	assert_int_equal(append(uploads, 0, 100), CLOUD_UPLOAD_OK);
	assert_int_equal(append(uploads, 0, 100), CLOUD_UPLOAD_OFFSET);
	assert_int_equal(append(uploads, 99, 100), CLOUD_UPLOAD_OFFSET);
	assert_int_equal(cloud_upload_append(uploads, &wish, 100, (struct fota_bytes) { data, SIZE - 99 }),
			 CLOUD_UPLOAD_OFFSET);
	assert_int_equal(cloud_upload_sync(uploads, &wish, &received), CLOUD_UPLOAD_OK);
	assert_int_equal(received, 100);
	assert_int_equal(cloud_upload_received(*state, &wish), 100);
	cloud_uploads_free(uploads);
}

static void upload_that_is_not_complete_cannot_be_finished(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	uint8_t digest[CLOUD_DIGEST_BYTES];

	assert_int_equal(append(uploads, 0, SIZE - 1), CLOUD_UPLOAD_OK);
	assert_int_equal(cloud_upload_finish(uploads, &wish, digest), CLOUD_UPLOAD_INCOMPLETE);
	assert_int_equal(append(uploads, SIZE - 1, 1), CLOUD_UPLOAD_OK);
	assert_int_equal(cloud_upload_finish(uploads, &wish, digest), CLOUD_UPLOAD_OK);
	cloud_uploads_free(uploads);
}

static void wrong_digest_throws_the_upload_away(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	struct cloud_upload expecting = wish;
	uint8_t digest[CLOUD_DIGEST_BYTES];
	uint64_t size;

	expecting.has_digest = cloud_hex_get(digest_hex, expecting.digest, sizeof(expecting.digest));
	assert_true(expecting.has_digest);
	assert_int_equal(append(uploads, 0, SIZE), CLOUD_UPLOAD_OK);
	assert_int_equal(cloud_upload_finish(uploads, &expecting, digest), CLOUD_UPLOAD_DIGEST);
	assert_int_equal(cloud_upload_received(*state, &expecting), 0);
	assert_int_equal(cloud_blob_open(*state, digest_hex, &size), -1);
	cloud_uploads_free(uploads);
}

static void finish_can_be_repeated(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	struct cloud_upload expecting = wish;
	uint8_t digest[CLOUD_DIGEST_BYTES];

	send(state, false, expecting.digest);
	expecting.has_digest = true;
	assert_int_equal(cloud_upload_received(*state, &expecting), SIZE);
	assert_int_equal(cloud_upload_finish(uploads, &expecting, digest), CLOUD_UPLOAD_OK);
	assert_memory_equal(digest, expecting.digest, sizeof(digest));
	cloud_uploads_free(uploads);
}

/* A blob that is there does not make other bytes right. */
static void wrong_bytes_are_found_though_the_right_ones_are_there(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	struct cloud_upload expecting = wish;
	uint8_t right[CLOUD_DIGEST_BYTES], digest[CLOUD_DIGEST_BYTES];

	send(state, false, right);
	memcpy(expecting.digest, right, sizeof(right));
	expecting.has_digest = true;
	assert_int_equal(append(uploads, 0, SIZE - 1), CLOUD_UPLOAD_OK);
	assert_int_equal(cloud_upload_append(uploads, &expecting, SIZE - 1, fota_bytes_of("!")), CLOUD_UPLOAD_OK);
	assert_int_equal(cloud_upload_finish(uploads, &expecting, digest), CLOUD_UPLOAD_DIGEST);
	assert_true(blob_holds(state, right));
	cloud_uploads_free(uploads);
}

/* Far more than are kept open. */
static void many_uploads_at_once_do_not_disturb_each_other(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	uint8_t first[CLOUD_DIGEST_BYTES], digest[CLOUD_DIGEST_BYTES];
	struct cloud_upload many[40];

	for (size_t i = 0; i < 40; i++) {
		many[i] = wish;
		snprintf(many[i].id, sizeof(many[i].id), "many-%zu", i);
	}
	for (size_t off = 0; off < SIZE; off += SIZE / 4) {
		for (size_t i = 0; i < 40; i++) {
			assert_int_equal(cloud_upload_append(uploads, &many[i], off,
							     (struct fota_bytes) { data + off, SIZE / 4 }),
					 CLOUD_UPLOAD_OK);
		}
	}
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(cloud_upload_finish(uploads, &many[i], i ? digest : first), CLOUD_UPLOAD_OK);
		if (i) { assert_memory_equal(digest, first, sizeof(first)); }
	}
	assert_true(blob_holds(state, first));
	cloud_uploads_free(uploads);
}

static bool is_u2(void *ctx, const char *id)
{
	(void)ctx;
	return strcmp(id, "u2") == 0;
}

static bool is_nothing_used(void *ctx, const char *hex)
{
	(void)ctx;
	(void)hex;
	return false;
}

static bool is_all_used(void *ctx, const char *hex)
{
	(void)ctx;
	return strlen(hex) == 64;
}

static void sweep_removes_what_nobody_knows(void **state)
{
	struct cloud_uploads *uploads = cloud_uploads_new(*state, NULL);
	struct cloud_upload other = wish;
	uint8_t digest[CLOUD_DIGEST_BYTES];

	strcpy(other.id, "u2");
	send(state, false, digest);
	assert_int_equal(append(uploads, 0, 5), CLOUD_UPLOAD_OK);
	assert_int_equal(cloud_upload_append(uploads, &other, 0, (struct fota_bytes) { data, 6 }), CLOUD_UPLOAD_OK);
	cloud_uploads_free(uploads);
	uploads = cloud_uploads_new(*state, NULL);
	cloud_uploads_sweep(uploads, is_u2, NULL);
	assert_int_equal(cloud_upload_received(*state, &wish), 0);
	assert_int_equal(cloud_upload_received(*state, &other), 6);
	cloud_blob_sweep(*state, is_all_used, NULL, NULL);
	assert_true(blob_holds(state, digest));
	cloud_blob_sweep(*state, is_nothing_used, NULL, NULL);
	assert_false(blob_holds(state, digest));
	cloud_uploads_free(uploads);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(restart_at_any_block_gives_the_same_digest),
		TEST(bytes_in_the_wrong_place_do_not_count),
		TEST(upload_that_is_not_complete_cannot_be_finished),
		TEST(wrong_digest_throws_the_upload_away),
		TEST(finish_can_be_repeated),
		TEST(wrong_bytes_are_found_though_the_right_ones_are_there),
		TEST(many_uploads_at_once_do_not_disturb_each_other),
		TEST(sweep_removes_what_nobody_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
