#include "libcrypto.h"

#include <dlfcn.h>

#define GET_TAG 0x10
#define SET_TAG 0x11

static int refused(void)
{
    PyErr_SetString(PyExc_RuntimeError, "AES-256-GCM was refused by libcrypto");
    return -1;
}

static int find(struct libcrypto *c, const char *path, const char *name, void *into)
{
    void *found = dlsym(c->library, name);
    if (found == NULL) {
        PyErr_Format(PyExc_ImportError, "%s has no %s: it is not a libcrypto of OpenSSL 3", path, name);
        return -1;
    }
    memcpy(into, &found, sizeof found);
    return 0;
}

int libcrypto_open(struct libcrypto *c, const char *path)
{
    c->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (c->library == NULL) {
        PyErr_Format(PyExc_ImportError, "libcrypto cannot be loaded: %s", dlerror());
        return -1;
    }
    if (find(c, path, "EVP_aes_256_gcm", &c->aes_256_gcm) < 0 || find(c, path, "EVP_CIPHER_CTX_new", &c->context_new) < 0
        || find(c, path, "EVP_CIPHER_CTX_free", &c->context_free) < 0
        || find(c, path, "EVP_CIPHER_CTX_ctrl", &c->context_ctrl) < 0
        || find(c, path, "EVP_EncryptInit_ex", &c->init) < 0 || find(c, path, "EVP_EncryptUpdate", &c->update) < 0
        || find(c, path, "EVP_EncryptFinal_ex", &c->final) < 0
        || find(c, path, "EVP_DecryptInit_ex", &c->open_init) < 0
        || find(c, path, "EVP_DecryptUpdate", &c->open_update) < 0
        || find(c, path, "EVP_DecryptFinal_ex", &c->open_final) < 0)
        return -1;
    c->context = c->context_new();
    if (c->context == NULL || !c->init(c->context, c->aes_256_gcm(), NULL, NULL, NULL))
        return refused();
    return 0;
}

void libcrypto_close(struct libcrypto *c)
{
    if (c->context != NULL)
        c->context_free(c->context);
    if (c->library != NULL)
        dlclose(c->library);
    memset(c, 0, sizeof *c);
}

int libcrypto_forget(struct libcrypto *c)
{
    static const unsigned char nothing[KEY_SIZE];
    return c->init(c->context, NULL, NULL, nothing, NULL) ? 0 : refused();
}

int libcrypto_seal(struct libcrypto *c, const unsigned char *key, const unsigned char *nonce, const struct bytes *bound,
                   unsigned char *data, size_t size)
{
    int written;

    if (!c->init(c->context, NULL, NULL, key, nonce)
        || !c->update(c->context, NULL, &written, (const unsigned char *)bound->data, (int)bound->length)
        || (size > 0 && !c->update(c->context, data, &written, data, (int)size))
        || !c->final(c->context, data + size, &written)
        || !c->context_ctrl(c->context, GET_TAG, TAG_SIZE, data + size))
        return refused();
    return 0;
}

int libcrypto_use_to_open(struct libcrypto *c, const unsigned char *key)
{
    return c->open_init(c->context, NULL, NULL, key, NULL) ? 0 : refused();
}

int libcrypto_unseal(struct libcrypto *c, const unsigned char *nonce, const struct bytes *bound, struct word sealed,
                     unsigned char *out)
{
    const unsigned char *from = (const unsigned char *)sealed.text;
    size_t size = sealed.length - TAG_SIZE;
    unsigned char tag[TAG_SIZE];
    int written;

    memcpy(tag, from + size, TAG_SIZE);
    if (!c->open_init(c->context, NULL, NULL, NULL, nonce)
        || !c->open_update(c->context, NULL, &written, (const unsigned char *)bound->data, (int)bound->length)
        || (size > 0 && !c->open_update(c->context, out, &written, from, (int)size))
        || !c->context_ctrl(c->context, SET_TAG, TAG_SIZE, tag))
        return refused();
    return c->open_final(c->context, out + size, &written) ? 0 : 1;
}
