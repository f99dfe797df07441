/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's admin API, /api/v1: JSON in, JSON out, problem documents (RFC 9457) as
 * messages. */
#ifndef TOOL_API_H
#define TOOL_API_H

#include <jansson.h>

#include "http_client.h"

struct api {
	struct tool_config config;
	struct http_client client;
};

/* Server and token as tool_config_get finds them. Close it in each case. */
enum tool_status api_open(struct api *api, const struct tool_args *args, struct tool_error *err);
/* The same with a configuration that is known. */
enum tool_status api_open_with(struct api *api, const struct tool_config *config, struct tool_error *err);
void api_close(struct api *api);

/* The path of a request below /api/v1; each part is encoded. */
struct api_path {
	char text[3072];
	size_t len;
	bool is_full; /* did not fit; api_call fails then */
	bool has_query;
};

void api_path_init(struct api_path *path, const char *collection);
void api_path_add(struct api_path *path, const char *segment);
/* Nothing happens if `value` is NULL. */
void api_path_query(struct api_path *path, const char *name, const char *value);

/* One exchange. OK with a status of 2xx: *answer is the JSON of it (NULL for 204), which
 * the caller owns. REFUSED with 3xx and 4xx, UNREACHABLE with 5xx or without an
 * answer. *http_status is 0 without an answer; *answer may be a problem document.
 * Both may be NULL. */
enum tool_status api_exchange(struct api *api, const struct http_request *request, unsigned *http_status,
			      json_t **answer, struct tool_error *err);

/* api_exchange with a JSON body, which may be NULL and is freed. */
enum tool_status api_call(struct api *api, const char *method, const struct api_path *path, json_t *body,
			  json_t **answer, struct tool_error *err);

/* All items of a list over all its pages, at most `limit` (0: no limit). The caller owns
 * *items, an array. */
enum tool_status api_list(struct api *api, const struct api_path *path, size_t limit, json_t **items,
			  struct tool_error *err);

/* The text of a member, NULL if it is absent or no text. */
const char *api_text(const json_t *object, const char *key);

/* A member as text, be it a number or a text: for IDs. False if it is neither or does
 * not fit. */
bool api_id(const json_t *object, const char *key, char *text, size_t cap);

#endif
