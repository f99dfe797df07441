/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of manifests share: a key that signs, and a notation for CBOR.
 *
 * The notation is hexadecimal digits; blanks do not count. <...> is a byte string around
 * what is inside, with its head; "..." are characters as they are. So `82 03 0f` is the
 * list [3, 15], and `07<82 03 0f>` a key and that list in a byte string. */
#ifndef SUIT_RIG_H
#define SUIT_RIG_H

#include <openssl/evp.h>

#include "fota/suit.h"
#include "posix_crypto.h"

#define RIG_ROOM 4096u

struct rig {
	struct posix_crypto posix;
	struct fota_crypto crypto;
	struct fota_trusted_key key;
	EVP_PKEY *pkey;
	struct fota_suit_device device; /* ACME, M1, slot 1 */
	uint8_t room[RIG_ROOM];         /* of the last envelope */
};

void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/* Another key that signs. */
EVP_PKEY *rig_new_key(const struct fota_crypto *crypto, struct fota_trusted_key *key);
/* ECDSA over a hash, as r || s. */
void rig_sign(EVP_PKEY *pkey, const uint8_t hash[32], uint8_t signature[64]);

struct fota_bytes rig_notation(const char *text, struct fota_room room);

/* Signs a manifest with the rig's key; the envelope is in rig->room. */
struct fota_bytes rig_seal(struct rig *rig, struct fota_bytes manifest);
/* The same for a manifest in the notation. */
struct fota_bytes rig_envelope(struct rig *rig, const char *manifest);
/* The same with `count` more members of the envelope. */
struct fota_bytes rig_envelope_with(struct rig *rig, const char *manifest, unsigned count, const char *members);
/* SHA-256 of what the notation says, in hexadecimal digits. */
void rig_digest(struct rig *rig, const char *text, char digits[65]);
/* fota_suit_build for ACME, M1, V2.0: an image of 34768 bytes. */
struct fota_bytes rig_built(struct rig *rig, uint64_t sequence_number, struct fota_room room);

/* Pieces of manifests in the notation. */
#define D0        "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"
#define D1        "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff"
#define DIGEST0   "<822f<" D0 ">>"
#define DIGEST1   "<822f<" D1 ">>"
#define VENDOR    "<c33568f55e385d2dbef13de28af5a900>" /* ACME */
#define CLASS     "<136604c70c7654fc9700e34f437bf981>" /* M1 */
#define NOBODY    "<00000000000000000000000000000000>"
#define IDS       "14a401" VENDOR "02" CLASS "03" DIGEST0 "0e1987d0 010f 020f"
#define HEAD      "0101 0207"                   /* version 1, sequence number 7 */
#define SHARED(x) "03<a2 0281814100 04<" x ">>" /* common with a shared sequence */
#define COMMON    SHARED("86" IDS)
#define VALIDATE  "07<82 030f>"
#define INSTALL   "14<84 1502 030f>"
#define TEXT      "17<a162\"en\"a1814100a301 64\"ACME\" 02 62\"M1\" 06 64\"V2.0\">"
#define PLAIN     "a6" HEAD COMMON VALIDATE INSTALL TEXT

#endif
