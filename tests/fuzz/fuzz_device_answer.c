/* SPDX-License-Identifier: Apache-2.0 */
/* What a module reads from the network. Properties: messages.c. */
#include "fuzz.h"
#include "messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	messages_check(message_answers, data, len);
	return 0;
}
