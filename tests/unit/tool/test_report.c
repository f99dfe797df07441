/* SPDX-License-Identifier: Apache-2.0 */
/* Exit statuses and advice of an upgrade's end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fota/code.h"
#include "module_report.h"

static enum tool_status status_of_class(const struct fota_code_info *info)
{
	if (info->number == 3) { return TOOL_STATUS_OK; }
	if (info->number == 5) { return TOOL_STATUS_NOTHING; }
	if (info->number == 307) { return TOOL_STATUS_CANCELLED; }
	return info->code_class == FOTA_CODE_CLASS_X ? TOOL_STATUS_CHANGE : TOOL_STATUS_RETRY;
}

static void every_code_has_a_status_and_its_advice(void **state)
{
	unsigned count;
	const struct fota_code_info *codes = fota_code_list(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		struct module_event end = { .outcome = MODULE_OUTCOME_CODE, .code = codes[i].number, .step = "x" };
		struct tool_error message;

		assert_int_equal(module_report_explain(&end, &message), status_of_class(&codes[i]));
		if (codes[i].number == 3) { continue; }
		assert_non_null(strstr(message.text, codes[i].text));
		assert_non_null(strstr(message.text, fota_code_advice(codes[i].number)));
	}
}

static void every_outcome_has_a_status_and_a_text(void **state)
{
	(void)state;
	for (int outcome = MODULE_OUTCOME_REFUSED; outcome <= MODULE_OUTCOME_TOO_LONG; outcome++) {
		struct module_event end = { .outcome = (enum module_outcome)outcome,
					    .text = "ERROR",
					    .step = "waiting" };
		struct tool_error message;

		assert_true(module_report_explain(&end, &message) > TOOL_STATUS_FAIL);
		assert_non_null(strstr(message.text, "waiting"));
	}
}

/* +CME ERROR: 3 is "operation not allowed" of TS 27.007, not "download finished". */
static void a_small_number_of_a_refusal_is_no_result_code(void **state)
{
	struct module_event end = {
		.outcome = MODULE_OUTCOME_REFUSED, .code = 3, .text = "+CME ERROR: 3", .step = "x"
	};
	struct tool_error message;

	(void)state;
	assert_int_equal(module_report_explain(&end, &message), TOOL_STATUS_MODULE);
	assert_non_null(strstr(message.text, "not allowed"));
}

static void a_number_that_is_no_code_is_the_modules_affair(void **state)
{
	struct module_event end = { .outcome = MODULE_OUTCOME_CODE, .code = 777, .step = "x" };
	struct tool_error message;

	(void)state;
	assert_int_equal(module_report_explain(&end, &message), TOOL_STATUS_MODULE);
	assert_non_null(strstr(message.text, "777"));
}

static void exit_statuses_are_listed_in_order(void **state)
{
	unsigned count;
	const struct tool_status_info *rows = tool_status_list(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(rows[i].number, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_status_and_its_advice),
		cmocka_unit_test(every_outcome_has_a_status_and_a_text),
		cmocka_unit_test(a_small_number_of_a_refusal_is_no_result_code),
		cmocka_unit_test(a_number_that_is_no_code_is_the_modules_affair),
		cmocka_unit_test(exit_statuses_are_listed_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
