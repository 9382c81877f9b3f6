/* OpenSSL's libcrypto, opened at run time: no header and no link, so that the path is the operator's choice. */
#ifndef TENURE_PIPELINE_LIBCRYPTO_H
#define TENURE_PIPELINE_LIBCRYPTO_H

#include "memory.h"

#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16

struct libcrypto {
    void *library;
    void *context;
    const void *(*aes_256_gcm)(void);
    void *(*context_new)(void);
    void (*context_free)(void *);
    int (*context_ctrl)(void *, int, int, void *);
    int (*init)(void *, const void *, void *, const unsigned char *, const unsigned char *);
    int (*update)(void *, unsigned char *, int *, const unsigned char *, int);
    int (*final)(void *, unsigned char *, int *);
    int (*open_init)(void *, const void *, void *, const unsigned char *, const unsigned char *);
    int (*open_update)(void *, unsigned char *, int *, const unsigned char *, int);
    int (*open_final)(void *, unsigned char *, int *);
};

/* 0, or -1 with a Python error set. */
int libcrypto_open(struct libcrypto *c, const char *path);
void libcrypto_close(struct libcrypto *c);

/* Seal `size` bytes where they lie; the tag goes behind them. With a key its schedule is made, in libcrypto's ordinary
   heap, and overwritten by libcrypto_forget; without one it is the one that was given last. */
int libcrypto_seal(struct libcrypto *c, const unsigned char *key, const unsigned char *nonce, const struct bytes *bound,
                   unsigned char *data, size_t size);
int libcrypto_forget(struct libcrypto *c);

/* The same key schedule, to open what was sealed. */
int libcrypto_use_to_open(struct libcrypto *c, const unsigned char *key);
/* Open a sealed record into `out`; 1 if its tag does not fit, in which case nothing in `out` may be looked at. */
int libcrypto_unseal(struct libcrypto *c, const unsigned char *nonce, const struct bytes *bound, struct word sealed,
                     unsigned char *out);

#endif
