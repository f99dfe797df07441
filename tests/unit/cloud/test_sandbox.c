/* SPDX-License-Identifier: Apache-2.0 */
/* Each test enters the sandbox in a child, since nobody comes out of it. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox.h"

enum { EXIT_RAN = 0, EXIT_ANOTHER_ERROR = 1, EXIT_REFUSED = 7 };

static int exit_code_of(int (*body)(void))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) { _exit(body()); }
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run_true(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno == EPERM ? EXIT_REFUSED : EXIT_ANOTHER_ERROR;
}

static int run_true_inside(void)
{
	cloud_sandbox_enter(NULL);
	return run_true();
}

static void *run_true_in_thread(void *code)
{
	*(int *)code = run_true();
	return NULL;
}

static int run_true_in_a_thread_inside(void)
{
	int code = EXIT_ANOTHER_ERROR;
	pthread_t thread;

	cloud_sandbox_enter(NULL);
	if (pthread_create(&thread, NULL, run_true_in_thread, &code)) { return EXIT_ANOTHER_ERROR; }
	pthread_join(thread, NULL);
	return code;
}

/* Without the sandbox a file system that is not there is ENOENT or, for others than root, EPERM. */
static int gain_rights_inside(void)
{
	cloud_sandbox_enter(NULL);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) { return EXIT_ANOTHER_ERROR; }
	return umount2("/nonexistent", 0) == -1 && errno == EPERM ? EXIT_REFUSED : EXIT_ANOTHER_ERROR;
}

static void a_program_starts_outside(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(run_true), EXIT_RAN);
}

static void no_program_starts_inside(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(run_true_inside), EXIT_REFUSED);
}

static void threads_that_begin_inside_are_inside(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(run_true_in_a_thread_inside), EXIT_REFUSED);
}

static void no_right_is_gained_inside(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(gain_rights_inside), EXIT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_starts_outside),
		cmocka_unit_test(no_program_starts_inside),
		cmocka_unit_test(threads_that_begin_inside_are_inside),
		cmocka_unit_test(no_right_is_gained_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
