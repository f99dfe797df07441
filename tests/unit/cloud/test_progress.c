/* SPDX-License-Identifier: Apache-2.0 */
/* How far a device is with a deployment, in whatever order its reports come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/progress.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Reports by their numbers, as they arrive, and where the device stands after each. */
struct walk {
	const char *what;
	const char *reports;
	const char *stands;
};

static const struct walk walks[] = {
	{ "a good upgrade", "12345", "12345" },
	{ "only what must be told", "345", "345" },
	{ "rolled back", "346", "346" },
	{ "an installer that failed", "347", "347" },
	{ "cancelled", "28", "28" },
	{ "installed before downloaded arrives", "53", "55" },
	{ "installed before installing arrives", "354", "355" },
	{ "everything after installed is late", "512345678", "555555555" },
	{ "rolled back before installing arrives", "364", "366" },
	{ "rolled back, then all of it late", "61234", "66666" },
	{ "a second try after a rollback", "6123451", "6666655" },
	{ "a second try that fails too", "6347", "6667" },
	{ "a second try after a failure", "712345", "777345" },
	{ "a second try after a cancellation", "82345", "88345" },
	{ "progress that comes after a failure", "272", "277" },
	{ "downloading again and again", "2222", "2222" },
	{ "downloading before checking arrives", "21", "22" },
	{ "an installation is not cancelled", "48", "44" },
	{ "nothing of before while it installs", "41234", "44444" },
};

static void device_stands_where_its_reports_lead(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(walks); i++) {
		int64_t stands = CLOUD_PROGRESS_NONE;

		print_message("%s\n", walks[i].what);
		assert_int_equal(strlen(walks[i].reports), strlen(walks[i].stands));
		for (size_t k = 0; walks[i].reports[k]; k++) {
			uint64_t report = (uint64_t)(walks[i].reports[k] - '0');

			if (cloud_progress_moves(stands, report)) { stands = (int64_t)report; }
			assert_int_equal(stands, walks[i].stands[k] - '0');
		}
	}
}

/* What comes behind the end of its try changes nothing. */
static void report_behind_the_end_of_its_try_is_late(void **state)
{
	static const char *const tries[] = { "12345", "12346", "127", "128" };

	(void)state;
	for (size_t i = 0; i < COUNT(tries); i++) {
		size_t last = strlen(tries[i]) - 1;

		for (size_t late = 0; late < last; late++) {
			assert_false(cloud_progress_moves(tries[i][last] - '0', (uint64_t)(tries[i][late] - '0')));
		}
	}
}

static void every_pair_has_an_answer(void **state)
{
	(void)state;
	for (uint64_t report = FOTA_REPORT_CHECKING; report <= FOTA_REPORT_CANCELLED; report++) {
		assert_true(cloud_progress_moves(CLOUD_PROGRESS_NONE, report));
		assert_true(cloud_progress_moves((int64_t)report, report));
	}
	for (int64_t before = CLOUD_PROGRESS_NONE; before <= FOTA_REPORT_CANCELLED; before++) {
		assert_false(cloud_progress_moves(before, CLOUD_PROGRESS_NONE));
		assert_false(cloud_progress_moves(before, FOTA_REPORT_CANCELLED + 1));
		assert_false(cloud_progress_moves(before, UINT64_MAX));
	}
	assert_false(cloud_progress_moves(-1, FOTA_REPORT_INSTALLED));
	assert_false(cloud_progress_moves(FOTA_REPORT_CANCELLED + 1, FOTA_REPORT_INSTALLED));
	assert_false(cloud_progress_moves(INT64_MAX, FOTA_REPORT_INSTALLED));
}

static void installed_counts_only_from_the_new_version(void **state)
{
	const struct fota_bytes old = fota_bytes_of("V1"), new = fota_bytes_of("V2");

	(void)state;
	assert_true(cloud_report_counts(FOTA_REPORT_INSTALLED, new, new));
	assert_false(cloud_report_counts(FOTA_REPORT_INSTALLED, old, new));
	assert_true(cloud_report_counts(FOTA_REPORT_DOWNLOADED, old, new));
	assert_true(cloud_report_counts(FOTA_REPORT_ROLLED_BACK, old, new));
	assert_true(cloud_report_counts(FOTA_REPORT_FAILED, old, new));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_stands_where_its_reports_lead),
		cmocka_unit_test(report_behind_the_end_of_its_try_is_late),
		cmocka_unit_test(every_pair_has_an_answer),
		cmocka_unit_test(installed_counts_only_from_the_new_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
