/* SPDX-License-Identifier: Apache-2.0 */
/* The store: jobs that share a commit, the catalog, migrations. Everything is on a real
 * database in a temporary directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/catalog.h"
#include "store/migrate.h"
#include "store/store.h"
#include "temp_dir.h"

#include <semaphore.h>
#include <stdio.h>

/* A job that adds an OEM, and may refuse afterwards. */
struct add_job {
	struct cloud_job job; /* first */
	const char *name;
	bool refuses;
	bool changes_catalog;
	enum cloud_db_result result;
	sem_t *running; /* posted when it begins */
	sem_t *start;   /* waited for before it does anything */
	sem_t end;
	bool is_ok;
};

static bool run_add(struct cloud_job *job, void *owner)
{
	struct add_job *add = (struct add_job *)job;
	struct cloud_writer *writer = owner;

	if (add->running) { sem_post(add->running); }
	if (add->start) { sem_wait(add->start); }
	add->result = cloud_db_exec(writer->db, CLOUD_SQL_OEM_ADD, cloud_text(add->name), cloud_int(1));
	if (add->changes_catalog) { writer->is_catalog_changed = true; }
	return add->result == CLOUD_DB_DONE && !add->refuses;
}

static void add_done(struct cloud_job *job, bool is_ok)
{
	struct add_job *add = (struct add_job *)job;

	add->is_ok = is_ok;
	sem_post(&add->end);
}

static void put(struct cloud_store *store, struct add_job *add)
{
	add->job.run = run_add;
	add->job.done = add_done;
	sem_init(&add->end, 0, 0);
	cloud_store_write(store, &add->job);
}

static bool wait(struct add_job *add)
{
	sem_wait(&add->end);
	sem_destroy(&add->end);
	return add->is_ok;
}

static int64_t count_oems(struct cloud_store *store)
{
	struct cloud_db *db = cloud_store_reader_get(store);
	int64_t count = -1;

	assert_non_null(db);
	assert_true(cloud_db_scalar(db, "SELECT count(*) FROM oem", &count));
	cloud_store_reader_put(store, db);
	return count;
}

static struct cloud_store *open_store(void **state)
{
	struct cloud_store *store = cloud_store_open(*state, NULL);

	assert_non_null(store);
	return store;
}

static void write_is_there_when_its_job_is_done(void **state)
{
	struct cloud_store *store = open_store(state);
	struct add_job add = { .name = "A" };

	put(store, &add);
	assert_true(wait(&add));
	assert_int_equal(count_oems(store), 1);
	cloud_store_close(store);
}

/* The first job holds the writer, so that the others surely come as one batch. */
static void job_that_fails_takes_nothing_of_its_batch_with_it(void **state)
{
	struct cloud_store *store = open_store(state);
	sem_t start;
	struct add_job hold = { .name = "hold", .start = &start };
	struct add_job adds[] = { { .name = "A" }, { .name = "B", .refuses = true }, { .name = "A" }, { .name = "C" } };
	static const bool expected[] = { true, false, false, true };

	sem_init(&start, 0, 0);
	put(store, &hold);
	for (size_t i = 0; i < 4; i++) {
		put(store, &adds[i]);
	}
	sem_post(&start);
	assert_true(wait(&hold));
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(wait(&adds[i]), expected[i]);
	}
	assert_int_equal(adds[2].result, CLOUD_DB_CONFLICT);
	assert_int_equal(count_oems(store), 3);
	cloud_store_close(store);
	sem_destroy(&start);
}

static void stop_finishes_what_waits_and_refuses_what_comes(void **state)
{
	struct cloud_store *store = open_store(state);
	struct add_job before = { .name = "A" };
	struct add_job after = { .name = "B" };

	put(store, &before);
	cloud_store_stop(store);
	put(store, &after);
	assert_true(wait(&before));
	assert_false(wait(&after));
	cloud_store_close(store);
	store = open_store(state);
	assert_int_equal(count_oems(store), 1);
	cloud_store_close(store);
}

/* Statements of text, for a store that is closed. */
static void script(void **state, const char *sql)
{
	char path[4096];
	struct cloud_db *db;

	snprintf(path, sizeof(path), "%s/atfota.db", (const char *)*state);
	db = cloud_db_open(path, CLOUD_DB_WRITER, NULL);
	assert_non_null(db);
	assert_true(cloud_db_script(db, sql));
	cloud_db_close(db);
}

static const char rows_of_a_catalog[] =
	"INSERT INTO oem VALUES (1, 'O', 0); INSERT INTO model VALUES (1, 1, 'M', 0);"
	"INSERT INTO product VALUES (1, '9', 1, '', 'secret-of-nine-16', 0);"
	"INSERT INTO product VALUES (2, '10', 1, '', 'secret-of-ten--16', 0);"
	"INSERT INTO version VALUES (1, 2, 'V2', '', 1, '" /* 64 digits */
	"00000000000000000000000000000000000000000000000000000000000000ff', 5, 0, 0, NULL, x'd86b00', 3, 'ff', 5);"
	"INSERT INTO version VALUES (2, 2, 'V10', '', 0, NULL, NULL, 0, NULL, NULL, x'd86b', 4, 'ff', 5);"
	"INSERT INTO version VALUES (3, 1, 'V1', '', 0, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL);"
	"INSERT INTO version_from VALUES (1, 0, 'V10'); INSERT INTO version_from VALUES (1, 1, 'V0');"
	"INSERT INTO deployment VALUES (4, 2, 1, 1, 0, NULL); INSERT INTO deployment VALUES (5, 2, 1, 0, 0, 1);"
	"INSERT INTO token VALUES (1, 't', zeroblob(32), 0);";

static void catalog_has_what_the_database_has(void **state)
{
	struct cloud_store *store = open_store(state);
	const struct cloud_catalog *catalog;
	const struct cloud_product *product;
	const struct cloud_version *version;
	static const uint8_t zero[32];

	cloud_store_close(store);
	script(state, rows_of_a_catalog);
	store = open_store(state);
	catalog = cloud_store_catalog(store);
	assert_int_equal(catalog->product_count, 2);
	assert_true(cloud_token_is_known(catalog, zero));
	product = cloud_product_find(catalog, fota_bytes_of("10"));
	assert_non_null(product);
	assert_true(fota_bytes_is_equal(product->secret, fota_bytes_of("secret-of-ten--16")));
	assert_true(fota_bytes_is_equal(product->oem, fota_bytes_of("O")));
	assert_int_equal(product->version_count, 2);
	version = cloud_version_find(product, fota_bytes_of("V2"));
	assert_non_null(version);
	assert_int_equal(version->deployment, 4);
	assert_int_equal(version->size_bytes, 5);
	assert_true(version->has_package && version->digest[31] == 0xff);
	assert_int_equal(version->manifest.len, 3);
	assert_memory_equal(version->manifest.ptr, "\xd8\x6b\x00", 3);
	assert_int_equal(version->from_count, 2);
	assert_true(fota_bytes_is_equal(version->from[0], fota_bytes_of("V10")));
	version = cloud_version_find(product, fota_bytes_of("V10"));
	assert_non_null(version);
	assert_int_equal(version->manifest.len, 0); /* of no use before it is published */
	assert_null(cloud_version_find(product, fota_bytes_of("V1")));
	product = cloud_product_find(catalog, fota_bytes_of("9"));
	assert_non_null(cloud_version_find(product, fota_bytes_of("V1")));
	cloud_catalog_drop(catalog);
	cloud_store_close(store);
}

static void catalog_that_is_held_outlives_a_change(void **state)
{
	struct cloud_store *store = open_store(state);
	const struct cloud_catalog *held, *fresh;
	struct add_job add = { .name = "A", .changes_catalog = true };

	cloud_store_close(store);
	script(state, rows_of_a_catalog);
	store = open_store(state);
	held = cloud_store_catalog(store);
	put(store, &add);
	assert_true(wait(&add));
	fresh = cloud_store_catalog(store);
	assert_ptr_not_equal(held, fresh);
	assert_non_null(cloud_product_find(held, fota_bytes_of("9")));
	cloud_catalog_drop(fresh);
	cloud_store_close(store);
	assert_non_null(cloud_product_find(held, fota_bytes_of("10")));
	cloud_catalog_drop(held);
}

/* The first migration as a program of then left it, with rows that it made. */
static void database_of_before_manifests_is_carried_over(void **state)
{
	static const char rows[] =
		"CREATE TABLE schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL);"
		"INSERT INTO schema_version VALUES (1, '0001_initial', 0);"
		"INSERT INTO oem VALUES (1, 'O', 0); INSERT INTO model VALUES (1, 1, 'M', 0);"
		"INSERT INTO product VALUES (1, '9', 1, '', 'secret-of-nine-16', 0);"
		"INSERT INTO version VALUES (1, 1, 'V1', '', 1, 'ff', 5, 0, 0, NULL);"
		"INSERT INTO version VALUES (2, 1, 'V2', '', 0, NULL, NULL, 0, NULL, NULL);"
		"INSERT INTO deployment VALUES (1, 1, 1, 1, 0, NULL);"
		"INSERT INTO device VALUES (1, 1, '860', 'V0', 'V1', '{}', 1, 1);"
		"INSERT INTO report VALUES (1, 1, 1, x'00', 3, 3, NULL, 'V0', 1);"
		"INSERT INTO progress VALUES (1, 1, 3, 1); INSERT INTO progress_count VALUES (1, 3, 1);";
	struct cloud_store *store;
	const struct cloud_catalog *catalog;
	const struct cloud_version *version;
	struct cloud_db *db;
	int64_t count;

	script(state, cloud_migrations[0].sql);
	script(state, rows);
	store = open_store(state);
	catalog = cloud_store_catalog(store);
	version = cloud_version_find(cloud_product_find(catalog, fota_bytes_of("9")), fota_bytes_of("V1"));
	assert_non_null(version);
	assert_int_equal(version->deployment, 1);
	assert_int_equal(version->manifest.len, 0);
	cloud_catalog_drop(catalog);
	db = cloud_store_reader_get(store);
	assert_true(cloud_db_scalar(db, "SELECT count(*) FROM progress_count JOIN report JOIN device", &count));
	assert_int_equal(count, 1);
	assert_true(cloud_db_scalar(db, "SELECT count(*) FROM schema_version", &count));
	assert_int_equal(count, cloud_migration_count);
	cloud_store_reader_put(store, db);
	cloud_store_close(store);
	cloud_store_close(open_store(state)); /* and it is done once */
}

/* The database keeps the rule by itself, whatever asks it. */
static void two_versions_of_a_product_have_no_sequence_number_in_common(void **state)
{
	struct cloud_store *store = open_store(state);
	struct cloud_db *db;
	char path[4096];

	cloud_store_close(store);
	script(state, rows_of_a_catalog);
	snprintf(path, sizeof(path), "%s/atfota.db", (const char *)*state);
	db = cloud_db_open(path, CLOUD_DB_WRITER, NULL);
	assert_non_null(db);
	assert_int_equal(cloud_db_exec(db, CLOUD_SQL_VERSION_MANIFEST, cloud_int(2), cloud_blob("x", 1), cloud_int(3),
				       cloud_text("ff"), cloud_int(5)),
			 CLOUD_DB_CONFLICT);
	assert_int_equal(cloud_db_exec(db, CLOUD_SQL_VERSION_MANIFEST, cloud_int(3), cloud_blob("x", 1), cloud_int(3),
				       cloud_text("ff"), cloud_int(5)),
			 CLOUD_DB_DONE);
	cloud_db_close(db);
}

static void database_of_a_newer_program_is_refused(void **state)
{
	cloud_store_close(open_store(state));
	script(state, "INSERT INTO schema_version VALUES (999, 'future', 0)");
	assert_null(cloud_store_open(*state, NULL));
}

static void reader_cannot_write(void **state)
{
	struct cloud_store *store = open_store(state);
	struct cloud_db *db = cloud_store_reader_get(store);

	assert_int_equal(cloud_db_exec(db, CLOUD_SQL_OEM_ADD, cloud_text("A"), cloud_int(1)), CLOUD_DB_ERROR);
	cloud_store_reader_put(store, db);
	cloud_store_close(store);
}

static void every_statement_can_be_prepared(void **state)
{
	struct cloud_store *store = open_store(state);
	struct cloud_db *db = cloud_store_reader_get(store);

	for (int sql = 0; sql < CLOUD_SQL_COUNT; sql++) {
		struct cloud_stmt *stmt = cloud_db_query_with(db, (enum cloud_sql)sql, NULL, 0);

		assert_true(cloud_db_is_prepared(stmt));
	}
	cloud_store_reader_put(store, db);
	cloud_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

/* A job that meets a full disk. */
static bool run_fill(struct cloud_job *job, void *owner)
{
	struct add_job *add = (struct add_job *)job;
	struct cloud_writer *writer = owner;

	assert_true(cloud_db_script(writer->db, "PRAGMA max_page_count = 1"));
	add->result = CLOUD_DB_DONE;
	for (int i = 0; i < 10000 && add->result == CLOUD_DB_DONE; i++) {
		char name[32];

		snprintf(name, sizeof(name), "filler %d", i);
		add->result = cloud_db_exec(writer->db, CLOUD_SQL_OEM_ADD, cloud_text(name), cloud_int(1));
	}
	assert_int_equal(add->result, CLOUD_DB_ERROR);
	assert_true(cloud_db_is_full(writer->db));
	assert_true(cloud_db_script(writer->db, "PRAGMA max_page_count = 100000"));
	return false;
}

static void full_disk_ends_its_batch_and_nothing_of_it_is_kept_or_told_so(void **state)
{
	struct cloud_store *store = open_store(state);
	sem_t running, start;
	struct add_job hold = { .name = "hold", .running = &running, .start = &start };
	struct add_job before = { .name = "before" };
	struct add_job fill = { .name = NULL };
	struct add_job behind = { .name = "behind" };
	struct add_job later = { .name = "later" };

	sem_init(&running, 0, 0);
	sem_init(&start, 0, 0);
	put(store, &hold);
	sem_wait(&running); /* its batch is taken: what comes is the next one */
	put(store, &before);
	fill.job.run = run_fill;
	fill.job.done = add_done;
	sem_init(&fill.end, 0, 0);
	cloud_store_write(store, &fill.job);
	put(store, &behind);
	sem_post(&start);
	assert_true(wait(&hold));
	assert_false(wait(&before));
	assert_false(wait(&fill));
	assert_false(wait(&behind));
	assert_int_equal(count_oems(store), 1);
	put(store, &later);
	assert_true(wait(&later));
	assert_int_equal(count_oems(store), 2);
	cloud_store_close(store);
	sem_destroy(&running);
	sem_destroy(&start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(write_is_there_when_its_job_is_done),
		TEST(job_that_fails_takes_nothing_of_its_batch_with_it),
		TEST(full_disk_ends_its_batch_and_nothing_of_it_is_kept_or_told_so),
		TEST(stop_finishes_what_waits_and_refuses_what_comes),
		TEST(catalog_has_what_the_database_has),
		TEST(catalog_that_is_held_outlives_a_change),
		TEST(database_of_before_manifests_is_carried_over),
		TEST(two_versions_of_a_product_have_no_sequence_number_in_common),
		TEST(database_of_a_newer_program_is_refused),
		TEST(reader_cannot_write),
		TEST(every_statement_can_be_prepared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
