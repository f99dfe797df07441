/* SPDX-License-Identifier: Apache-2.0 */
/* What a platform reads from the network before it knows who sent it. Properties: messages.c. */
#include "fuzz.h"
#include "messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	messages_check(message_requests, data, len);
	return 0;
}
