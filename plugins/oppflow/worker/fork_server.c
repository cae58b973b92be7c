/* Makes a program that is loaded once start many times: see fork_server.py.
 *
 * Preloaded into the program (ld.so(8), LD_PRELOAD), this library takes its main function. When all
 * is loaded and linked, it waits for requests on a socket, and answers each with a new process that
 * calls main. OPPFLOW_FORK_SERVER names the socket's descriptor and the worker's process.
 *
 * A request is one packet of words, each with its final NUL: the number of arguments, the folder to
 * work in, the arguments, the environment; with it comes the descriptor that standard output and
 * standard error go to. The answer is an int, the new process' ID, or an errno below zero. The first
 * answer, 0, comes without a request: the program is ready.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LARGEST = 192 * 1024, MOST_WORDS = 8192 };

typedef int Main(int, char **, char **);
typedef int StartMain(Main *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

static Main *program_main;
static pid_t worker;
static int control;
static char packet[LARGEST];
static char *words[MOST_WORDS + 2];

static void answer(int value) {
    if (send(control, &value, sizeof value, MSG_NOSIGNAL) < 0) _exit(1); /* the worker is gone */
}

/* The number of words of a request, its descriptor in output; 0 if it makes no sense. */
static int receive(int *output) {
    union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } rights;
    struct iovec piece = {packet, sizeof packet};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1,
                             .msg_control = &rights, .msg_controllen = sizeof rights};
    ssize_t size = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    if (size <= 0) _exit(0); /* no more runs */
    struct cmsghdr *passed = CMSG_FIRSTHDR(&message);
    if (!passed || passed->cmsg_type != SCM_RIGHTS) return 0;
    memcpy(output, CMSG_DATA(passed), sizeof(int));
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || packet[size - 1]) return 0;
    int count = 0;
    for (char *word = packet; word < packet + size; word += strlen(word) + 1) {
        if (count == MOST_WORDS) return 0;
        words[count++] = word;
    }
    return count;
}

/* Calls main as if the program had just been started. */
static void become_a_run(int count, int output) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != worker) _exit(1); /* it died meanwhile */
    setsid();
    int arguments = atoi(words[0]);
    char **argv = words + 2, **environment = argv + arguments + 1;
    memmove(environment, argv + arguments, (count - 2 - arguments) * sizeof *words);
    argv[arguments] = NULL;
    environment[count - 2 - arguments] = NULL;
    if (chdir(words[1]) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) {
        answer(-errno);
        _exit(1);
    }
    answer(getpid());
    close(output);
    close(control);
    environ = environment;
    exit(program_main(arguments, argv, environment));
}

/* Has the worker be the run's parent: it waits for it as for any child, and the kernel ends it with
 * the worker. fork(3) has no word for that. What else it does is for threads, and there are none. */
static void start(int count, int output) {
    long run = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0L);
    if (run == 0) become_a_run(count, output);
    if (run < 0) answer(-errno);
}

static int serve(int argc, char **argv, char **environment) {
    (void)argc, (void)argv, (void)environment;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != worker) _exit(1);
    fflush(NULL); /* what was printed already would be printed by each run */
    answer(0);
    for (;;) {
        int output = -1, count = receive(&output);
        int sensible = count >= 3 && atoi(words[0]) >= 1 && atoi(words[0]) <= count - 2;
        if (sensible) start(count, output);
        else answer(-EINVAL);
        if (output >= 0) close(output);
    }
    return 0;
}

int __libc_start_main(Main *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end) {
    StartMain *start_main = (StartMain *)dlsym(RTLD_NEXT, "__libc_start_main");
    const char *told = getenv("OPPFLOW_FORK_SERVER");
    /* What the program starts inherits the variable, and is not meant. */
    if (told && sscanf(told, "%d %d", &control, &worker) == 2 && getppid() == worker) {
        program_main = main;
        main = serve;
    }
    return start_main(main, argc, argv, init, fini, rtld_fini, stack_end);
}
