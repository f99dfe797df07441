/* SPDX-License-Identifier: Apache-2.0 */
/* Last-seen in memory: what is written, and above all what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/migrate.h"
#include "store/presence.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW_S INT64_C(1790000000)

struct rig {
	void *dir;
	struct cloud_db *db;
	struct cloud_presence *presence;
};

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char path[4096];

	if (!rig || temp_dir_make(&rig->dir) != 0) { return -1; }
	snprintf(path, sizeof(path), "%s/atfota.db", (const char *)rig->dir);
	rig->db = cloud_db_open(path, CLOUD_DB_WRITER, NULL);
	rig->presence = cloud_presence_new();
	*state = rig;
	return rig->db && rig->presence && cloud_migrate(rig->db, NULL) &&
			       cloud_db_script(rig->db, "INSERT INTO oem VALUES (1, 'O', 0);"
							"INSERT INTO model VALUES (1, 1, 'M', 0);"
							"INSERT INTO product VALUES (1, '9', 1, '', 'x', 0);")
		       ? 0
		       : -1;
}

static int stop(void **state)
{
	struct rig *rig = *state;
	int err;

	cloud_presence_free(rig->presence);
	cloud_db_close(rig->db);
	err = temp_dir_remove(&rig->dir);
	free(rig);
	return err;
}

static void note(struct rig *rig, const char *device, const char *version, int64_t now_s)
{
	struct fota_check_request request = {
		.device = fota_bytes_of(device),
		.version = fota_bytes_of(version),
		.target = fota_bytes_of("V9"),
	};

	cloud_presence_note(rig->presence, rig->db, 1, &request, now_s);
}

static void flush(struct rig *rig, enum cloud_flush what, int64_t now_s)
{
	assert_true(cloud_presence_flush(rig->presence, rig->db, what, now_s));
}

static int64_t number(struct rig *rig, const char *sql)
{
	int64_t value = -1;

	assert_true(cloud_db_scalar(rig->db, sql, &value));
	return value;
}

/* How many rows all changes of this connection touched. */
static int64_t change_count(struct rig *rig)
{
	return number(rig, "SELECT total_changes()");
}

static void new_device_is_written_by_the_next_flush(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	assert_true(cloud_presence_is_changed(rig->presence));
	assert_int_equal(number(rig, "SELECT count(*) FROM device"), 0);
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S);
	assert_false(cloud_presence_is_changed(rig->presence));
	assert_int_equal(number(rig, "SELECT last_seen FROM device WHERE name = '860' AND version = 'V1'"), NOW_S);
}

static void report(struct rig *rig, const char *device, const char *version)
{
	cloud_presence_reported(rig->presence, 1, fota_bytes_of(device), fota_bytes_of(version));
}

static void check_that_waits_does_not_undo_a_report(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	report(rig, "860", "V2");
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S);
	assert_int_equal(number(rig, "SELECT count(*) FROM device WHERE version = 'V2' AND target = 'V9'"), 1);
}

static void check_after_a_report_of_another_version_is_written(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S);
	report(rig, "860", "V2");
	assert_true(cloud_db_script(rig->db, "UPDATE device SET version = 'V2'")); /* what the report did */
	note(rig, "860", "V1", NOW_S + 1);
	assert_true(cloud_presence_is_changed(rig->presence));
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S + 1);
	assert_int_equal(number(rig, "SELECT count(*) FROM device WHERE version = 'V1'"), 1);
}

static void report_of_the_same_version_costs_no_write(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S);
	report(rig, "860", "V1");
	report(rig, "861", "V1"); /* never met: nothing to keep */
	note(rig, "860", "V1", NOW_S + 1);
	assert_false(cloud_presence_is_changed(rig->presence));
}

static void idle_device_is_not_written_again(void **state)
{
	struct rig *rig = *state;
	int64_t before;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_DUE, NOW_S);
	before = change_count(rig);
	for (int64_t now_s = NOW_S; now_s < NOW_S + CLOUD_SEEN_GRAIN_S; now_s += 10) {
		note(rig, "860", "V1", now_s);
		assert_false(cloud_presence_is_due(rig->presence, now_s));
		flush(rig, CLOUD_FLUSH_DUE, now_s);
	}
	assert_int_equal(change_count(rig), before);
	assert_int_equal(cloud_presence_seen(rig->presence, 1, fota_bytes_of("860")), NOW_S + CLOUD_SEEN_GRAIN_S - 10);
}

static void last_seen_is_written_when_it_is_old(void **state)
{
	struct rig *rig = *state;
	int64_t later_s = NOW_S + CLOUD_SEEN_GRAIN_S;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_DUE, NOW_S);
	note(rig, "860", "V1", later_s);
	assert_true(cloud_presence_is_due(rig->presence, later_s));
	flush(rig, CLOUD_FLUSH_CHANGED, later_s); /* a reader's flush does not care */
	assert_int_equal(number(rig, "SELECT last_seen FROM device"), NOW_S);
	flush(rig, CLOUD_FLUSH_DUE, later_s);
	assert_int_equal(number(rig, "SELECT last_seen FROM device"), later_s);
}

static void known_device_after_a_restart_is_not_written(void **state)
{
	struct rig *rig = *state;
	int64_t before;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_ALL, NOW_S);
	cloud_presence_free(rig->presence);
	rig->presence = cloud_presence_new();
	before = change_count(rig);
	note(rig, "860", "V1", NOW_S + 5);
	assert_false(cloud_presence_is_changed(rig->presence));
	assert_false(cloud_presence_is_due(rig->presence, NOW_S + 5));
	flush(rig, CLOUD_FLUSH_DUE, NOW_S + 5);
	assert_int_equal(change_count(rig), before);
}

static void changed_version_is_written(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S);
	note(rig, "860", "V2", NOW_S + 1);
	assert_true(cloud_presence_is_changed(rig->presence));
	flush(rig, CLOUD_FLUSH_CHANGED, NOW_S + 1);
	assert_int_equal(number(rig, "SELECT count(*) FROM device WHERE version = 'V2'"), 1);
	assert_int_equal(number(rig, "SELECT first_seen FROM device"), NOW_S);
}

static void end_writes_everything(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_DUE, NOW_S);
	note(rig, "860", "V1", NOW_S + 5);
	flush(rig, CLOUD_FLUSH_ALL, NOW_S + 5);
	assert_int_equal(number(rig, "SELECT last_seen FROM device"), NOW_S + 5);
}

static void device_that_is_gone_is_forgotten(void **state)
{
	struct rig *rig = *state;

	note(rig, "860", "V1", NOW_S);
	flush(rig, CLOUD_FLUSH_DUE, NOW_S);
	assert_int_equal(cloud_presence_seen(rig->presence, 1, fota_bytes_of("860")), NOW_S);
	assert_true(cloud_presence_is_due(rig->presence, NOW_S + 100));
	flush(rig, CLOUD_FLUSH_DUE, NOW_S + 100);
	assert_int_equal(cloud_presence_seen(rig->presence, 1, fota_bytes_of("860")), 0);
	assert_false(cloud_presence_is_due(rig->presence, NOW_S + 100));
}

static void device_of_a_deleted_product_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct fota_check_request request = { .device = fota_bytes_of("860"),
					      .version = fota_bytes_of("V1"),
					      .target = fota_bytes_of("V2") };

	cloud_presence_note(rig->presence, rig->db, 77, &request, NOW_S);
	flush(rig, CLOUD_FLUSH_ALL, NOW_S);
	assert_int_equal(number(rig, "SELECT count(*) FROM device"), 0);
}

static void many_devices_are_all_kept_apart(void **state)
{
	struct rig *rig = *state;
	char name[16];

	assert_true(cloud_db_script(rig->db, "BEGIN"));
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		note(rig, name, "V1", NOW_S + i);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(cloud_presence_seen(rig->presence, 1, fota_bytes_of(name)), NOW_S + i);
	}
	assert_int_equal(cloud_presence_seen(rig->presence, 2, fota_bytes_of("1")), 0);
	flush(rig, CLOUD_FLUSH_ALL, NOW_S);
	assert_int_equal(number(rig, "SELECT count(*) FROM device WHERE last_seen = first_seen"), 5000);
	assert_true(cloud_db_script(rig->db, "COMMIT"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_device_is_written_by_the_next_flush),
		TEST(check_that_waits_does_not_undo_a_report),
		TEST(check_after_a_report_of_another_version_is_written),
		TEST(report_of_the_same_version_costs_no_write),
		TEST(idle_device_is_not_written_again),
		TEST(last_seen_is_written_when_it_is_old),
		TEST(known_device_after_a_restart_is_not_written),
		TEST(changed_version_is_written),
		TEST(end_writes_everything),
		TEST(device_that_is_gone_is_forgotten),
		TEST(device_of_a_deleted_product_is_dropped),
		TEST(many_devices_are_all_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
