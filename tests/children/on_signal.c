/* on_signal LOG EXIT_ON CODE [DEFAULT...]

   Catches every signal that can be caught, but leaves those named in DEFAULT alone.
   Writes `ready PID` to LOG when all handlers stand, then `NUMBER SI_CODE SENDER` for each
   signal. Exits with CODE on the signal EXIT_ON (0: on none). */
#include <signal.h>
#include <time.h>

#include "patience.h"

static const char *path;
static int exit_on, exit_code;

static char *append(char *end, long number)
{
    char digits[24];
    int count = 0;
    if (number < 0) {
        *end++ = '-';
        number = -number;
    }
    do
        digits[count++] = '0' + number % 10;
    while (number /= 10);
    while (count)
        *end++ = digits[--count];
    return end;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    char line[80], *end = line;
    (void)context;
    end = append(end, number);
    *end++ = ' ';
    end = append(end, info->si_code);
    *end++ = ' ';
    end = append(end, info->si_code <= 0 ? info->si_pid : 0);
    *end++ = '\n';
    *end = 0;
    note(path, line);
    if (number == exit_on)
        _exit(exit_code);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 98;
    path = argv[1];
    exit_on = atoi(argv[2]);
    exit_code = atoi(argv[3]);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    for (int number = 1; number <= SIGRTMAX; number++) {
        int is_left_alone = number == SIGKILL || number == SIGSTOP || (number > 31 && number < SIGRTMIN);
        for (int i = 4; i < argc; i++)
            is_left_alone |= atoi(argv[i]) == number;
        if (!is_left_alone)
            sigaction(number, &action, NULL);
    }
    char line[32];
    snprintf(line, sizeof line, "ready %d\n", getpid());
    note(path, line);
    struct timespec now, start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        poll(NULL, 0, PATIENCE_MS);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < PATIENCE_MS / 1000);
    return OUT_OF_PATIENCE;
}
