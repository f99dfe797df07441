/* SPDX-License-Identifier: Apache-2.0 */
/* In place of uboot_env.c where the build has no libubootenv. */
#include "uboot_env.h"

enum fota_err uboot_env_init(struct uboot_env *env, const char *config, const char *cmdline)
{
	*env = (struct uboot_env) { .config = config, .cmdline = cmdline };
	return FOTA_ERR_UNSUPPORTED;
}

int uboot_env_running(const struct uboot_env *env)
{
	(void)env;
	return -1;
}

enum fota_err uboot_env_next(const struct uboot_env *env, unsigned *slot)
{
	(void)env;
	(void)slot;
	return FOTA_ERR_NONE;
}
