#include "event.h"

#include <math.h>

#include "names.h"

static int same_ignoring_case(struct word w, const char *upper)
{
    size_t length = strlen(upper);
    if (w.length != length)
        return 0;
    for (size_t i = 0; i < length; i++) {
        char c = w.text[i];
        if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != upper[i])
            return 0;
    }
    return 1;
}

/* 1 to 15 digits; 0 if it is anything else. */
static int milliseconds(const char *text, size_t length, uint64_t *number)
{
    *number = 0;
    if (length < 1 || length > 15)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return 1;
}

/* One of the two numbers of an id: 1 to 20 digits, at most 2^64 - 1; 0 if it is anything else. */
static int half(const char *text, size_t length, uint64_t *number)
{
    *number = 0;
    if (length < 1 || length > 20)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(*number, (uint64_t)10, number)
            || __builtin_add_overflow(*number, (uint64_t)(text[i] - '0'), number))
            return 0;
    return 1;
}

static int read_id(struct word w, struct id *id)
{
    memset(id, 0, sizeof *id);
    if (w.length == 1 && w.text[0] == '*')
        return TAKEN;
    const char *dash = memchr(w.text, '-', w.length);
    size_t before = dash ? (size_t)(dash - w.text) : w.length;
    if (!half(w.text, before, &id->ms))
        return BAD_ID;
    id->has_ms = id->has_seq = 1;
    if (dash == NULL)
        return TAKEN;
    size_t behind = w.length - before - 1;
    if (behind == 1 && dash[1] == '*')
        id->has_seq = 0;
    else if (!half(dash + 1, behind, &id->seq))
        return BAD_ID;
    return TAKEN;
}

/* The bound of an option that trims, an id or a count; one that is missing is found later. */
static int bound_read(const struct word *words, size_t count, size_t at, int is_id)
{
    struct id id;

    if (at >= count)
        return TAKEN;
    if (is_id)
        return read_id(words[at], &id) != TAKEN || !id.has_seq ? BAD_ID : TAKEN;
    if (words[at].length < 1 || words[at].length > 19)
        return BAD_COUNT;
    for (size_t i = 0; i < words[at].length; i++)
        if (words[at].text[i] < '0' || words[at].text[i] > '9')
            return BAD_COUNT;
    return TAKEN;
}

/* `*at` is where the id stands, after the options Redis knows; a refusal, or TAKEN. */
static int after_options(struct event *e, const struct word *words, size_t count, size_t *at)
{
    int trims = 0, about = 0, refusal = TAKEN;

    e->begins = 1;
    for (*at = 2; *at < count && refusal == TAKEN;) {
        int is_id = same_ignoring_case(words[*at], "MINID");
        if (same_ignoring_case(words[*at], "NOMKSTREAM")) {
            e->begins = 0;
            *at += 1;
        } else if (is_id || same_ignoring_case(words[*at], "MAXLEN")) {
            char mark = *at + 1 < count && words[*at + 1].length == 1 ? words[*at + 1].text[0] : 0;
            about = mark == '~';
            *at += mark == '~' || mark == '=' ? 2 : 1;
            refusal = trims ? BAD_SYNTAX : bound_read(words, count, *at, is_id);
            trims = 1;
            *at += 1;
        } else if (same_ignoring_case(words[*at], "LIMIT")) {
            refusal = about ? bound_read(words, count, *at + 1, 0) : BAD_SYNTAX;
            *at += 2;
        } else {
            break;
        }
    }
    return refusal;
}

/* How a decimal number is written: its digits without the point, where the point stands, and its exponent. */
struct decimal {
    int negative, digits, fraction, exponent;
    uint64_t whole;
};

/* Whether the text is `[+-] (digits [. digits?] | . digits) [e [+-] 1 to 4 digits]`. */
static int decimal_read(struct word w, struct decimal *d)
{
    const char *p = w.text, *end = p + w.length;
    int seen = 0, point = 0;

    memset(d, 0, sizeof *d);
    if (p < end && (*p == '+' || *p == '-'))
        d->negative = *p++ == '-';
    for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = 1;
            continue;
        }
        seen++;
        d->fraction += point;
        d->digits += d->digits > 0 || *p != '0';
        if (d->digits <= 18)
            d->whole = d->whole * 10 + (uint64_t)(*p - '0');
    }
    if (!seen)
        return 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        int negative = 0, digits = 0;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            negative = *p++ == '-';
        for (; p < end && *p >= '0' && *p <= '9' && digits < 4; p++, digits++)
            d->exponent = d->exponent * 10 + (*p - '0');
        if (!digits)
            return 0;
        d->exponent = negative ? -d->exponent : d->exponent;
    }
    return p == end;
}

/* A finite decimal number of at most 40 characters. Up to 15 digits and 10^22 both factors are exact doubles, so one
   multiplication or division rounds as well as the slow way does. */
static int read_number(struct word w, double *number)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d;

    if (w.length > 40 || !decimal_read(w, &d))
        return 0;
    int scale = d.exponent - d.fraction;
    if (d.digits <= 15 && scale >= -22 && scale <= 22) {
        double whole = (double)d.whole;
        whole = scale < 0 ? whole / tens[-scale] : whole * tens[scale];
        *number = d.negative ? -whole : whole;
        return 1;
    }
    char text[41];
    memcpy(text, w.text, w.length);
    text[w.length] = 0;
    *number = PyOS_string_to_double(text, NULL, NULL);
    if (*number == -1.0 && PyErr_Occurred())
        PyErr_Clear();
    return *number - *number == 0.0;
}

static const struct meant *meaning_of(const struct plan *plan, struct word name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (word_is(plan->meant[i].name, name))
            return &plan->meant[i];
    return NULL;
}

/* Whether the event has that already. */
static int given(const struct event *e, const struct meant *meant)
{
    if (meant->meaning == IS_TENANT)
        return e->tenant.text != NULL;
    return meant->meaning == IS_TIME ? e->has_time : !isnan(e->values[meant->place]);
}

/* One field; a refusal, or TAKEN. */
static int read_field(struct event *e, struct word name, struct word value, const struct plan *plan)
{
    const struct meant *meant = meaning_of(plan, name);
    size_t packed = 8 + name.length + value.length;

    if (meant == NULL) {
        e->rest += packed;
    } else if (meant->meaning == IS_SECRET) {
        e->secret += packed;
    } else if (given(e, meant)) {
        return GIVEN_TWICE;
    } else if (meant->meaning == IS_TENANT) {
        e->tenant = value;
    } else if (meant->meaning == IS_TIME) {
        uint64_t time;
        if (!milliseconds(value.text, value.length, &time) || time > (uint64_t)LATEST)
            return BAD_TIME;
        e->time = (int64_t)time;
        e->has_time = 1;
    } else if (!read_number(value, &e->values[meant->place])) {
        return REFUSALS + meant->place;
    }
    if (word_is(name, plan->counted))
        e->mark = hash_of(value.text, value.length);
    return TAKEN;
}

/* Whether the text is UTF-8 as Python has it: no surrogates, nothing longer than it needs to be. */
static int is_utf8(struct word w)
{
    const unsigned char *p = (const unsigned char *)w.text, *end = p + w.length;

    while (p < end) {
        unsigned char first = *p++;
        if (first < 0x80)
            continue;
        int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || end - p < more)
            return 0;
        unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (*p < low || *p > high)
            return 0;
        for (p++; --more > 0; p++)
            if ((*p & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

int event_read(struct event *e, const struct word *words, size_t count, const struct plan *plan)
{
    size_t at;

    memset(e, 0, sizeof *e);
    for (int i = 0; i < plan->values; i++)
        e->values[i] = __builtin_nan("");
    int refusal = after_options(e, words, count, &at);
    if (refusal != TAKEN)
        return refusal;
    if (at + 1 >= count || (count - at) % 2 == 0)
        return WRONG_COUNT;
    refusal = read_id(words[at], &e->id);
    if (refusal != TAKEN)
        return refusal;
    e->stream = words[1];
    e->fields = words + at + 1;
    e->count = count - at - 1;
    if (e->stream.length > MAX_NAME)
        return LONG_STREAM;
    if (!is_utf8(e->stream))
        return BAD_STREAM;
    for (size_t i = 0; i < e->count; i += 2) {
        refusal = read_field(e, e->fields[i], e->fields[i + 1], plan);
        if (refusal != TAKEN)
            return refusal;
    }
    if (e->tenant.text == NULL)
        return NO_TENANT;
    if (e->tenant.length > MAX_NAME)
        return LONG_TENANT;
    return is_utf8(e->tenant) ? TAKEN : BAD_TENANT;
}

static void pack_word(struct word w, struct bytes *into)
{
    unsigned char length[4] = {(unsigned char)w.length, (unsigned char)(w.length >> 8), (unsigned char)(w.length >> 16),
                               (unsigned char)(w.length >> 24)};
    bytes_put(into, length, sizeof length);
    bytes_put(into, w.text, w.length);
}

void event_pack(const struct event *e, const struct plan *plan, int secret, struct bytes *into)
{
    for (size_t i = 0; i < e->count; i += 2) {
        const struct meant *meant = meaning_of(plan, e->fields[i]);
        if (secret ? meant != NULL && meant->meaning == IS_SECRET : meant == NULL) {
            pack_word(e->fields[i], into);
            pack_word(e->fields[i + 1], into);
        }
    }
}

int id_after(const struct id *id, uint64_t *ms, uint64_t *seq, uint64_t now)
{
    uint64_t last_ms = *ms, last_seq = *seq;

    if (!id->has_ms) {
        int next = now <= last_ms && last_seq == UINT64_MAX;
        if (next && last_ms == UINT64_MAX)
            return NO_MORE_IDS;
        *ms = now > last_ms ? now : last_ms + (uint64_t)next;
        *seq = now > last_ms || next ? 0 : last_seq + 1;
        return TAKEN;
    }
    *ms = id->ms;
    *seq = id->has_seq ? id->seq : (id->ms != last_ms ? 0 : last_seq == UINT64_MAX ? last_seq : last_seq + 1);
    if (*ms == 0 && *seq == 0)
        return ZERO_ID;
    return *ms < last_ms || (*ms == last_ms && *seq <= last_seq) ? SMALL_ID : TAKEN;
}
