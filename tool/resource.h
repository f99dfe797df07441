/* SPDX-License-Identifier: Apache-2.0 */
/* What the platform's collections have in common: lists, one of them by name or ID,
 * what can be done with it. A collection is a const row. */
#ifndef TOOL_RESOURCE_H
#define TOOL_RESOURCE_H

#include "api.h"
#include "table.h"

#define RESOURCE_ID_MAX_BYTES 128u

struct resource_filter {
	const char *query; /* NULL ends the filters */
	enum tool_opt opt;
};

struct resource {
	const char *noun;       /* "model", for messages and as the command's name */
	const char *collection; /* "/models" */
	const char *name_key;   /* member that names one for people */
	bool has_name_query;    /* the list can be asked for one name */
	const char *id_letters; /* what may stand in an ID besides digits */
	const struct resource_filter *filters;
	const struct tool_column *columns; /* of the list */
	const struct tool_column *details; /* of one */
};

/* List by the filters among `args`, and print it. */
enum tool_status resource_list(const struct resource *resource, const struct tool_args *args, struct tool_error *err);

/* The ID of the one that `ref` names: by its name first, then as an ID. Filters among
 * `args` narrow it down. */
enum tool_status resource_find(struct api *api, const struct resource *resource, const struct tool_args *args,
			       const char *ref, char *id, struct tool_error *err);

/* As resource_find, for args->pos[0], with a connection of its own: show it, delete it, or
 * POST to its `action` and show what comes back. */
enum tool_status resource_show(const struct resource *resource, const struct tool_args *args, struct tool_error *err);
enum tool_status resource_delete(const struct resource *resource, const struct tool_args *args, struct tool_error *err);
enum tool_status resource_act(const struct resource *resource, const char *action, const struct tool_args *args,
			      struct tool_error *err);

/* The same with a known ID on an open connection. */
enum tool_status resource_show_id(struct api *api, const struct resource *resource, const struct tool_args *args,
				  const char *id, struct tool_error *err);
enum tool_status resource_delete_id(struct api *api, const struct resource *resource, const char *id,
				    struct tool_error *err);
enum tool_status resource_act_id(struct api *api, const struct resource *resource, const char *action,
				 const struct tool_args *args, const char *id, struct tool_error *err);

/* POST `body`, which is freed, and show what was made. */
enum tool_status resource_create(const struct resource *resource, json_t *body, const struct tool_args *args,
				 struct tool_error *err);

/* One object or a list, as JSON or for people. */
void resource_print(const struct tool_column *details, const struct tool_args *args, const json_t *object);
void resource_print_list(const struct tool_column *columns, const struct tool_args *args, json_t *items);

/* Lists `path` and prints it with `columns`. */
enum tool_status resource_print_path(struct api *api, const struct api_path *path, const struct tool_column *columns,
				     const struct tool_args *args, struct tool_error *err);

/* Products and versions are named in commands of other collections too. */
extern const struct resource resource_product;
extern const struct resource resource_version;

/* The product ID that --product names, by ID or label; NULL in *id_or_null without it. */
enum tool_status resource_product_id(struct api *api, const struct tool_args *args, char *id, const char **id_or_null,
				     struct tool_error *err);

/* The version that args->pos[0] (an ID), or --product and --name, name. */
enum tool_status resource_version_id(struct api *api, const struct tool_args *args, const char *id_ref,
				     const char *name, char *id, struct tool_error *err);

#define RESOURCE_OPTION_LIMIT                                                   \
	{                                                                       \
		"limit", TOOL_KEY(LIMIT), "N", 0, "At most N (default: all)", 0 \
	}

#endif
