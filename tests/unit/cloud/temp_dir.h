/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory for one test. */
#ifndef TEMP_DIR_H
#define TEMP_DIR_H

/* cmocka's setup and teardown: *state is the path. */
int temp_dir_make(void **state);
int temp_dir_remove(void **state);

#endif
