/* SPDX-License-Identifier: Apache-2.0 */
/* A package on its way to the platform: streamed from the file in constant memory, and
 * gone on with after a broken connection, from the byte that the platform has. */
#ifndef TOOL_UPLOAD_H
#define TOOL_UPLOAD_H

#include "api.h"
#include "image.h"
#include "progress.h"

struct upload {
	/* private but for size and digest */
	int fd;
	uint64_t size;
	char digest[IMAGE_DIGEST_TEXT_BYTES]; /* SHA-256, in hex */
	struct api *api;
	const char *version_id;
	char id[128];
	uint64_t offset;
	unsigned failures; /* in a row, without a byte gained */
	FILE *out;
	struct tool_progress progress;
};

/* Opens the file and reads it once for its digest. Progress and messages about retries go
 * to `out`. Close it in each case. */
enum tool_status upload_open(struct upload *upload, const char *file, FILE *out, struct tool_error *err);

/* Uploads it as the package of a version, which is a draft. The caller owns *version. Gives
 * up after ten tries in a row that gained nothing, with growing waits between them. */
enum tool_status upload_run(struct upload *upload, struct api *api, const char *version_id, json_t **version,
			    struct tool_error *err);

void upload_close(struct upload *upload);

#endif
