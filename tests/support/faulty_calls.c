/* Preloaded: fails, cuts short or ends at one chosen system call. See faulty_calls.py. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* In the order of CALLS in faulty_calls.py. */
enum call {
    WRITE, OUTPUT, PWRITE, SEND, CONNECT, OPEN, CLOSE, FSYNC, FDATASYNC, FTRUNCATE, FALLOCATE,
    RENAME, LINK, UNLINK, MKDIR, CHMOD, UTIMES, LOCK, MMAP, THREAD, PIPE, CALLS
};
enum action { ERROR, KILL, HALF, TORN, FULL };

/* Shared by all processes of a scenario and by the test, which writes the first five. */
struct control {
    int armed, wanted, number, action, error;
    int fired;
    int counts[CALLS];
    char what[256]; /* the file or descriptor of the call that was chosen */
};

static struct control *control;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTY_CALLS"), *program = getenv("FAULTY_PROGRAM");
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    if (!path || !program || size < 0)
        return;
    own[size] = 0;
    if (strcmp(own, program))
        return; /* the job, a shell: they are to be left alone */
    int (*open_it)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    int (*close_it)(int) = dlsym(RTLD_NEXT, "close");
    void *(*map)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap64");
    int fd = open_it(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *at = map(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close_it(fd);
    if (at != MAP_FAILED)
        control = at;
}

static void note(const char *path, int fd)
{
    char link[64];
    ssize_t size = 0;
    if (path) {
        snprintf(control->what, sizeof control->what, "%s", path);
        return;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fd >= 0)
        size = readlink(link, control->what, sizeof control->what - 1);
    control->what[size > 0 ? size : 0] = 0;
}

static int needs_space(enum call call)
{
    return call == WRITE || call == PWRITE || call == OPEN || call == FALLOCATE || call == MKDIR;
}

/* The action to be taken instead of the call (with errno set), -1 for the call itself. */
static int look(enum call call, const char *path, int fd)
{
    int kept = errno;
    if (!control || !control->armed)
        return -1;
    int number = __atomic_add_fetch(&control->counts[call], 1, __ATOMIC_SEQ_CST);
    int chosen = call == (enum call)control->wanted && number == control->number;
    if (control->action == FULL && control->fired && needs_space(call)) {
        errno = control->error;
        return ERROR;
    }
    if (!chosen)
        return -1;
    note(path, fd);
    __atomic_store_n(&control->fired, 1, __ATOMIC_SEQ_CST);
    errno = kept;
    if (control->action == KILL)
        kill(getpid(), SIGKILL);
    if (control->action == HALF || control->action == TORN)
        return control->action;
    errno = control->error;
    return ERROR;
}

/* What kind of writing a write to a descriptor is; CALLS for one that isn't looked at. */
static enum call kind_of(int fd, enum call regular)
{
    struct stat status;
    int kept = errno, domain = AF_UNIX;
    socklen_t size = sizeof domain;
    enum call kind = CALLS;
    if (fd == 1 || fd == 2)
        kind = OUTPUT;
    else if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        kind = regular;
    else if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX)
        kind = SEND;
    errno = kept;
    return kind;
}

/* Half of it; whoever was to be torn is dead then. */
#define PART(action, half) \
    do { \
        ssize_t done = half; \
        if (action == TORN) \
            kill(getpid(), SIGKILL); \
        return done; \
    } while (0)

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    enum call kind = control && control->armed ? kind_of(fd, WRITE) : CALLS;
    int action = kind == CALLS ? -1 : look(kind, NULL, fd);
    if (action == ERROR)
        return -1;
    if (action >= 0)
        PART(action, real(fd, data, (size + 1) / 2));
    return real(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    enum call kind = control && control->armed ? kind_of(fd, WRITE) : CALLS;
    int action = kind == CALLS ? -1 : look(kind, NULL, fd);
    if (action == ERROR)
        return -1;
    if (action >= 0)
        PART(action, write(fd, parts[0].iov_base, (parts[0].iov_len + 1) / 2));
    return real(fd, parts, count);
}

#define PWRITE_AS(name) \
    ssize_t name(int fd, const void *data, size_t size, off_t at) \
    { \
        REAL(name); \
        enum call kind = control && control->armed ? kind_of(fd, PWRITE) : CALLS; \
        int action = kind == CALLS ? -1 : look(kind, NULL, fd); \
        if (action == ERROR) \
            return -1; \
        if (action >= 0) \
            PART(action, real(fd, data, (size + 1) / 2, at)); \
        return real(fd, data, size, at); \
    }
PWRITE_AS(pwrite)
PWRITE_AS(pwrite64)

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    REAL(send);
    int action = kind_of(fd, CALLS) == SEND ? look(SEND, NULL, fd) : -1;
    if (action == ERROR)
        return -1;
    if (action >= 0)
        PART(action, real(fd, data, (size + 1) / 2, flags));
    return real(fd, data, size, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
               socklen_t length)
{
    REAL(sendto);
    int action = kind_of(fd, CALLS) == SEND ? look(SEND, NULL, fd) : -1;
    if (action == ERROR)
        return -1;
    if (action >= 0)
        PART(action, real(fd, data, (size + 1) / 2, flags, to, length));
    return real(fd, data, size, flags, to, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    int action = kind_of(fd, CALLS) == SEND ? look(SEND, NULL, fd) : -1;
    if (action == ERROR)
        return -1;
    return real(fd, message, flags);
}

int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    REAL(connect);
    return look(CONNECT, NULL, fd) >= 0 ? -1 : real(fd, to, length);
}

/* Only what may write; where the disk is full, what is there can still be opened. */
static int look_at_open(const char *path, int flags)
{
    int writes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) || (flags & O_TMPFILE) == O_TMPFILE;
    if (!writes || !control || !control->armed)
        return -1;
    if (control->action == FULL && control->fired && access(path, F_OK) == 0)
        return -1;
    return look(OPEN, path, -1);
}

#define OPEN_AS(name) \
    int name(const char *path, int flags, ...) \
    { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        return look_at_open(path, flags) >= 0 ? -1 : real(path, flags, mode); \
    }
OPEN_AS(open)
OPEN_AS(open64)

#define OPENAT_AS(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        return look_at_open(path, flags) >= 0 ? -1 : real(folder, path, flags, mode); \
    }
OPENAT_AS(openat)
OPENAT_AS(openat64)

/* A file system that writes late, as NFS, tells of it here; the descriptor is gone all the same. */
int close(int fd)
{
    REAL(close);
    int action = -1, kept = errno;
    struct stat status;
    if (control && control->armed && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
        && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
        action = look(CLOSE, NULL, fd);
    if (action < 0) {
        errno = kept;
        return real(fd);
    }
    int error = errno;
    real(fd);
    errno = error;
    return -1;
}

#define OF_DESCRIPTOR(call, name, parameters, arguments) \
    int name parameters \
    { \
        REAL(name); \
        return look(call, NULL, fd) >= 0 ? -1 : real arguments; \
    }
#define OF_PATH(call, name, parameters, arguments) \
    int name parameters \
    { \
        REAL(name); \
        return look(call, path, -1) >= 0 ? -1 : real arguments; \
    }

OF_DESCRIPTOR(FSYNC, fsync, (int fd), (fd))
OF_DESCRIPTOR(FDATASYNC, fdatasync, (int fd), (fd))
OF_DESCRIPTOR(FTRUNCATE, ftruncate, (int fd, off_t size), (fd, size))
OF_DESCRIPTOR(FTRUNCATE, ftruncate64, (int fd, off64_t size), (fd, size))
OF_PATH(FTRUNCATE, truncate64, (const char *path, off64_t size), (path, size))
OF_PATH(RENAME, rename, (const char *path, const char *to), (path, to))
OF_PATH(RENAME, renameat, (int from, const char *path, int at, const char *to),
        (from, path, at, to))
OF_PATH(LINK, link, (const char *path, const char *to), (path, to))
OF_PATH(LINK, linkat, (int from, const char *path, int at, const char *to, int flags),
        (from, path, at, to, flags))
OF_PATH(LINK, symlink, (const char *path, const char *to), (path, to))
OF_PATH(UNLINK, unlink, (const char *path), (path))
OF_PATH(UNLINK, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
OF_PATH(MKDIR, mkdir, (const char *path, mode_t mode), (path, mode))
OF_PATH(MKDIR, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
OF_DESCRIPTOR(CHMOD, fchmod, (int fd, mode_t mode), (fd, mode))
OF_DESCRIPTOR(CHMOD, fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
OF_PATH(CHMOD, chmod, (const char *path, mode_t mode), (path, mode))
OF_DESCRIPTOR(UTIMES, futimens, (int fd, const struct timespec times[2]), (fd, times))
OF_PATH(UTIMES, utimensat, (int folder, const char *path, const struct timespec times[2], int flags),
        (folder, path, times, flags))
OF_DESCRIPTOR(LOCK, flock, (int fd, int how), (fd, how))

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
    REAL(posix_fallocate64);
    return look(FALLOCATE, NULL, fd) >= 0 ? errno : real(fd, at, size);
}

#define LOCKF_AS(name) \
    int name(int fd, int how, off_t size) \
    { \
        REAL(name); \
        return how != F_ULOCK && look(LOCK, NULL, fd) >= 0 ? -1 : real(fd, how, size); \
    }
LOCKF_AS(lockf)
LOCKF_AS(lockf64)

#define FCNTL_AS(name) \
    int name(int fd, int what, ...) \
    { \
        REAL(name); \
        va_list more; \
        va_start(more, what); \
        void *argument = va_arg(more, void *); \
        va_end(more); \
        if ((what == F_SETLK || what == F_SETLKW) \
            && ((struct flock *)argument)->l_type != F_UNLCK && look(LOCK, NULL, fd) >= 0) \
            return -1; \
        return real(fd, what, argument); \
    }
FCNTL_AS(fcntl)
FCNTL_AS(fcntl64)

#define MMAP_AS(name) \
    void *name(void *at, size_t size, int protection, int flags, int fd, off_t offset) \
    { \
        REAL(name); \
        if ((flags & MAP_SHARED) && fd >= 0 && look(MMAP, NULL, fd) >= 0) \
            return MAP_FAILED; \
        return real(at, size, protection, flags, fd, offset); \
    }
MMAP_AS(mmap)
MMAP_AS(mmap64)

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with)
{
    REAL(pthread_create);
    return look(THREAD, NULL, -1) >= 0 ? errno : real(thread, how, run, with);
}

int pipe(int ends[2])
{
    REAL(pipe);
    return look(PIPE, NULL, -1) >= 0 ? -1 : real(ends);
}

int pipe2(int ends[2], int flags)
{
    REAL(pipe2);
    return look(PIPE, NULL, -1) >= 0 ? -1 : real(ends, flags);
}
