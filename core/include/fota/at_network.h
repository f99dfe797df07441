/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts ask around FOTA before they trust a module: SIM, radio, registration,
 * clock, battery, and settings of the line that a byte stream does not have. For modules that
 * have no modem behind this server, such as the virtual one: there is one SIM, one
 * cell, and they never fail; but what is asked always fits what was set. spec:
 * docs/at-commands.md.
 *
 *   at_network_init(&network, &network_cfg);
 *   tables[] = { at_basic_table(), at_fota_table(..), at_network_table(&network), at_call_table() };
 *   at_network_add_port(&network, &server);                  after its at_init */
#ifndef FOTA_AT_NETWORK_H
#define FOTA_AT_NETWORK_H

#include "fota/at.h"

#ifndef AT_NETWORK_PORT_MAX
#define AT_NETWORK_PORT_MAX 32u
#endif

/* Settings of a port, all lost with its host. */
enum at_network_value {
	AT_NETWORK_CREG,
	AT_NETWORK_CGREG,
	AT_NETWORK_CEREG,
	AT_NETWORK_COPS_FORMAT,
	AT_NETWORK_CTZR,
	AT_NETWORK_CSCS,
	AT_NETWORK_IFC_TE,
	AT_NETWORK_IFC_TA,
	AT_NETWORK_VALUE_COUNT,
};

struct at_network_cfg {
	const struct at_profile *profile; /* whose formats; NULL: the default */
	const struct fota_clock *clock;   /* unix_s, for +CCLK */
	/* +CRESET, +CFUN=1,1 and +CFUN=6: the module is to restart, after the command
	 * was answered, thus not inside this call. at_network_boot belongs to it. */
	void (*restart)(void *ctx);
	void *restart_ctx;
};

struct at_network_port {
	/* private */
	struct at_server *at;
	uint32_t reset_count; /* of the server when `values` were set */
	uint32_t baud;
	uint8_t values[AT_NETWORK_VALUE_COUNT];
};

struct at_network {
	/* private */
	const struct at_network_cfg *cfg;
	const struct at_network_family *family;
	uint8_t function; /* of +CFUN */
	uint8_t time_zone_update;
	bool is_deregistered; /* +COPS=2 */
	size_t port_count;
	struct at_network_port ports[AT_NETWORK_PORT_MAX];
};

/* Keeps *cfg. The module is on and registered. OK, or CONTRACT if clock or restart
 * are missing. */
FOTA_MUST_CHECK enum fota_err at_network_init(struct at_network *network, const struct at_network_cfg *cfg);

/* A port takes part: its settings are kept, its results come. Keeps *at. OK or FULL. */
FOTA_MUST_CHECK enum fota_err at_network_add_port(struct at_network *network, struct at_server *at);

/* The port goes; unknown ones are ignored. */
void at_network_remove_port(struct at_network *network, const struct at_server *at);

/* The module has started: state as after init, settings of the ports forgotten; the
 * family's boot messages (RDY, +CPIN: READY ...) go to every port. After at_reset of the
 * ports. */
void at_network_boot(struct at_network *network);

/* +CPIN +CIMI +CICCID +CFUN +CRESET +CSQ +CREG +CGREG +CEREG +COPS +CPSI +CCLK +CTZU
 * +CTZR +CBC +CSUB +SIMCOMATI +CSCS +IFC +IPR. */
struct at_table at_network_table(struct at_network *network);

/* D H O L M P T &S S0 S6 S7 S8 S10 +FCLASS of a module that makes no calls. */
struct at_table at_call_table(void);

#endif
