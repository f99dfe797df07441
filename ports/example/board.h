/* SPDX-License-Identifier: Apache-2.0 */
/* What a porter writes for main.c and boot_loader.c: six ports and a few functions of the board. */
#ifndef BOARD_H
#define BOARD_H

#include "fota/port.h"
#include "fota/suit.h"

extern const struct fota_http board_http;
extern const struct fota_flash board_slots[2], board_journal;
extern const struct fota_clock board_clock;
extern const struct fota_random board_random;
extern const struct fota_crypto board_crypto;

/* Lets the HTTP client work without waiting; its events go to `event`. */
void board_http_poll(enum fota_err (*event)(void *ctx, const struct fota_http_event *event, size_t *taken), void *ctx);
/* True once for each flash operation that answered PENDING and has ended. */
bool board_flash_poll(enum fota_err *result);

/* Waits for that; for the boot loader. */
enum fota_err board_flash_wait(void *ctx);

/* The serial line to the host; neither waits. */
size_t board_uart_read(uint8_t *bytes, size_t cap);
void board_uart_write(const uint8_t *bytes, size_t len);

/* The slot whose image runs: where the code was linked to, or what the boot loader left in RAM. */
unsigned board_running_slot(void);
_Noreturn void board_jump(unsigned slot);
void board_restart(void);

const char *board_imei(void);
const char *board_firmware_version(void);
/* Public keys that sign packages, written by the factory. */
extern const struct fota_trusted_key board_keys[];
extern const size_t board_key_count;

/* Sleeps until an interrupt, at most so long. UINT32_MAX: until an interrupt. */
void board_sleep(uint32_t ms);
bool board_is_going_down(void);
void board_power_off(void);
_Noreturn void board_panic(const char *text);

#endif
