/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <string.h>

#define BASE          "/api/v1"
#define PAGE_ITEMS    "1000"
#define PAGE_MAX      100000u /* a cursor that never ends is a defect of the server */
#define EXCERPT_BYTES 120

enum tool_status api_open_with(struct api *api, const struct tool_config *config, struct tool_error *err)
{
	api->config = *config;
	return http_client_open(&api->client, &api->config, err);
}

enum tool_status api_open(struct api *api, const struct tool_args *args, struct tool_error *err)
{
	enum tool_status status;

	*api = (struct api) { 0 };
	status = tool_config_get(args, false, &api->config, err);
	return status ? status : http_client_open(&api->client, &api->config, err);
}

void api_close(struct api *api)
{
	http_client_close(&api->client);
	explicit_bzero(&api->config, sizeof api->config);
}

static void add_raw(struct api_path *path, const char *text)
{
	size_t len = strlen(text);

	if (len > sizeof path->text - 1 - path->len) {
		path->is_full = true;
		return;
	}
	memcpy(path->text + path->len, text, len + 1);
	path->len += len;
}

static void add_encoded(struct api_path *path, const char *text)
{
	char *encoded = curl_easy_escape(NULL, text, 0);

	if (!encoded) {
		path->is_full = true;
		return;
	}
	add_raw(path, encoded);
	curl_free(encoded);
}

void api_path_init(struct api_path *path, const char *collection)
{
	*path = (struct api_path) { 0 };
	add_raw(path, BASE);
	add_raw(path, collection);
}

void api_path_add(struct api_path *path, const char *segment)
{
	add_raw(path, "/");
	add_encoded(path, segment);
}

void api_path_query(struct api_path *path, const char *name, const char *value)
{
	if (!value) { return; }
	add_raw(path, path->has_query ? "&" : "?");
	add_raw(path, name);
	add_raw(path, "=");
	add_encoded(path, value);
	path->has_query = true;
}

const char *api_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

bool api_id(const json_t *object, const char *key, char *text, size_t cap)
{
	const json_t *value = json_object_get(object, key);
	int len = -1;

	if (json_is_string(value)) { len = snprintf(text, cap, "%s", json_string_value(value)); }
	if (json_is_integer(value)) { len = snprintf(text, cap, "%lld", (long long)json_integer_value(value)); }
	return len > 0 && (size_t)len < cap;
}

/* What to say about an answer that is not 2xx. */
static enum tool_status explain(const struct api *api, const struct http_answer *answer, const json_t *problem,
				struct tool_error *err)
{
	enum tool_status status = answer->status >= 500 ? TOOL_STATUS_UNREACHABLE : TOOL_STATUS_REFUSED;
	const char *title = api_text(problem, "title");
	const char *detail = api_text(problem, "detail");
	const char *hint = answer->status == 401 ? "; 'atfota login' stores a new token" : "";

	if (detail || title) {
		return tool_fail(err, status, "%s%s%s (HTTP %u)%s", title ? title : "", title && detail ? ": " : "",
				 detail ? detail : "", answer->status, hint);
	}
	if (answer->status >= 300 && answer->status < 400) {
		return tool_fail(err, status, "%s redirects (HTTP %u); give the final address as server",
				 api->config.server, answer->status);
	}
	return tool_fail(err, status, "%s answers HTTP %u without a reason%s; is it a platform? %.*s",
			 api->config.server, answer->status, hint, EXCERPT_BYTES, answer->body);
}

static enum tool_status judge(const struct api *api, const struct http_answer *answer, json_t **json,
			      struct tool_error *err)
{
	json_error_t reason;

	*json = answer->len ? json_loadb(answer->body, answer->len, 0, &reason) : NULL;
	if (answer->status < 200 || answer->status > 299) { return explain(api, answer, *json, err); }
	if (answer->len && !*json) {
		return tool_fail(err, TOOL_STATUS_REFUSED, "%s answers something that is not JSON; is it a platform?",
				 api->config.server);
	}
	return TOOL_STATUS_OK;
}

enum tool_status api_exchange(struct api *api, const struct http_request *request, unsigned *http_status,
			      json_t **answer, struct tool_error *err)
{
	struct http_answer got;
	json_t *json = NULL;
	enum tool_status status = http_client_call(&api->client, request, &got, err);

	if (!status) { status = judge(api, &got, &json, err); }
	if (http_status) { *http_status = got.status; }
	if (answer) {
		*answer = json;
	} else {
		json_decref(json);
	}
	http_answer_free(&got);
	return status;
}

enum tool_status api_call(struct api *api, const char *method, const struct api_path *path, json_t *body,
			  json_t **answer, struct tool_error *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct http_request request = { .method = method, .path = path->text, .json = text };
	enum tool_status status = TOOL_STATUS_FAIL;

	if (answer) { *answer = NULL; }
	if (path->is_full || (body && !text)) {
		tool_fail(err, TOOL_STATUS_FAIL, "a name is too long or no UTF-8 text");
	} else {
		status = api_exchange(api, &request, NULL, answer, err);
	}
	if (status && answer) {
		json_decref(*answer);
		*answer = NULL;
	}
	if (text) { explicit_bzero(text, strlen(text)); }
	free(text);
	json_decref(body);
	return status;
}

/* Moves the items of a page to the end of `all`; true if there may be more, and `cursor`
 * is then the next page's. */
static bool take_page(json_t *all, const json_t *page, size_t limit, char *cursor, size_t cap)
{
	const json_t *next = json_object_get(page, "next");
	json_t *items = json_object_get(page, "items");
	int len;

	json_array_extend(all, items);
	while (limit && json_array_size(all) > limit) {
		json_array_remove(all, json_array_size(all) - 1);
	}
	if ((limit && json_array_size(all) == limit) || !json_is_string(next)) { return false; }
	len = snprintf(cursor, cap, "%s", json_string_value(next));
	return len > 0 && (size_t)len < cap;
}

enum tool_status api_list(struct api *api, const struct api_path *path, size_t limit, json_t **items,
			  struct tool_error *err)
{
	char cursor[512] = "";
	enum tool_status status = TOOL_STATUS_OK;
	bool is_more = true;

	*items = json_array();
	for (unsigned page_count = 0; !status && is_more && page_count < PAGE_MAX; page_count++) {
		struct api_path page_path = *path;
		json_t *page = NULL;

		api_path_query(&page_path, "limit", PAGE_ITEMS);
		api_path_query(&page_path, "after", *cursor ? cursor : NULL);
		status = api_call(api, "GET", &page_path, NULL, &page, err);
		if (!status && !json_is_array(json_object_get(page, "items"))) {
			status = tool_fail(err, TOOL_STATUS_REFUSED, "%s gives no list; is it a platform?",
					   api->config.server);
		}
		is_more = !status && take_page(*items, page, limit, cursor, sizeof cursor);
		json_decref(page);
	}
	if (!status) { return TOOL_STATUS_OK; }
	json_decref(*items);
	*items = NULL;
	return status;
}
