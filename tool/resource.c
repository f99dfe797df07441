/* SPDX-License-Identifier: Apache-2.0 */
#include "resource.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	putchar('\n');
}

void resource_print(const struct tool_column *details, const struct tool_args *args, const json_t *object)
{
	if (args->opt[TOOL_OPT_JSON]) {
		print_json(object);
	} else {
		tool_fields_print(stdout, details, object);
	}
}

void resource_print_list(const struct tool_column *columns, const struct tool_args *args, json_t *items)
{
	json_t *root;

	if (!args->opt[TOOL_OPT_JSON]) {
		tool_table_print(stdout, columns, items);
		return;
	}
	root = json_pack("{s:O, s:n}", "items", items, "next");
	print_json(root);
	json_decref(root);
}

static enum tool_status limit_of(const struct tool_args *args, size_t *limit, struct tool_error *err)
{
	const char *text = args->opt[TOOL_OPT_LIMIT];
	char *end;

	*limit = 0;
	if (!text) { return TOOL_STATUS_OK; }
	errno = 0;
	*limit = strtoul(text, &end, 10);
	if (errno == 0 && *end == '\0' && *text >= '0' && *text <= '9' && *limit > 0) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL, "--limit '%s' is no number above 0", text);
}

enum tool_status resource_print_path(struct api *api, const struct api_path *path, const struct tool_column *columns,
				     const struct tool_args *args, struct tool_error *err)
{
	json_t *items = NULL;
	size_t limit;
	enum tool_status status = limit_of(args, &limit, err);

	if (!status) { status = api_list(api, path, limit, &items, err); }
	if (!status) { resource_print_list(columns, args, items); }
	json_decref(items);
	return status;
}

/* Filters as they stand on the command line, but products by their ID. */
static enum tool_status add_filters(struct api *api, const struct resource *resource, const struct tool_args *args,
				    struct api_path *path, struct tool_error *err)
{
	char product[RESOURCE_ID_MAX_BYTES];
	const char *product_id;
	enum tool_status status;

	for (const struct resource_filter *filter = resource->filters; filter && filter->query; filter++) {
		if (filter->opt != TOOL_OPT_PRODUCT) {
			api_path_query(path, filter->query, args->opt[filter->opt]);
			continue;
		}
		status = resource_product_id(api, args, product, &product_id, err);
		if (status) { return status; }
		api_path_query(path, filter->query, product_id);
	}
	return TOOL_STATUS_OK;
}

enum tool_status resource_list(const struct resource *resource, const struct tool_args *args, struct tool_error *err)
{
	struct api_path path;
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	api_path_init(&path, resource->collection);
	if (!status) { status = add_filters(&api, resource, args, &path, err); }
	if (!status) { status = resource_print_path(&api, &path, resource->columns, args, err); }
	api_close(&api);
	return status;
}

/* Digits, and the letters that the collection's IDs have. */
static bool is_id(const struct resource *resource, const char *ref)
{
	bool has_digit = false;

	for (; *ref; ref++) {
		bool is_digit = *ref >= '0' && *ref <= '9';

		if (!is_digit && !(resource->id_letters && strchr(resource->id_letters, *ref))) { return false; }
		has_digit |= is_digit;
	}
	return has_digit;
}

/* Counts the items of that name; `id` is the first one's. */
static unsigned match(const struct resource *resource, const json_t *items, const char *ref, char *id)
{
	unsigned count = 0;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *name = api_text(item, resource->name_key);

		if (!name || strcmp(name, ref) != 0) { continue; }
		if (count == 0 && !api_id(item, "id", id, RESOURCE_ID_MAX_BYTES)) { continue; }
		count++;
	}
	return count;
}

static enum tool_status choose(const struct resource *resource, unsigned count, const char *ref, char *id,
			       struct tool_error *err)
{
	if (count == 1) { return TOOL_STATUS_OK; }
	if (count > 1) {
		return tool_fail(err, TOOL_STATUS_REFUSED,
				 "more than one %s is named '%s'; give its ID, or narrow it down (see --help)",
				 resource->noun, ref);
	}
	if (!is_id(resource, ref) || strlen(ref) >= RESOURCE_ID_MAX_BYTES) {
		return tool_fail(err, TOOL_STATUS_REFUSED, "there is no %s '%s'; 'atfota %s list' shows what there is",
				 resource->noun, ref, resource->noun);
	}
	strcpy(id, ref);
	return TOOL_STATUS_OK;
}

enum tool_status resource_find(struct api *api, const struct resource *resource, const struct tool_args *args,
			       const char *ref, char *id, struct tool_error *err)
{
	struct api_path path;
	json_t *items = NULL;
	enum tool_status status;

	api_path_init(&path, resource->collection);
	if (resource->has_name_query) { api_path_query(&path, resource->name_key, ref); }
	status = add_filters(api, resource, args, &path, err);
	if (!status) { status = api_list(api, &path, 0, &items, err); }
	if (!status) { status = choose(resource, match(resource, items, ref, id), ref, id, err); }
	json_decref(items);
	return status;
}

static void make_path(struct api_path *path, const struct resource *resource, const char *id)
{
	api_path_init(path, resource->collection);
	api_path_add(path, id);
}

enum tool_status resource_show_id(struct api *api, const struct resource *resource, const struct tool_args *args,
				  const char *id, struct tool_error *err)
{
	struct api_path path;
	json_t *object = NULL;
	enum tool_status status;

	make_path(&path, resource, id);
	status = api_call(api, "GET", &path, NULL, &object, err);
	if (!status) { resource_print(resource->details, args, object); }
	json_decref(object);
	return status;
}

enum tool_status resource_delete_id(struct api *api, const struct resource *resource, const char *id,
				    struct tool_error *err)
{
	struct api_path path;

	make_path(&path, resource, id);
	return api_call(api, "DELETE", &path, NULL, NULL, err);
}

enum tool_status resource_act_id(struct api *api, const struct resource *resource, const char *action,
				 const struct tool_args *args, const char *id, struct tool_error *err)
{
	struct api_path path;
	json_t *object = NULL;
	enum tool_status status;

	make_path(&path, resource, id);
	api_path_add(&path, action);
	status = api_call(api, "POST", &path, json_object(), &object, err);
	if (!status) { resource_print(resource->details, args, object); }
	json_decref(object);
	return status;
}

enum tool_status resource_show(const struct resource *resource, const struct tool_args *args, struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = resource_find(&api, resource, args, args->pos[0], id, err); }
	if (!status) { status = resource_show_id(&api, resource, args, id, err); }
	api_close(&api);
	return status;
}

enum tool_status resource_delete(const struct resource *resource, const struct tool_args *args, struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = resource_find(&api, resource, args, args->pos[0], id, err); }
	if (!status) { status = resource_delete_id(&api, resource, id, err); }
	api_close(&api);
	return status;
}

enum tool_status resource_act(const struct resource *resource, const char *action, const struct tool_args *args,
			      struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = resource_find(&api, resource, args, args->pos[0], id, err); }
	if (!status) { status = resource_act_id(&api, resource, action, args, id, err); }
	api_close(&api);
	return status;
}

enum tool_status resource_create(const struct resource *resource, json_t *body, const struct tool_args *args,
				 struct tool_error *err)
{
	struct api_path path;
	struct api api;
	json_t *object = NULL;
	enum tool_status status = api_open(&api, args, err);

	api_path_init(&path, resource->collection);
	if (!status && !body) { status = tool_fail(err, TOOL_STATUS_FAIL, "a name is no UTF-8 text"); }
	if (status) {
		json_decref(body);
	} else {
		status = api_call(&api, "POST", &path, body, &object, err);
	}
	if (!status) { resource_print(resource->details, args, object); }
	json_decref(object);
	api_close(&api);
	return status;
}
