/* die_of SIGNAL: dies of the signal, whatever its disposition and mask were at the start. */
#include <signal.h>
#include <sys/resource.h>

#include "patience.h"

int main(int argc, char **argv)
{
    int number = argc > 1 ? atoi(argv[1]) : 0;
    struct rlimit none = {0, 0};
    sigset_t only;
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), number);
    return 98;
}
