/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of the messages of the device API. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "message_kinds.h"

/* Of one input, taken as a whole message and as a payload of each kind. */
void messages_check(const struct message_kind kinds[2], const uint8_t *data, size_t len);

#endif
