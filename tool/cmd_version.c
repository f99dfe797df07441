/* SPDX-License-Identifier: Apache-2.0 */
/* atfota version. A version is named by --product and --name, or by its ID. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fota/suit.h"
#include "resource.h"
#include "upload.h"

static const struct tool_column list_columns[] = {
	{ "ID", "id" },
	{ "PRODUCT", "product" },
	{ "NAME", "name" },
	{ "STATE", "state" },
	{ "SIZE", "package.size", true },
	{ "PUBLISHED", "published" },
	{ 0 },
};

static const struct tool_column show_columns[] = {
	{ "ID", "id" },
	{ "PRODUCT", "product" },
	{ "NAME", "name" },
	{ "STATE", "state" },
	{ "FROM", "from" },
	{ "NOTES", "notes" },
	{ "SEQUENCE", "manifest.sequence" },
	{ "KEYS", "manifest.kids" },
	{ "SIZE", "package.size", true },
	{ "SHA-256", "package.digest" },
	{ "CREATED", "created" },
	{ "PUBLISHED", "published" },
	{ "WITHDRAWN", "withdrawn" },
	{ 0 },
};

static const struct resource_filter filters[] = {
	{ "product", TOOL_OPT_PRODUCT },
	{ "state", TOOL_OPT_STATE },
	{ "name", TOOL_OPT_NAME },
	{ 0 },
};

static const struct resource_filter product_filter[] = { { "product", TOOL_OPT_PRODUCT }, { 0 } };

static const struct resource version_list = {
	.noun = "version",
	.collection = "/versions",
	.filters = filters,
	.columns = list_columns,
	.details = show_columns,
};

const struct resource resource_version = {
	.noun = "version",
	.collection = "/versions",
	.name_key = "name",
	.has_name_query = true,
	.filters = product_filter,
	.columns = list_columns,
	.details = show_columns,
};

enum tool_status resource_version_id(struct api *api, const struct tool_args *args, const char *id_ref,
				     const char *name, char *id, struct tool_error *err)
{
	const char *ref = id_ref ? id_ref : name;

	if (id_ref && name) {
		return tool_fail(err, TOOL_STATUS_FAIL, "give the ID of the version or its name, not both");
	}
	if (!ref) { return tool_fail(err, TOOL_STATUS_FAIL, "which version? Give --product and --name, or its ID"); }
	return resource_find(api, &resource_version, args, ref, id, err);
}

typedef enum tool_status with_version_fn(struct api *api, const struct tool_args *args, const char *id,
					 struct tool_error *err);

/* Runs `act` for the version that the arguments name. */
static enum tool_status with_version(const struct tool_args *args, const char *id_ref, with_version_fn *act,
				     struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = resource_version_id(&api, args, id_ref, args->opt[TOOL_OPT_NAME], id, err); }
	if (!status) { status = act(&api, args, id, err); }
	api_close(&api);
	return status;
}

static enum tool_status act_show(struct api *api, const struct tool_args *args, const char *id, struct tool_error *err)
{
	return resource_show_id(api, &resource_version, args, id, err);
}

static enum tool_status act_delete(struct api *api, const struct tool_args *args, const char *id,
				   struct tool_error *err)
{
	(void)args;
	return resource_delete_id(api, &resource_version, id, err);
}

static enum tool_status act_publish(struct api *api, const struct tool_args *args, const char *id,
				    struct tool_error *err)
{
	return resource_act_id(api, &resource_version, "publish", args, id, err);
}

static enum tool_status act_withdraw(struct api *api, const struct tool_args *args, const char *id,
				     struct tool_error *err)
{
	return resource_act_id(api, &resource_version, "withdraw", args, id, err);
}

/* FILE is the last positional argument. */
static const char *file_of(const struct tool_args *args)
{
	return args->pos[args->pos_count - 1];
}

/* A manifest on its way to the platform. */
struct manifest_file {
	int fd;
	uint64_t size;
};

/* Close it in each case. */
static enum tool_status manifest_open(struct manifest_file *manifest, const char *file, struct tool_error *err)
{
	struct stat st;

	*manifest = (struct manifest_file) { .fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
	if (manifest->fd < 0 || fstat(manifest->fd, &st)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "cannot open %s: %s", file, strerror(errno));
	}
	manifest->size = (uint64_t)st.st_size;
	if (S_ISREG(st.st_mode) && manifest->size > 0 && manifest->size <= FOTA_SUIT_ENVELOPE_MAX_BYTES) {
		return TOOL_STATUS_OK;
	}
	return tool_fail(err, TOOL_STATUS_FAIL,
			 "%s is no manifest: that is a file of at most %u bytes, 'atfota package build' makes one",
			 file, FOTA_SUIT_ENVELOPE_MAX_BYTES);
}

static void manifest_close(struct manifest_file *manifest)
{
	if (manifest->fd >= 0) { close(manifest->fd); }
	manifest->fd = -1;
}

/* Sends it; *version becomes what the platform answers. */
static enum tool_status manifest_send(struct manifest_file *manifest, struct api *api, const char *id, json_t **version,
				      struct tool_error *err)
{
	struct http_source source = { .fd = manifest->fd, .end = manifest->size };
	struct api_path path;

	api_path_init(&path, "/versions");
	api_path_add(&path, id);
	api_path_add(&path, "manifest");
	const struct http_request request = { .method = "PUT", .path = path.text, .source = &source };
	return api_exchange(api, &request, NULL, version, err);
}

static enum tool_status act_manifest(struct api *api, const struct tool_args *args, const char *id,
				     struct tool_error *err)
{
	struct manifest_file manifest;
	json_t *version = NULL;
	enum tool_status status = manifest_open(&manifest, file_of(args), err);

	if (!status) { status = manifest_send(&manifest, api, id, &version, err); }
	if (!status) { resource_print(show_columns, args, version); }
	json_decref(version);
	manifest_close(&manifest);
	return status;
}

static enum tool_status act_upload(struct api *api, const struct tool_args *args, const char *id,
				   struct tool_error *err)
{
	struct upload upload;
	json_t *version = NULL;
	enum tool_status status = upload_open(&upload, file_of(args), stderr, err);

	if (!status) { status = upload_run(&upload, api, id, &version, err); }
	if (!status) { resource_print(show_columns, args, version); }
	json_decref(version);
	upload_close(&upload);
	return status;
}

static enum tool_status run_show(const struct tool_args *args, struct tool_error *err)
{
	return with_version(args, args->pos[0], act_show, err);
}

static enum tool_status run_delete(const struct tool_args *args, struct tool_error *err)
{
	return with_version(args, args->pos[0], act_delete, err);
}

static enum tool_status run_publish(const struct tool_args *args, struct tool_error *err)
{
	return with_version(args, args->pos[0], act_publish, err);
}

static enum tool_status run_withdraw(const struct tool_args *args, struct tool_error *err)
{
	return with_version(args, args->pos[0], act_withdraw, err);
}

static enum tool_status run_upload(const struct tool_args *args, struct tool_error *err)
{
	return with_version(args, args->pos_count == 2 ? args->pos[0] : NULL, act_upload, err);
}

static enum tool_status run_manifest(const struct tool_args *args, struct tool_error *err)
{
	return with_version(args, args->pos_count == 2 ? args->pos[0] : NULL, act_manifest, err);
}

static enum tool_status run_list(const struct tool_args *args, struct tool_error *err)
{
	return resource_list(&version_list, args, err);
}

/* The body of POST /versions; NULL if a text is no UTF-8. */
static json_t *new_version(const struct tool_args *args, const char *product)
{
	json_t *body = json_pack("{s:s, s:s}", "product", product, "name", args->opt[TOOL_OPT_NAME]);

	if (args->opt[TOOL_OPT_NOTES]) { json_object_set_new(body, "notes", json_string(args->opt[TOOL_OPT_NOTES])); }
	if (args->from_count == 0) { return body; }
	json_object_set_new(body, "from", json_array());
	for (unsigned i = 0; i < args->from_count; i++) {
		json_array_append_new(json_object_get(body, "from"), json_string(args->from[i]));
	}
	return body;
}

static enum tool_status create(struct api *api, const struct tool_args *args, json_t **version, struct tool_error *err)
{
	char product[RESOURCE_ID_MAX_BYTES];
	const char *product_id;
	struct api_path path;
	json_t *body;
	enum tool_status status = resource_product_id(api, args, product, &product_id, err);

	if (status) { return status; }
	body = new_version(args, product_id);
	if (!body) { return tool_fail(err, TOOL_STATUS_FAIL, "a name is no UTF-8 text"); }
	api_path_init(&path, "/versions");
	return api_call(api, "POST", &path, body, version, err);
}

static enum tool_status run_create(const struct tool_args *args, struct tool_error *err)
{
	struct api api;
	json_t *version = NULL;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = create(&api, args, &version, err); }
	if (!status) { resource_print(show_columns, args, version); }
	json_decref(version);
	api_close(&api);
	return status;
}

/* The version by product and name; *version is NULL if there is none. */
static enum tool_status look_up(struct api *api, const struct tool_args *args, json_t **version, struct tool_error *err)
{
	char product[RESOURCE_ID_MAX_BYTES];
	const char *product_id;
	struct api_path path;
	json_t *items = NULL;
	enum tool_status status = resource_product_id(api, args, product, &product_id, err);

	*version = NULL;
	if (status) { return status; }
	api_path_init(&path, "/versions");
	api_path_query(&path, "product", product_id);
	api_path_query(&path, "name", args->opt[TOOL_OPT_NAME]);
	status = api_list(api, &path, 1, &items, err);
	if (!status) { *version = json_incref(json_array_get(items, 0)); }
	json_decref(items);
	return status;
}

/* Replaces *version with what came of it. */
static void take(json_t **version, json_t *next)
{
	json_decref(*version);
	*version = next;
}

static bool is_state(const json_t *version, const char *state)
{
	const char *text = api_text(version, "state");

	return text && strcmp(text, state) == 0;
}

/* The platform takes a manifest that it has already as often as it comes. */
static enum tool_status bring_manifest(struct api *api, struct manifest_file *manifest, const char *id,
				       json_t **version, struct tool_error *err)
{
	json_t *next = NULL;
	enum tool_status status = manifest_send(manifest, api, id, &next, err);

	if (status) {
		json_decref(next);
	} else {
		take(version, next);
	}
	return status;
}

static enum tool_status bring_package(struct api *api, struct upload *upload, const char *id, json_t **version,
				      struct tool_error *err)
{
	const char *digest = api_text(json_object_get(*version, "package"), "digest");
	json_t *next = NULL;
	enum tool_status status;

	if (digest && strcmp(digest, upload->digest) == 0) { return TOOL_STATUS_OK; }
	if (!is_state(*version, "draft")) {
		return tool_fail(err, TOOL_STATUS_REFUSED,
				 "this version is %s with another package; a changed package needs a new version name",
				 api_text(*version, "state") ? api_text(*version, "state") : "in an unknown state");
	}
	status = upload_run(upload, api, id, &next, err);
	if (!status) { take(version, next); }
	return status;
}

static enum tool_status publish(struct api *api, const char *id, json_t **version, struct tool_error *err)
{
	struct api_path path;
	json_t *next = NULL;
	enum tool_status status;

	if (is_state(*version, "published")) { return TOOL_STATUS_OK; }
	api_path_init(&path, "/versions");
	api_path_add(&path, id);
	api_path_add(&path, "publish");
	status = api_call(api, "POST", &path, json_object(), &next, err);
	if (!status) { take(version, next); }
	return status;
}

/* The two files of a release. */
struct release {
	struct manifest_file manifest;
	struct upload upload;
};

static enum tool_status bring_parts(struct api *api, struct release *files, const char *id, json_t **version,
				    struct tool_error *err)
{
	enum tool_status status = bring_manifest(api, &files->manifest, id, version, err);

	if (!status) { status = bring_package(api, &files->upload, id, version, err); }
	return status ? status : publish(api, id, version, err);
}

/* What happens to a draft of this run that cannot become a release. What the platform refuses leaves nothing, so
 * that a corrected release begins like a first one, with its own notes and sources. What broke goes on where it
 * stopped. */
static void settle_draft(struct api *api, const char *id, enum tool_status status, struct tool_error *err)
{
	struct tool_error ignored = { "" };
	size_t len = strlen(err->text);
	bool is_gone = status == TOOL_STATUS_REFUSED && !resource_delete_id(api, &resource_version, id, &ignored);

	snprintf(err->text + len, sizeof err->text - len, "%s",
		 is_gone ? "; nothing of this version is left on the platform: correct it, then release it again"
			 : "; the version stays as a draft: the same command goes on with it, 'atfota version delete' "
			   "removes it");
}

/* A list of texts that may be absent. */
static bool is_same_list(const json_t *left, const json_t *right)
{
	return json_array_size(left) == 0 ? json_array_size(right) == 0 : json_equal(left, right);
}

/* A version that is there keeps what it was created with; a command that says otherwise is a mistake. */
static enum tool_status check_same(const struct tool_args *args, const json_t *version, struct tool_error *err)
{
	const char *notes = api_text(version, "notes");
	json_t *wanted = new_version(args, "");
	bool is_same = !args->opt[TOOL_OPT_NOTES] || strcmp(notes ? notes : "", args->opt[TOOL_OPT_NOTES]) == 0;

	is_same = is_same && (args->from_count == 0 ||
			      is_same_list(json_object_get(version, "from"), json_object_get(wanted, "from")));
	json_decref(wanted);
	if (is_same) { return TOOL_STATUS_OK; }
	return tool_fail(
		err, TOOL_STATUS_REFUSED,
		"this version is there with other --notes or --from, which stay; leave them out to go on with it%s",
		is_state(version, "draft") ? ", or remove it ('atfota version delete') and release it anew" : "");
}

/* Each part is left out if it is done already, so that a release that was interrupted is
 * simply done again. */
static enum tool_status release(struct api *api, const struct tool_args *args, struct release *files,
				struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	json_t *version = NULL;
	bool is_new;
	enum tool_status status = look_up(api, args, &version, err);

	if (status) { return status; }
	is_new = version == NULL;
	status = is_new ? create(api, args, &version, err) : check_same(args, version, err);
	if (!status && !api_id(version, "id", id, sizeof id)) {
		status = tool_fail(err, TOOL_STATUS_REFUSED, "the platform's answer has no ID in it");
	}
	if (!status) {
		status = bring_parts(api, files, id, &version, err);
		if (status && is_new) { settle_draft(api, id, status, err); }
	}
	if (!status) { resource_print(show_columns, args, version); }
	json_decref(version);
	return status;
}

static enum tool_status run_release(const struct tool_args *args, struct tool_error *err)
{
	struct release files = { .manifest.fd = -1, .upload.fd = -1 };
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = manifest_open(&files.manifest, args->opt[TOOL_OPT_MANIFEST], err); }
	if (!status) { status = upload_open(&files.upload, file_of(args), stderr, err); }
	if (!status) { status = release(&api, args, &files, err); }
	upload_close(&files.upload);
	manifest_close(&files.manifest);
	api_close(&api);
	return status;
}

#define OPTION_PRODUCT                                                                  \
	{                                                                               \
		"product", TOOL_KEY(PRODUCT), "ID|NAME", 0, "Product of the version", 0 \
	}
#define OPTION_NAME                                                                                 \
	{                                                                                           \
		"name", TOOL_KEY(NAME), "NAME", 0, "Name of the version, as AT+CSCFOTA names it", 0 \
	}
#define OPTION_NOTES                                                       \
	{                                                                  \
		"notes", TOOL_KEY(NOTES), "TEXT", 0, "Notes for people", 0 \
	}
#define OPTION_FROM                                                                                 \
	{                                                                                           \
		"from", TOOL_KEY(FROM), "NAME", 0,                                                  \
			"Only for modules that run this version; can be repeated (default: all)", 0 \
	}

static const struct argp_option name_options[] = { OPTION_PRODUCT, OPTION_NAME, TOOL_OPTIONS_JSON, { 0 } };
static const struct argp_option create_options[] = {
	OPTION_PRODUCT, OPTION_NAME, OPTION_NOTES, OPTION_FROM, TOOL_OPTIONS_JSON, { 0 },
};
static const struct argp_option release_options[] = {
	OPTION_PRODUCT,
	OPTION_NAME,
	{ "manifest", TOOL_KEY(MANIFEST), "FILE", 0, "Signed manifest of the image ('atfota package build' makes it)",
	  0 },
	OPTION_NOTES,
	OPTION_FROM,
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option list_options[] = {
	OPTION_PRODUCT,
	OPTION_NAME,
	{ "state", TOOL_KEY(STATE), "STATE", 0, "draft, published or withdrawn", 0 },
	RESOURCE_OPTION_LIMIT,
	TOOL_OPTIONS_JSON,
	{ 0 },
};

#define NAMED     (TOOL_NEED(PRODUCT) | TOOL_NEED(NAME))
#define MAYBE_ONE .args_doc = "[ID]", .pos_max = 1

const struct tool_command tool_version_commands[] = {
	{ TOOL_PLATFORM_LEAF("create", "Create a version, as a draft", run_create, create_options), .required = NAMED },
	{ TOOL_PLATFORM_LEAF("manifest", "Give a version its signed manifest, or the same with other signatures",
			     run_manifest, name_options),
	  .args_doc = "[ID] FILE", .pos_min = 1, .pos_max = 2 },
	{ TOOL_PLATFORM_LEAF("upload", "Upload the package of a draft; goes on where it stopped", run_upload,
			     name_options),
	  .args_doc = "[ID] FILE", .pos_min = 1, .pos_max = 2 },
	{ TOOL_PLATFORM_LEAF("publish", "Offer a version to the modules of its product", run_publish, name_options),
	  MAYBE_ONE },
	{ TOOL_PLATFORM_LEAF("release", "Create, give manifest and package, publish; what is done already is left out",
			     run_release, release_options),
	  TOOL_ONE("FILE"), .required = NAMED | TOOL_NEED(MANIFEST) },
	{ TOOL_PLATFORM_LEAF("withdraw", "Stop offering a version", run_withdraw, name_options), MAYBE_ONE },
	{ TOOL_PLATFORM_LEAF("list", "List versions", run_list, list_options) },
	{ TOOL_PLATFORM_LEAF("show", "Show a version", run_show, name_options), MAYBE_ONE },
	{ TOOL_PLATFORM_LEAF("delete", "Delete a draft", run_delete, name_options), MAYBE_ONE },
	{ 0 },
};
