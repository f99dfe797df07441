/* SPDX-License-Identifier: Apache-2.0 */
/* A list of what is refused, and not of what is allowed: that would have to follow every new
 * version of the C library, of SQLite and of GnuTLS, and a call that is missing from it shows
 * at a customer's. The list takes from somebody who broke into the program what it
 * never needs itself. The units in packaging/ go further, since a service manager's list is
 * kept up to date with the C library of its system. */
#include "sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>

static const int refused[] = {
	/* other programs */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	/* other users and rights */
	SCMP_SYS(capset),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid),
	/* another view of the system */
	SCMP_SYS(chroot),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	/* the kernel, and doors into it that this program has no use for */
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(personality),
};

/* 0 or a negative errno. */
static int load(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);

		if (status < 0) { return status; }
	}
	return seccomp_load(filter);
}

void cloud_sandbox_enter(const struct log *log)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW); /* with it comes "no new privileges" */
	int status = filter ? load(filter) : -ENOMEM;

	if (filter) { seccomp_release(filter); }
	if (status < 0) {
		log_line(log, LOG_LEVEL_WARN, "main",
			 "the kernel filters no system calls (%s): rights stay as they are", strerror(-status));
	}
}
