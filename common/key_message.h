/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong with a key, with the next step in it; never a part of a secret. */
#ifndef ATFOTA_KEY_MESSAGE_H
#define ATFOTA_KEY_MESSAGE_H

struct key_message {
	char text[512];
};

/* Fills *message (which may be NULL) and gives -1, so that a failure is one statement. */
int key_fail(struct key_message *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
