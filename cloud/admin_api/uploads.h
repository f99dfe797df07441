/* SPDX-License-Identifier: Apache-2.0 */
/* Records of uploads, for those who move their bytes. */
#ifndef CLOUD_ADMIN_API_UPLOADS_H
#define CLOUD_ADMIN_API_UPLOADS_H

#include "admin_api/call.h"

struct cloud_upload_record {
	struct cloud_upload upload;
	int64_t version;
};

/* ROW if there is one, DONE if not. */
FOTA_MUST_CHECK enum cloud_db_result cloud_upload_record_get(struct cloud_db *db, const char *id,
							     struct cloud_upload_record *record);
json_t *cloud_upload_json(const struct cloud_upload_record *record, uint64_t offset);

/* Removes an upload's file, on the thread for files. */
void cloud_upload_drop_later(struct cloud_app *app, const char *id);

#endif
