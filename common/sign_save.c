/* SPDX-License-Identifier: Apache-2.0 */
/* How a private key gets into a file. The cost of scrypt is 16 MiB and about a quarter of a
 * second: N = 2^14 is the most that OpenSSL reads back with its default limit of 32 MiB,
 * p = 5 makes up for it. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign_key.h"

#define SCRYPT_N 16384u
#define SCRYPT_R 8u
#define SCRYPT_P 5u

static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
	X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *sealed = how ? PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, how) : NULL;

	if (!sealed) { X509_ALGOR_free(how); }
	return sealed;
}

static bool write_pem(BIO *bio, const EVP_PKEY *pkey, const char *passphrase)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	X509_SIG *sealed = info && passphrase ? encrypt(info, passphrase) : NULL;
	bool is_done;

	if (passphrase) {
		is_done = sealed && PEM_write_bio_PKCS8(bio, sealed) == 1;
	} else {
		is_done = info && PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1;
	}
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(info); /* wipes the key in it */
	ERR_clear_error();
	return is_done;
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno == EINTR) { continue; }
		if (put <= 0) { return false; }
		text += put;
		len -= (size_t)put;
	}
	return fsync(fd) == 0;
}

static void sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) { return; }
	fsync(fd); /* a folder that cannot be synced is no reason to lose the key */
	close(fd);
}

/* Gives the temporary file its name unless there is one of this name; not every file
 * system can do it in one way. */
static bool take_name(const char *temporary, const char *path)
{
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0) { return true; }
	if (errno != EINVAL && errno != ENOSYS) { return false; }
	if (link(temporary, path)) { return false; }
	unlink(temporary);
	return true;
}

static bool write_new_file(const char *path, const char *text, size_t len)
{
	char temporary[PATH_MAX];
	struct stat st;
	int reason, fd;
	bool is_done;

	if (lstat(path, &st) == 0) {
		errno = EEXIST;
		return false;
	} /* said before the disk is touched */
	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* O_EXCL, mode 0600 */
	if (fd < 0) { return false; }
	is_done = write_all(fd, text, len) && take_name(temporary, path);
	reason = errno;
	if (!is_done) { unlink(temporary); }
	close(fd);
	if (is_done) { sync_folder_of(path); }
	errno = reason;
	return is_done;
}

int sign_key_save(const struct sign_key *key, const char *path, const char *passphrase, struct key_message *message)
{
	BIO *bio = key->is_token || !key->pkey ? NULL : BIO_new(BIO_s_secmem());
	char *text = NULL;
	long len = bio && write_pem(bio, key->pkey, passphrase) ? BIO_get_mem_data(bio, &text) : 0;
	int result = 0;

	if (len <= 0) {
		result = key_fail(message, "the key cannot be written: it is not in memory, or memory is short");
	} else if (!write_new_file(path, text, (size_t)len)) {
		result = errno == EEXIST
				 ? key_fail(message, "%s is there already and is left alone; choose another name", path)
				 : key_fail(message, "cannot write %s: %s", path, strerror(errno));
	}
	if (len > 0) { OPENSSL_cleanse(text, (size_t)len); }
	BIO_free(bio);
	return result;
}
