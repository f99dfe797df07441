/* SPDX-License-Identifier: Apache-2.0 */
/* The leaves of atfota module that come after the download. */
#ifndef TOOL_CMD_INSTALL_H
#define TOOL_CMD_INSTALL_H

#include "command.h"

enum tool_status run_module_install(const struct tool_args *args, struct tool_error *err);
enum tool_status run_module_confirm(const struct tool_args *args, struct tool_error *err);
enum tool_status run_module_roll_back(const struct tool_args *args, struct tool_error *err);

#endif
