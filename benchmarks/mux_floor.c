/* The floor: how fast can anybody run a command through an ssh master?
 *
 * A client of OpenSSH's multiplexing protocol (PROTOCOL.mux) with nothing in it that is not needed: no checks a
 * library must make, no memory per command, no signals. What it measures is the master, the server and the
 * server's fork and exec; what another client needs on top of it is that client's own cost.
 *
 *     mux_floor passenger|proxy CONTROL_PATH COUNT WIDTH COMMAND
 *
 * runs COMMAND COUNT times, WIDTH of them at a time, captures stdout and stderr (read and thrown away) and prints
 *
 *     command NANOSECONDS        one line for each command
 *     total NANOSECONDS BYTES    all of them together, and the output received
 *
 * passenger: one connection to the master per command, descriptors handed over (PROTOCOL.mux section 2)
 * proxy:     one connection for all, RFC 4254 channel messages on it (PROTOCOL.mux section 9)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* PROTOCOL.mux section 11 (they do not all fit an enum, which is an int) */
#define HELLO 0x00000001u
#define NEW_SESSION 0x10000002u
#define PROXY 0x1000000fu
#define FAILURE 0x80000003u
#define EXIT_MESSAGE 0x80000004u
#define SESSION_OPENED 0x80000006u
#define PROXY_OK 0x8000000fu
#define MUX_VERSION 4

enum { /* RFC 4254 section 9 */
    OPEN = 90, OPEN_CONFIRMATION = 91, OPEN_FAILURE = 92, WINDOW_ADJUST = 93, DATA = 94, EXTENDED_DATA = 95,
    CHANNEL_EOF = 96, CLOSE = 97, REQUEST = 98, SUCCESS = 99, REQUEST_FAILURE = 100
};
enum { WINDOW = 2 << 20, MAX_PACKET = 32768, MAX_WIDTH = 256, LONGEST = 256 * 1024 };

static const char *control_path, *command;
static long count, width;
static int64_t *cost;      /* nanoseconds of each command */
static int64_t received;   /* bytes of output */
static long next_command;  /* the first one not yet started */

/* The system refused something. */
static _Noreturn void die(const char *what)
{
    fprintf(stderr, "mux_floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The master or the server said something that is not for us. */
static _Noreturn void wrong(const char *what)
{
    fprintf(stderr, "mux_floor: %s\n", what);
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

struct packet { unsigned char bytes[LONGEST]; size_t size; size_t start; };

static void u8(struct packet *p, unsigned v) { p->bytes[p->size++] = (unsigned char)v; }

static void put_u32(unsigned char *at, uint32_t v)
{
    at[0] = v >> 24; at[1] = v >> 16; at[2] = v >> 8; at[3] = v;
}

static uint32_t get_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void u32(struct packet *p, uint32_t v) { put_u32(p->bytes + p->size, v); p->size += 4; }

static void string(struct packet *p, const char *s)
{
    size_t n = strlen(s);
    if (p->size + n + 64 > sizeof p->bytes) wrong("the command is too long");
    u32(p, n);
    memcpy(p->bytes + p->size, s, n);
    p->size += n;
}

/* A message begins with its own length, which is known only at its end. */
static void begin(struct packet *p) { p->start = p->size; p->size += 4; }
static void end(struct packet *p) { put_u32(p->bytes + p->start, p->size - p->start - 4); }

static void begin_channel(struct packet *p, unsigned type) { begin(p); u8(p, 0); u8(p, type); }

static void send_all(int fd, struct packet *p)
{
    size_t done = 0;
    while (done < p->size) {
        ssize_t n = write(fd, p->bytes + done, p->size - done);
        if (n < 0) die("write to the master");
        done += n;
    }
    p->size = 0;
}

static int connect_master(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(control_path) >= sizeof address.sun_path) wrong("the control path is too long");
    strcpy(address.sun_path, control_path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die(control_path);
    return fd;
}

static void hello(struct packet *p) { begin(p); u32(p, HELLO); u32(p, MUX_VERSION); end(p); }

/* What came in and is not yet a whole message stays in front for the next read. */
struct inbox { unsigned char *bytes; size_t size, used; };

static ssize_t fill(struct inbox *in, int fd, size_t capacity)
{
    memmove(in->bytes, in->bytes + in->used, in->size - in->used);
    in->size -= in->used;
    in->used = 0;
    ssize_t n = read(fd, in->bytes + in->size, capacity - in->size);
    if (n > 0) in->size += n;
    return n;
}

static unsigned char *message(struct inbox *in, uint32_t *length)
{
    unsigned char *at = in->bytes + in->used;
    if (in->size - in->used < 4) return NULL;
    *length = get_u32(at);
    if (*length > LONGEST) wrong("a message that is too long");
    if (in->size - in->used - 4 < *length) return NULL;
    in->used += 4 + *length;
    return at + 4;
}

/* ---- passenger --------------------------------------------------------------------------------------- */

/* One descriptor per sendmsg with one byte: the master takes only the first of several. */
static void send_descriptor(int fd, int passed)
{
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = { 0 };
    char zero = 0;
    struct iovec byte = { &zero, 1 };
    struct msghdr m = { .msg_iov = &byte, .msg_iovlen = 1,
                        .msg_control = control.space, .msg_controllen = sizeof control.space };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &passed, sizeof passed);
    if (sendmsg(fd, &m, 0) != 1) die("sendmsg to the master");
}

static void request_session(int fd, struct packet *p, int null, int out, int err)
{
    hello(p);
    begin(p);
    u32(p, NEW_SESSION);
    u32(p, 0);               /* request id */
    string(p, "");           /* reserved */
    for (int i = 0; i < 4; i++) u32(p, 0);   /* tty, X11, agent, subsystem */
    u32(p, 0xffffffff);      /* no escape character */
    string(p, "");           /* terminal type */
    string(p, command);
    end(p);
    send_all(fd, p);
    send_descriptor(fd, null);
    send_descriptor(fd, out);
    send_descriptor(fd, err);
}

static int read_replies(struct inbox *in, int fd)
{
    uint32_t length;
    unsigned char *m;
    ssize_t n = fill(in, fd, 4096);
    if (n <= 0) wrong("the master went away before the exit status came");
    while ((m = message(in, &length))) {
        uint32_t type = get_u32(m);
        if (type == FAILURE) {
            fprintf(stderr, "mux_floor: refused: %.*s\n", (int)get_u32(m + 8), m + 12);
            exit(1);
        }
        if (type == EXIT_MESSAGE) return 1;
        if (type != HELLO && type != SESSION_OPENED) wrong("an unexpected message of the master");
    }
    return 0;
}

/* The outcome is known when the exit status is there and both pipes are at their end. */
static int64_t await_end(int fd, int out, int err, unsigned char *waste, size_t size)
{
    unsigned char space[4096];
    struct inbox in = { space, 0, 0 };
    struct pollfd on[3] = { { fd, POLLIN, 0 }, { out, POLLIN, 0 }, { err, POLLIN, 0 } };
    int64_t bytes = 0;
    for (int left = 3; left > 0;) {
        if (poll(on, 3, -1) < 0) die("poll");
        if (on[0].revents && read_replies(&in, fd)) { on[0].fd = -1; left--; }
        for (int i = 1; i < 3; i++) {
            if (!on[i].revents || on[i].fd < 0) continue;
            ssize_t n = read(on[i].fd, waste, size);
            if (n < 0) die("read of the output");
            bytes += n;
            if (n == 0) { on[i].fd = -1; left--; }
        }
    }
    return bytes;
}

static void *passenger(void *unused)
{
    struct packet *p = calloc(1, sizeof *p);
    size_t size = 1 << 20;
    unsigned char *waste = malloc(size);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!p || !waste || null < 0) die("start");
    for (;;) {
        long mine = __atomic_fetch_add(&next_command, 1, __ATOMIC_RELAXED);
        if (mine >= count) break;
        int64_t from = now();
        int out[2], err[2], fd = connect_master();
        if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) die("pipe");
        request_session(fd, p, null, out[1], err[1]);
        close(out[1]);
        close(err[1]);
        int64_t bytes = await_end(fd, out[0], err[0], waste, size);
        close(out[0]);
        close(err[0]);
        close(fd);
        cost[mine] = now() - from;
        __atomic_fetch_add(&received, bytes, __ATOMIC_RELAXED);
    }
    close(null);
    free(waste);
    free(p);
    return unused;
}

static void run_passengers(void)
{
    pthread_t thread[MAX_WIDTH];
    for (long i = 0; i < width; i++)
        if (pthread_create(&thread[i], NULL, passenger, NULL)) die("thread");
    for (long i = 0; i < width; i++) pthread_join(thread[i], NULL);
}

/* ---- proxy ------------------------------------------------------------------------------------------- */

struct channel { uint32_t theirs; uint32_t consumed; long mine; int64_t from; };

static void open_channel(struct packet *p, struct channel *c, uint32_t ours)
{
    c->mine = next_command++;
    c->consumed = 0;
    c->from = now();
    begin_channel(p, OPEN);
    string(p, "session");
    u32(p, ours);
    u32(p, WINDOW);
    u32(p, MAX_PACKET);
    end(p);
}

static void exec_command(struct packet *p, struct channel *c)
{
    begin_channel(p, REQUEST);
    u32(p, c->theirs);
    string(p, "exec");
    u8(p, 1);
    string(p, command);
    end(p);
    begin_channel(p, CHANNEL_EOF);
    u32(p, c->theirs);
    end(p);
}

static void simple(struct packet *p, unsigned type, uint32_t channel)
{
    begin_channel(p, type);
    u32(p, channel);
    end(p);
}

static void consume(struct packet *p, struct channel *c, uint32_t bytes)
{
    received += bytes;
    c->consumed += bytes;
    if (c->consumed < WINDOW / 2) return;
    begin_channel(p, WINDOW_ADJUST);
    u32(p, c->theirs);
    u32(p, c->consumed);
    end(p);
    c->consumed = 0;
}

/* Returns 1 when this message ended a command. */
static int handle(struct packet *p, struct channel *channels, const unsigned char *m)
{
    uint32_t ours = get_u32(m + 2);
    if (ours >= (uint32_t)width) wrong("a message for a channel that is not there");
    struct channel *c = &channels[ours];
    switch (m[1]) {
    case OPEN_CONFIRMATION: c->theirs = get_u32(m + 6); exec_command(p, c); break;
    case DATA: consume(p, c, get_u32(m + 6)); break;
    case EXTENDED_DATA: consume(p, c, get_u32(m + 10)); break;
    case REQUEST: /* the byte after the name says whether an answer is wanted */
        if (m[10 + get_u32(m + 6)]) simple(p, REQUEST_FAILURE, c->theirs);
        break;
    case CLOSE:
        simple(p, CLOSE, c->theirs);
        cost[c->mine] = now() - c->from;
        if (next_command < count) open_channel(p, c, ours);
        return 1;
    case WINDOW_ADJUST: case CHANNEL_EOF: case SUCCESS: break;
    case OPEN_FAILURE: wrong("the server refused a session");
    case REQUEST_FAILURE: wrong("the server refused exec");
    default: wrong("an unexpected message of the server");
    }
    return 0;
}

static void start_proxy(int fd, struct packet *p, struct inbox *in, size_t capacity)
{
    uint32_t length;
    unsigned char *m;
    hello(p);
    begin(p);
    u32(p, PROXY);
    u32(p, 0);
    end(p);
    send_all(fd, p);
    for (;;) {
        while ((m = message(in, &length))) {
            if (get_u32(m) == PROXY_OK) return;
            if (get_u32(m) != HELLO) wrong("the master refused proxy mode");
        }
        if (fill(in, fd, capacity) <= 0) wrong("the master went away");
    }
}

static void run_proxy(void)
{
    static struct channel channels[MAX_WIDTH];
    size_t capacity = 4 << 20;
    struct packet *p = calloc(1, sizeof *p);
    struct inbox in = { malloc(capacity), 0, 0 };
    int fd = connect_master();
    if (!p || !in.bytes) die("start");
    start_proxy(fd, p, &in, capacity);
    for (long i = 0; i < width; i++) open_channel(p, &channels[i], i);
    send_all(fd, p);
    for (long ended = 0; ended < count;) {
        uint32_t length;
        unsigned char *m;
        if (fill(&in, fd, capacity) <= 0) wrong("the master went away");
        while ((m = message(&in, &length))) {
            ended += handle(p, channels, m);
            if (p->size > sizeof p->bytes / 2) send_all(fd, p);
        }
        send_all(fd, p);
    }
    close(fd);
    free(in.bytes);
    free(p);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: mux_floor passenger|proxy CONTROL_PATH COUNT WIDTH COMMAND\n");
        return 2;
    }
    control_path = argv[2];
    count = atol(argv[3]);
    width = atol(argv[4]);
    command = argv[5];
    if (count < 1 || width < 1 || width > MAX_WIDTH || strlen(command) > LONGEST / 4) {
        fprintf(stderr, "mux_floor: COUNT from 1, WIDTH from 1 to %d\n", MAX_WIDTH);
        return 2;
    }
    if (width > count) width = count;
    cost = calloc(count, sizeof *cost);
    if (!cost) die("start");
    int64_t from = now();
    if (!strcmp(argv[1], "proxy")) run_proxy(); else run_passengers();
    int64_t total = now() - from;
    for (long i = 0; i < count; i++) printf("command %lld\n", (long long)cost[i]);
    printf("total %lld %lld\n", (long long)total, (long long)received);
    free(cost);
    return 0;
}
