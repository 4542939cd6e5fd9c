/* launch [OPTION VALUE]... -- COMMAND [ARG]...: sets up a state and becomes COMMAND.

   -i SIGNAL  ignore it      -b SIGNAL  block it     -d SIGNAL  default, unblocked
   -c FD      close it       -o FD      open it on /dev/null
   -n NICE    be nicer       -u MASK    umask (octal)
   -f BYTES   largest file   -N FD      set O_NONBLOCK on it

   What Python's preexec_fn would do, without its danger in a process with threads. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "patience.h"

static void mask(int how, int number)
{
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(how, &only, NULL);
}

static void apply(char option, const char *value)
{
    int number = atoi(value), fd;
    struct rlimit limit;
    switch (option) {
    case 'i': signal(number, SIG_IGN); break;
    case 'b': mask(SIG_BLOCK, number); break;
    case 'd': signal(number, SIG_DFL); mask(SIG_UNBLOCK, number); break;
    case 'c': close(number); break;
    case 'o':
        fd = open("/dev/null", O_RDWR);
        if (fd != number) {
            dup2(fd, number);
            close(fd);
        }
        break;
    case 'n': errno = 0; if (nice(number) == -1 && errno) exit(98); break;
    case 'u': umask(strtol(value, NULL, 8)); break;
    case 'f': limit.rlim_cur = limit.rlim_max = number; setrlimit(RLIMIT_FSIZE, &limit); break;
    case 'N': fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK); break;
    default: exit(98);
    }
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i + 1 < argc && strcmp(argv[i], "--"); i += 2)
        apply(argv[i][1], argv[i + 1]);
    if (i + 1 >= argc)
        return 98;
    execvp(argv[i + 1], argv + i + 1);
    return 97;
}
