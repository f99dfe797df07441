/* SPDX-License-Identifier: Apache-2.0 */
/* Files as flash: errors that come late, when the caller has had its OK already. A limit
 * on the size of files plays the full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "posix_store.h"

#define LIMIT_BYTES  (1024u * 1024)
#define SLOT_BYTES   (4u * LIMIT_BYTES)
#define BEHIND_BYTES (200u * 1024) /* written behind the caller's back: between a write and a whole buffer */
#define WAIT_MS      5000

struct rig {
	char dir[64];
	struct posix_store *store;
	struct fota_flash slot, journal;
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	strcpy(rig->dir, "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	assert_int_equal(posix_store_open(&rig->store, rig->dir), FOTA_ERR_OK);
	assert_int_equal(posix_store_add(rig->store, "slot", SLOT_BYTES, POSIX_STORE_SPARSE, &rig->slot), FOTA_ERR_OK);
	assert_int_equal(posix_store_add(rig->store, "journal", 65536, POSIX_STORE_RESERVED, &rig->journal),
			 FOTA_ERR_OK);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "slot", "journal", "lock" };
	struct rig *rig = *state;

	posix_store_close(rig->store);
	assert_int_equal(chdir(rig->dir), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(unlink(names[i]), 0);
	}
	assert_int_equal(rmdir(rig->dir), 0);
	free(rig);
	return 0;
}

static enum fota_err wait_for(struct rig *rig)
{
	struct pollfd fd = { .fd = posix_store_fd(rig->store), .events = POLLIN };
	enum fota_err result;

	assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
	assert_true(posix_store_poll(rig->store, &result));
	return result;
}

static enum fota_err sync_area(struct rig *rig, const struct fota_flash *flash)
{
	enum fota_err err = flash->sync(flash->ctx);

	return err == FOTA_ERR_PENDING ? wait_for(rig) : err;
}

static void an_error_met_behind_is_told_once_and_to_its_own_area(void **state)
{
	static const uint8_t bytes[BEHIND_BYTES];
	struct rig *rig = *state;

	assert_int_equal(rig->slot.prog(rig->slot.ctx, SLOT_BYTES / 2, bytes, sizeof(bytes)), FOTA_ERR_OK);
	assert_int_equal(rig->journal.prog(rig->journal.ctx, 0, bytes, 100), FOTA_ERR_OK);
	assert_int_equal(sync_area(rig, &rig->journal), FOTA_ERR_OK);
	assert_int_equal(sync_area(rig, &rig->slot), FOTA_ERR_FULL);
	assert_int_equal(sync_area(rig, &rig->slot), FOTA_ERR_OK);
	assert_int_equal(sync_area(rig, &rig->journal), FOTA_ERR_OK);
}

/* Its size is what it is, erasing leaves it alone, and other bytes of it stay. */
static void a_device_is_as_large_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct fota_flash device;
	char path[96];
	uint8_t bytes[4] = { 0 };
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/device", rig->dir);
	assert_int_equal(posix_store_add(rig->store, path, 7, POSIX_STORE_DEVICE, &device), FOTA_ERR_IO);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs("0123456789", f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(posix_store_add(rig->store, path, 7, POSIX_STORE_DEVICE, &device), FOTA_ERR_OK);
	assert_int_equal(device.area_bytes, 10);
	assert_int_equal(device.erase(device.ctx, 0, 10), FOTA_ERR_PENDING);
	assert_int_equal(wait_for(rig), FOTA_ERR_OK);
	assert_int_equal(device.prog(device.ctx, 3, "xy", 2), FOTA_ERR_OK);
	assert_int_equal(device.read(device.ctx, 2, bytes, 4), FOTA_ERR_PENDING);
	assert_int_equal(wait_for(rig), FOTA_ERR_OK);
	assert_memory_equal(bytes, "2xy5", 4);
	assert_int_equal(unlink(path), 0);
}

static void waiting_gives_the_result_once_and_ends_by_its_limit(void **state)
{
	struct rig *rig = *state;
	enum fota_err result = FOTA_ERR_FULL;

	assert_false(posix_store_wait(rig->store, 1, &result));
	assert_int_equal(rig->slot.sync(rig->slot.ctx), FOTA_ERR_PENDING);
	assert_true(posix_store_wait(rig->store, WAIT_MS, &result));
	assert_int_equal(result, FOTA_ERR_OK);
	assert_false(posix_store_wait(rig->store, 1, &result));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_error_met_behind_is_told_once_and_to_its_own_area, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_device_is_as_large_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waiting_gives_the_result_once_and_ends_by_its_limit, set_up, tear_down),
	};
	const struct rlimit limit = { LIMIT_BYTES, LIMIT_BYTES };

	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG instead */
	if (setrlimit(RLIMIT_FSIZE, &limit)) { return 1; }
	return cmocka_run_group_tests_name("ports: store", tests, NULL, NULL);
}
