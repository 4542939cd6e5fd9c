/* Writes the state in which it was started, as JSON, to the file named by
   REPORT_TO, and exits with REPORT_EXIT. In C, because Python changes its own state
   (signals, environment, descriptors) before the first line of a program runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void hex(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, "%02x", (unsigned char)*text);
    fputc('"', out);
}

static void hex_list(FILE *out, const char *name, char **words)
{
    fprintf(out, "\"%s\": [", name);
    for (int i = 0; words[i]; i++) {
        fputs(i ? ", " : "", out);
        hex(out, words[i]);
    }
    fputs("],\n", out);
}

static void descriptor(FILE *out, int fd, int is_first)
{
    char link[64], target[4096];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, target, sizeof target - 1);
    target[size < 0 ? 0 : size] = 0;
    if (fstat(fd, &status))
        return;
    fprintf(out, "%s\n  \"%d\": {\"target\": ", is_first ? "" : ",", fd);
    hex(out, target);
    fprintf(out, ", \"dev\": %lu, \"ino\": %lu, \"mode\": %u, \"flags\": %d, \"is_terminal\": %d}",
            (unsigned long)status.st_dev, (unsigned long)status.st_ino, status.st_mode,
            fcntl(fd, F_GETFL), isatty(fd));
}

static void descriptors(FILE *out)
{
    DIR *directory = opendir("/proc/self/fd");
    int is_first = 1;
    fputs("\"fds\": {", out);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(directory) || fd == fileno(out))
            continue;
        descriptor(out, fd, is_first);
        is_first = 0;
    }
    fputs("},\n", out);
    if (directory)
        closedir(directory);
}

static void signals(FILE *out)
{
    static const char *const names[][2] = {
        {"SigBlk:", "blocked"}, {"SigIgn:", "ignored"}, {"SigCgt:", "caught"}, {"SigPnd:", "pending"},
    };
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    fputs("\"signals\": {", out);
    for (int found = 0; status && fgets(line, sizeof line, status);)
        for (int i = 0; i < 4; i++)
            if (!strncmp(line, names[i][0], 7))
                fprintf(out, "%s\"%s\": %llu", found++ ? ", " : "", names[i][1],
                        strtoull(line + 7, NULL, 16));
    fputs("},\n", out);
    if (status)
        fclose(status);
}

static void limits(FILE *out)
{
    static const struct { const char *name; int number; } all[] = {
        {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA},
        {"fsize", RLIMIT_FSIZE}, {"nofile", RLIMIT_NOFILE}, {"stack", RLIMIT_STACK},
        {"as", RLIMIT_AS}, {"nproc", RLIMIT_NPROC}, {"memlock", RLIMIT_MEMLOCK},
    };
    fputs("\"limits\": {", out);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct rlimit limit;
        getrlimit(all[i].number, &limit);
        fprintf(out, "%s\"%s\": [%lld, %lld]", i ? ", " : "", all[i].name,
                (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
    fputs("}\n", out);
}

int main(int argc, char **argv)
{
    const char *path = getenv("REPORT_TO"), *code = getenv("REPORT_EXIT");
    FILE *out = path ? fopen(path, "we") : NULL;
    if (!out || argc < 1)
        return 99;
    char *cwd = getcwd(NULL, 0);
    mode_t mask = umask(0);
    umask(mask);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof cpus, &cpus);
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    int foreground = terminal < 0 ? -1 : tcgetpgrp(terminal);
    if (terminal >= 0)
        close(terminal);

    fputs("{\n", out);
    hex_list(out, "argv", argv);
    hex_list(out, "environ", environ);
    fputs("\"cwd\": ", out);
    hex(out, cwd ? cwd : "");
    errno = 0;
    fprintf(out, ",\n\"umask\": %u,\n\"nice\": %d,\n\"pid\": %d,\n\"ppid\": %d,\n\"pgid\": %d,\n"
            "\"sid\": %d,\n\"foreground\": %d,\n\"cpus\": %d,\n",
            mask, getpriority(PRIO_PROCESS, 0), getpid(), getppid(), getpgrp(), getsid(0),
            foreground, CPU_COUNT(&cpus));
    descriptors(out);
    signals(out);
    limits(out);
    fputs("}\n", out);
    return fclose(out) ? 98 : code ? atoi(code) : 0;
}
