/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the admin API: JSON in, JSON out, with a database connection. The same kind of
 * function reads (on an HTTP thread) and writes (on the writer's thread, inside its
 * transaction). */
#ifndef CLOUD_ADMIN_API_CALL_H
#define CLOUD_ADMIN_API_CALL_H

#include "app.h"
#include "http/request.h"

struct cloud_call {
	struct cloud_app *app;
	struct cloud_request *request;
	struct cloud_db *db;
	struct cloud_writer *writer; /* NULL when reading */
	json_t *body;                /* an object, if the row of the routing table has a body */
	void *arg;                   /* of cloud_call_submit */
	int64_t now_s;

	/* The answer; set by the functions below. */
	unsigned status;
	json_t *out;
	bool is_kept; /* keep the changes though the answer is a problem */
};

typedef void cloud_call_fn(struct cloud_call *call);

/* For the routing table: run route->call with a reader's connection; the same after noted
 * devices were written; run it by the writer. */
void cloud_admin_read(struct cloud_request *request);
void cloud_admin_read_devices(struct cloud_request *request);
void cloud_admin_write(struct cloud_request *request);
/* The request has a known access token. */
bool cloud_admin_allow(struct cloud_request *request);

/* Has `fn` run by the writer for this request, and answers with its result. `arg` is handed
 * on. Takes the request's state under its own. */
void cloud_call_submit(struct cloud_request *request, cloud_call_fn *fn, void *arg);

/* Answers. The first one stands. */
void cloud_call_ok(struct cloud_call *call, unsigned status, json_t *out); /* takes `out` */
void cloud_call_problem(struct cloud_call *call, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What the database said instead of what was hoped for; `conflict` is the detail of a 409. */
void cloud_call_failed(struct cloud_call *call, enum cloud_db_result result, const char *conflict);

/* A text of the body, checked (domain/names.h). NULL: it is not there, which is answered
 * if is_needed, or it is not good, which is answered. Ask call->status. */
const char *cloud_call_text(struct cloud_call *call, const char *name, const char *(*check)(const char *text),
			    bool is_needed);

/* The path's {} as a number; 0 after answering 404. */
int64_t cloud_call_id(struct cloud_call *call);
/* A number in the query, or NULL as a parameter if it is not given. Answers 422. */
struct cloud_param cloud_call_query_number(struct cloud_call *call, const char *name);
struct cloud_param cloud_call_query_text(struct cloud_call *call, const char *name);
/* One of `names` in the query as its index, or NULL as a parameter. Answers 422. */
struct cloud_param cloud_call_query_name(struct cloud_call *call, const char *name, const char *const *names,
					 size_t count);

/* ?limit= and ?after= of a list. Answers 422 and returns false if they are not numbers. */
struct cloud_page {
	int64_t after;
	int64_t limit;
};
FOTA_MUST_CHECK bool cloud_call_page(struct cloud_call *call, struct cloud_page *page);
/* Answers with the rows of `stmt`, which was asked for limit + 1 of them and has the cursor in
 * its first column. */
void cloud_call_list(struct cloud_call *call, struct cloud_stmt *stmt, const struct cloud_page *page,
		     json_t *(*row)(struct cloud_call *call, struct cloud_stmt *stmt));
/* Answers with the one row of `stmt`, or 404. */
void cloud_call_one(struct cloud_call *call, struct cloud_stmt *stmt, unsigned status,
		    json_t *(*row)(struct cloud_call *call, struct cloud_stmt *stmt));

/* JSON values of columns: a time or null, a text or null. */
json_t *cloud_json_time(struct cloud_stmt *stmt, int column);
json_t *cloud_json_text(struct cloud_stmt *stmt, int column);

#endif
