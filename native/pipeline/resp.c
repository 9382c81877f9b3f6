#include "resp.h"

#include <stdio.h>

#define LINE 32
#define PROBLEM 64
#define INLINE 6

static enum verdict broken(char *problem, const char *why)
{
    snprintf(problem, PROBLEM, "%s", why);
    return RESP_BROKEN;
}

static const char *line_end(const char *from, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++)
        if (from[i] == '\r' && from[i + 1] == '\n')
            return from + i;
    return NULL;
}

/* The number in a line's digits: an optional sign and 1 to 19 characters in all; -1 with *bad set if it is none. */
static long long number_in(const char *digits, size_t length, int *bad)
{
    size_t i = length > 0 && digits[0] == '-';
    long long number = 0;

    *bad = i == length || length > 19;
    for (; !*bad && i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            *bad = 1;
        else
            number = number * 10 + (digits[i] - '0');
    }
    return length > 0 && digits[0] == '-' ? -number : number;
}

/* A line `<mark><number>\r\n` at `*at`. */
static enum verdict counted(const char *buffer, size_t length, size_t *at, char mark, const char *invalid,
                            long long *number, size_t *needed, char *problem)
{
    if (*at >= length) {
        *needed = *at + 4;
        return RESP_CUT;
    }
    unsigned char first = (unsigned char)buffer[*at];
    if (first != (unsigned char)mark) {
        if (first >= 0x20 && first < 0x7f)
            snprintf(problem, PROBLEM, "expected '%c', got '%c'", mark, first);
        else
            snprintf(problem, PROBLEM, "expected '%c', got '\\x%02x'", mark, first);
        return RESP_BROKEN;
    }
    size_t left = length - *at;
    const char *end = line_end(buffer + *at, left < LINE ? left : LINE);
    if (end == NULL) {
        if (left >= LINE)
            return broken(problem, invalid);
        *needed = length + 1;
        return RESP_CUT;
    }
    int bad;
    *number = number_in(buffer + *at + 1, (size_t)(end - buffer) - *at - 1, &bad);
    if (bad)
        return broken(problem, invalid);
    *at = (size_t)(end - buffer) + 2;
    return RESP_WHOLE;
}

/* The line PING, the one request that may be said without counting: 1 if it is there, -1 if its beginning is, or 0. */
static int inline_ping(const char *from, size_t length)
{
    static const char line[] = "PING\r\n";

    for (size_t i = 0; i < INLINE; i++) {
        if (i == length)
            return i > 0 ? -1 : 0;
        if ((from[i] >= 'a' && from[i] <= 'z' ? from[i] - 'a' + 'A' : from[i]) != line[i])
            return 0;
    }
    return 1;
}

static int make_room(struct request *request, size_t count)
{
    if (count <= request->room)
        return 0;
    struct word *words = PyMem_Realloc(request->words, count * sizeof *words);
    if (words == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    request->words = words;
    request->room = count;
    return 0;
}

enum verdict resp_next(struct request *request, const char *buffer, size_t length, size_t *start,
                       const struct limits *limits, size_t *needed, char *problem)
{
    size_t at = *start, room = limits->request;
    long long count, size;

    request->count = 0;
    if (at < length && buffer[at] == '\r' && (at + 1 == length || buffer[at + 1] == '\n')) {
        *(at + 1 == length ? needed : start) = at + 2;
        return at + 1 == length ? RESP_CUT : RESP_WHOLE;
    }
    int line = inline_ping(buffer + at, length - at);
    if (line > 0) {
        if (make_room(request, 1) < 0)
            return RESP_FAILED;
        request->words[request->count++] = (struct word){buffer + at, 4};
    }
    if (line != 0) {
        *(line > 0 ? start : needed) = at + INLINE;
        return line > 0 ? RESP_WHOLE : RESP_CUT;
    }
    enum verdict verdict = counted(buffer, length, &at, '*', "invalid multibulk length", &count, needed, problem);

    if (verdict != RESP_WHOLE)
        return verdict;
    if (count > (long long)limits->args)
        return broken(problem, limits->strangers ? "unauthenticated multibulk length" : "invalid multibulk length");
    if (count > 0 && make_room(request, (size_t)count) < 0)
        return RESP_FAILED;
    for (long long i = 0; i < count; i++) {
        verdict = counted(buffer, length, &at, '$', "invalid bulk length", &size, needed, problem);
        if (verdict != RESP_WHOLE)
            return verdict;
        if (size < 0 || size > (long long)limits->bulk)
            return broken(problem, limits->strangers ? "unauthenticated bulk length" : "invalid bulk length");
        if ((size_t)size > room)
            return broken(problem, "too big a request");
        room -= (size_t)size;
        size_t end = at + (size_t)size;
        if ((length > end && buffer[end] != '\r') || (length > end + 1 && buffer[end + 1] != '\n'))
            return broken(problem, "expected a line end after a bulk string");
        if (length < end + 2) {
            *needed = end + 2;
            return RESP_CUT;
        }
        request->words[request->count++] = (struct word){buffer + at, (size_t)size};
        at = end + 2;
    }
    *start = at;
    return RESP_WHOLE;
}
