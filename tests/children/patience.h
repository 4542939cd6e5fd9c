/* No program here outlives a broken test for long. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define OUT_OF_PATIENCE 99

/* Appends one line to a file, with a single write. */
static inline void note(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        _exit(98);
    close(fd);
}

/* Opens a fifo without waiting for its writer. */
static inline int open_fifo(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        _exit(98);
    return fd;
}

/* Waits for the next bytes; 0 when the writer has closed its end. */
static inline ssize_t read_fifo(int fd, char *buffer, size_t size)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, PATIENCE_MS) < 1)
        _exit(OUT_OF_PATIENCE);
    return read(fd, buffer, size);
}
