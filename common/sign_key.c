/* SPDX-License-Identifier: Apache-2.0 */
/* Each signature is verified before it is handed out: a fault of a token or of the memory
 * shall not become a package that every module refuses. */
#include "sign_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "public_key.h"
#include "sign_ask.h"

#define FILE_MAX_BYTES 16384u
#define HALF_BYTES     (FOTA_SUIT_SIGNATURE_BYTES / 2)

/* Takes `pkey` over, also if it is of no use. */
static int keep(struct sign_key *key, EVP_PKEY *pkey, const char *ref, struct key_message *message)
{
	key->pkey = pkey;
	if (public_key_take(pkey, &key->public_key)) { return 0; }
	sign_key_close(key);
	return key_fail(message, "%s: not an ECDSA P-256 key; 'atfota key create' makes one", ref);
}

int sign_key_generate(struct sign_key *key, struct key_message *message)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");

	*key = (struct sign_key) { .pkey = NULL };
	if (!pkey) { return key_fail(message, "no key could be made: OpenSSL has no P-256 or no randomness"); }
	return keep(key, pkey, "the new key", message);
}

/* ---- files ---- */

struct key_file {
	char text[FILE_MAX_BYTES];
	size_t len;
	mode_t mode;
};

static int read_key_file(struct key_file *file, const char *path, struct key_message *message)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = 1;
	int reason;

	file->len = 0;
	if (fd < 0 || fstat(fd, &st)) { got = -1; }
	while (got > 0 && file->len < sizeof file->text) {
		got = read(fd, file->text + file->len, sizeof file->text - file->len);
		if (got > 0) { file->len += (size_t)got; }
	}
	reason = errno;
	if (fd >= 0) { close(fd); }
	if (got < 0) { return key_fail(message, "%s: cannot be read: %s", path, strerror(reason)); }
	if (file->len == sizeof file->text) { return key_fail(message, "%s: too large for a key", path); }
	file->mode = st.st_mode;
	return 0;
}

static bool has_block(const struct key_file *file, const char *label)
{
	return memmem(file->text, file->len, label, strlen(label)) != NULL;
}

static int explain_unreadable(const struct key_file *file, const struct sign_ask *ask, struct key_message *message)
{
	if (ask->has_failed) { return -1; }
	if (ask->was_asked) {
		return key_fail(message, "%s: the passphrase does not fit, or the file is damaged", ask->ref);
	}
	if (has_block(file, "PRIVATE KEY-----")) {
		return key_fail(message, "%s: the private key in it is damaged or cut off; use your copy of it",
				ask->ref);
	}
	if (has_block(file, "PUBLIC KEY-----")) {
		return key_fail(message, "%s: only a public key; signing needs the private one", ask->ref);
	}
	return key_fail(message, "%s: no private key in PEM; 'atfota key create' makes one", ask->ref);
}

static int take_file(struct sign_key *key, const struct key_file *file, struct sign_ask *ask,
		     struct key_message *message)
{
	BIO *bio = BIO_new_mem_buf(file->text, (int)file->len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, sign_ask, ask) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!pkey) { return explain_unreadable(file, ask, message); }
	key->has_passphrase = ask->was_asked;
	if (!ask->was_asked && S_ISREG(file->mode) && (file->mode & 077)) {
		EVP_PKEY_free(pkey);
		return key_fail(message,
				"%s: a private key without passphrase that others may read; 'chmod 600' it first",
				ask->ref);
	}
	return keep(key, pkey, ask->ref, message);
}

static int open_file(struct sign_key *key, const char *path, const struct sign_secret *secret,
		     struct key_message *message)
{
	struct sign_ask ask = { .secret = secret, .kind = "passphrase", .ref = path, .message = message };
	struct key_file file;
	int result = read_key_file(&file, path, message);

	if (!result) { result = take_file(key, &file, &ask, message); }
	OPENSSL_cleanse(file.text, sizeof file.text);
	return result;
}

static int open_public_file(struct sign_key *key, const char *path, const struct sign_secret *secret,
			    struct key_message *message)
{
	struct key_file file;
	BIO *bio;
	EVP_PKEY *pkey = NULL;

	if (read_key_file(&file, path, message)) { return -1; }
	if (!has_block(&file, "PRIVATE KEY-----")) {
		bio = BIO_new_mem_buf(file.text, (int)file.len);
		pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
		BIO_free(bio);
		ERR_clear_error();
	}
	OPENSSL_cleanse(file.text, sizeof file.text);
	if (!pkey) { return open_file(key, path, secret, message); }
	if (keep(key, pkey, path, message)) { return -1; }
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
	return 0;
}

/* ---- tokens ---- */

static int open_token(struct sign_key *key, const char *ref, bool is_public, const struct sign_secret *secret,
		      struct key_message *message)
{
	struct sign_uri uri;
	EVP_PKEY *pkey;

	if (sign_token_uri(ref, &uri, message)) { return -1; }
	uri.is_public = is_public;
	pkey = sign_token_open(&key->token, &uri, secret, message);
	if (!pkey) {
		sign_token_close(&key->token);
		return -1;
	}
	key->is_token = true;
	return keep(key, pkey, uri.uri, message);
}

int sign_key_open(struct sign_key *key, const char *ref, const struct sign_secret *secret, struct key_message *message)
{
	*key = (struct sign_key) { .pkey = NULL };
	if (sign_token_is_uri(ref)) { return open_token(key, ref, false, secret, message); }
	return open_file(key, ref, secret, message);
}

int sign_key_open_public(struct sign_key *key, const char *ref, const struct sign_secret *secret,
			 struct key_message *message)
{
	*key = (struct sign_key) { .pkey = NULL };
	if (!sign_token_is_uri(ref)) { return open_public_file(key, ref, secret, message); }
	if (open_token(key, ref, true, secret, message)) { return -1; }
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
	return 0;
}

void sign_key_close(struct sign_key *key)
{
	EVP_PKEY_free(key->pkey); /* wipes what is secret in it */
	sign_token_close(&key->token);
	*key = (struct sign_key) { .pkey = NULL };
}

/* ---- signatures ---- */

static bool unpack_signature(const unsigned char *der, size_t len, uint8_t signature[FOTA_SUIT_SIGNATURE_BYTES])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool is_done = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, HALF_BYTES) == (int)HALF_BYTES &&
		       BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + HALF_BYTES, HALF_BYTES) == (int)HALF_BYTES;

	ECDSA_SIG_free(sig);
	return is_done;
}

static bool is_verified(const struct sign_key *key, const uint8_t *hash, const unsigned char *der, size_t len)
{
	EVP_PKEY *pkey = public_key_make(&key->public_key);
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	bool is_right = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
			EVP_PKEY_verify(ctx, der, len, hash, FOTA_SUIT_DIGEST_BYTES) == 1;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return is_right;
}

int sign_key_sign(const struct sign_key *key, const uint8_t hash[FOTA_SUIT_DIGEST_BYTES],
		  uint8_t signature[FOTA_SUIT_SIGNATURE_BYTES], struct key_message *message)
{
	unsigned char der[128]; /* at most 72 are used */
	size_t len = sizeof der;
	EVP_PKEY_CTX *ctx = key->pkey ? EVP_PKEY_CTX_new_from_pkey(key->token.lib, key->pkey, NULL) : NULL;
	bool is_signed =
		ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &len, hash, FOTA_SUIT_DIGEST_BYTES) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	if (!key->pkey) { return key_fail(message, "only the public key is there; signing needs the private one"); }
	if (!is_signed) {
		return key_fail(message, key->is_token ? "the token does not sign; is it still there?"
						       : "OpenSSL does not sign with this key");
	}
	if (!unpack_signature(der, len, signature) || !is_verified(key, hash, der, len)) {
		return key_fail(message,
				"the key gave a signature that does not verify; the token or the file is faulty");
	}
	return 0;
}
