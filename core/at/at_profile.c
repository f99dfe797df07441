/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: how module families start up and answer. CMEE starts at 0 in all of
 * them, though SIMCom's modules start at 2: the manual of the FOTA commands wants a
 * plain ERROR when nothing is configured. */
#include "fota/at.h"

/*      E  V  Q  X  S3  S4  S5 CMEE S0 S6 S7 S8 S10 */
#define V250_VALUES                                       \
	{                                                 \
		1, 1, 0, 4, 13, 10, 8, 0, 0, 2, 50, 2, 14 \
	}
#define SIMCOM_VALUES                                     \
	{                                                 \
		1, 1, 0, 0, 13, 10, 8, 0, 0, 2, 50, 2, 14 \
	}

/*                E  V  Q  X */
#define V250_BARE          \
	{                  \
		0, 0, 0, 0 \
	}
#define SIMCOM_BARE        \
	{                  \
		0, 1, 0, 1 \
	}

static const struct at_profile profiles[] = {
	{
		.name = "sim7600",
		.manufacturer = "SIMCOM INCORPORATED",
		.model = "SIMCOM_SIM7600E-H",
		.values = SIMCOM_VALUES,
		.bare = SIMCOM_BARE,
		.has_revision_prefix = true,
		.is_del_editing = true,
	},
	{
		.name = "a7600",
		.manufacturer = "SIMCOM INCORPORATED",
		.model = "A7600C",
		.values = SIMCOM_VALUES,
		.bare = SIMCOM_BARE,
		.has_revision_prefix = true,
		.is_del_editing = true,
		.is_success_ended_with_zero = true,
	},
	{
		.name = "strict",
		.manufacturer = "atfota",
		.model = "atfota module",
		.values = V250_VALUES,
		.bare = V250_BARE,
	},
};

const struct at_profile *at_profile_list(size_t *count)
{
	*count = sizeof(profiles) / sizeof(profiles[0]);
	return profiles;
}

const struct at_profile *at_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (strcmp(profiles[i].name, name) == 0) { return &profiles[i]; }
	}
	return NULL;
}
