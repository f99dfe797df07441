/* SPDX-License-Identifier: Apache-2.0 */
/* Paths find their rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/router.h"
#include "routes.h"

static const struct cloud_route *route;
static char id[CLOUD_PATH_ID_CAP];
static char allowed[64];

static enum cloud_route_result find(const char *method, const char *path)
{
	return cloud_route_find(cloud_routes, cloud_route_count, method, path, &route, id, allowed);
}

static void path_finds_its_row_and_id(void **state)
{
	(void)state;
	assert_int_equal(find("POST", "/device/v1/check"), CLOUD_ROUTE_FOUND);
	assert_string_equal(id, "");
	assert_int_equal(find("GET", "/api/v1/oems/12"), CLOUD_ROUTE_FOUND);
	assert_string_equal(route->pattern, "/api/v1/oems/{}");
	assert_string_equal(id, "12");
	assert_int_equal(find("POST", "/api/v1/versions/7/publish"), CLOUD_ROUTE_FOUND);
	assert_string_equal(route->pattern, "/api/v1/versions/{}/publish");
	assert_string_equal(id, "7");
}

static void head_finds_the_row_of_get(void **state)
{
	(void)state;
	assert_int_equal(find("HEAD", "/healthz"), CLOUD_ROUTE_FOUND);
	assert_string_equal(route->method, "GET");
	assert_int_equal(find("HEAD", "/device/v1/check"), CLOUD_ROUTE_NO_METHOD);
}

static void other_paths_find_nothing(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/api",
		"/api/v1",
		"/api/v1/oem",
		"/api/v1/oemsx",
		"/api/v1/oems/",
		"/api/v1/oems/1/",
		"/api/v1/oems/1/x",
		"/api/v1/versions//publish",
		"/api/v1/versions/7/publish/",
		"/device/v1/check/",
		"/DEVICE/v1/check",
		"/device/v1/package/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(find("GET", paths[i]), CLOUD_ROUTE_NO_PATH);
	}
}

static void id_that_is_too_long_finds_nothing(void **state)
{
	char path[200] = "/api/v1/oems/";
	size_t len = strlen(path);

	(void)state;
	memset(path + len, '1', CLOUD_PATH_ID_CAP);
	assert_int_equal(find("GET", path), CLOUD_ROUTE_NO_PATH);
	path[len + CLOUD_PATH_ID_CAP - 1] = 0;
	assert_int_equal(find("GET", path), CLOUD_ROUTE_FOUND);
}

static void two_segments_are_found_with_a_slash_between_them(void **state)
{
	char path[2 * CLOUD_PATH_ID_CAP] = "/api/v1/products/9/keys/";
	size_t len = strlen(path);

	(void)state;
	assert_int_equal(find("DELETE", "/api/v1/products/9/keys/abc"), CLOUD_ROUTE_FOUND);
	assert_string_equal(id, "9/abc");
	assert_int_equal(find("DELETE", "/api/v1/products/9/keys/"), CLOUD_ROUTE_NO_PATH);
	assert_int_equal(find("DELETE", "/api/v1/products//keys/abc"), CLOUD_ROUTE_NO_PATH);
	assert_int_equal(find("DELETE", "/api/v1/products/9/keys/abc/d"), CLOUD_ROUTE_NO_PATH);
	assert_int_equal(find("DELETE", "/api/v1/products/9/keys"), CLOUD_ROUTE_NO_METHOD);
	memset(path + len, '1', CLOUD_PATH_ID_CAP);
	path[len + CLOUD_PATH_ID_CAP - 2] = 0; /* one too many, with "9/" before them */
	assert_int_equal(find("DELETE", path), CLOUD_ROUTE_NO_PATH);
	path[len + CLOUD_PATH_ID_CAP - 3] = 0;
	assert_int_equal(find("DELETE", path), CLOUD_ROUTE_FOUND);
}

static void wrong_method_tells_the_right_ones(void **state)
{
	(void)state;
	assert_int_equal(find("PUT", "/api/v1/oems"), CLOUD_ROUTE_NO_METHOD);
	assert_string_equal(allowed, "GET, POST");
	assert_int_equal(find("POST", "/api/v1/uploads/abc"), CLOUD_ROUTE_NO_METHOD);
	assert_string_equal(allowed, "GET, PATCH, DELETE");
}

static void every_row_of_the_admin_api_needs_a_token(void **state)
{
	(void)state;
	for (size_t i = 0; i < cloud_route_count; i++) {
		if (strncmp(cloud_routes[i].pattern, "/api/", 5) == 0) { assert_non_null(cloud_routes[i].allow); }
	}
}

static void every_row_can_be_found_and_run(void **state)
{
	char path[CLOUD_PATH_ID_CAP];

	(void)state;
	for (size_t i = 0; i < cloud_route_count; i++) {
		const struct cloud_route *row = &cloud_routes[i];
		const char *hole = strstr(row->pattern, "{}");
		size_t len = hole ? (size_t)(hole - row->pattern) : strlen(row->pattern);

		memcpy(path, row->pattern, len);
		strcpy(path + len, hole ? "1" : "");
		strcat(path, hole ? hole + 2 : "");
		assert_int_equal(find(row->method, path), CLOUD_ROUTE_FOUND);
		assert_ptr_equal(route, row);
		assert_true((row->handle != NULL) != (row->stream != NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_finds_its_row_and_id),
		cmocka_unit_test(head_finds_the_row_of_get),
		cmocka_unit_test(other_paths_find_nothing),
		cmocka_unit_test(id_that_is_too_long_finds_nothing),
		cmocka_unit_test(two_segments_are_found_with_a_slash_between_them),
		cmocka_unit_test(wrong_method_tells_the_right_ones),
		cmocka_unit_test(every_row_of_the_admin_api_needs_a_token),
		cmocka_unit_test(every_row_can_be_found_and_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
