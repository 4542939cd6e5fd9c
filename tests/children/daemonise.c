/* daemonise FIFO LOG [CODE]: leaves a daemon of another session behind, which holds stdout and
   stderr, and exits with CODE at once. The daemon writes to stdout what comes out of FIFO, and
   `wrote N`, `error ERRNO` or `pipe` (SIGPIPE) to LOG, whose first line is `ready PID`. It ends
   when FIFO's writer does. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "patience.h"

static const char *path;

static void on_pipe(int number)
{
    (void)number;
    note(path, "pipe\n");
}

static void serve(int fifo)
{
    char buffer[65536], line[32];
    signal(SIGPIPE, on_pipe);
    snprintf(line, sizeof line, "ready %d\n", getpid());
    note(path, line);
    for (ssize_t size; (size = read_fifo(fifo, buffer, sizeof buffer)) > 0;) {
        ssize_t written = write(STDOUT_FILENO, buffer, size);
        if (written < 0)
            snprintf(line, sizeof line, "error %d\n", errno);
        else
            snprintf(line, sizeof line, "wrote %zd\n", written);
        note(path, line);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 98;
    path = argv[2];
    int fifo = open_fifo(argv[1]);
    pid_t first = fork();
    if (first == 0) {
        setsid();
        if (fork() == 0)
            serve(fifo);
        _exit(0);
    }
    waitpid(first, NULL, 0);
    while (access(path, F_OK))
        poll(NULL, 0, 1);
    return argc > 3 ? atoi(argv[3]) : 0;
}
