#!/bin/sh
# Written by `radar link` of radar @VERSION@: starts radar alone in its Python or, where that fails, the job without it.
unset -f command [ shopt printf id umask mkdir flock; if [ "${1-}" != --unwatched ]; then
    set -- @PYTHON@ "$0" "$@"
    [ -n "${BASH_VERSION-}" ] && shopt -s execfail 2>/dev/null || trap 'exec /bin/sh "$2" --unwatched "${LC_CTYPE+=$LC_CTYPE}" "$@"' EXIT
    [ -f "$1" ] && [ -s "$1" ] && [ -x "$1" ] && [ -e @ENCODINGS@ ] && exec "$1" -I -S -c '
import sys, posix, _signal as signal
sys.path += sys.argv[1:@COUNT@]; ctype, python, *words = sys.argv[@COUNT@:]; sys.argv = words[:]
mask, child = signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.getsignal(signal.SIGCHLD)
try:
    from radar_cli.launch.command import main; sys.exit(main())
except Exception as error:
    for number, action in (signal.SIGPIPE, 0), (signal.SIGXFSZ, 0), (signal.SIGCHLD, child): signal.signal(number, action)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask); why = f"{python}: {error!a}"[:500]
    posix.execv("/bin/sh", ["/bin/sh", words[0], "--unwatched", ctype, why, *words])' @FOLDERS@ "${LC_CTYPE+=$LC_CTYPE}" "$@" || :
    exec /bin/sh "$2" --unwatched "${LC_CTYPE+=$LC_CTYPE}" "$@"
fi; say() { (printf 'radar: not started by %s; %s\n' "$_radar_why" "$1" >&2); }; [ "$2" ] && LC_CTYPE=${2#=} || unset LC_CTYPE
unset _radar_line; _radar_path=${PATH-/usr/bin:/bin} PATH=/usr/bin:/bin:${PATH-} _radar_why=$3 _radar_lock=${RADAR_LOCK-}
_radar_command= _radar_key= _radar_how=unwatched _radar_fd=; shift 3
while [ $# -gt 1 ]; do shift; case $1 in # the words are read as `radar run` reads them; $1 has been read
    --) [ -z "$_radar_key" ] || break ;;
    -c=*) _radar_line=${1#*=} ;;
    --lock=*) _radar_lock=${1#*=} ;;
    -*=* | @SWITCHES@) ;;
    @VALUED@) [ $# = 1 ] || { _radar_word=$1=$2; shift 2; set -- - "$_radar_word" "$@"; } ;;
    -?*) set -- - ;; # unknown: then there is no command
    *) [ -z "$_radar_key" ] || { set -- - "$@"; break; }; _radar_key=${_radar_command:+$1} _radar_command=${_radar_command:-$1} ;;
esac; done; shift; case $#${_radar_line+c} in 0c) set -- /bin/sh -c "$_radar_line" ;; *c) set -- ;; esac
case $_radar_command:$# in run:0) say 'no command to run'; exit 125 ;; run:*) ;; *) say 'nothing done'; exit 70 ;; esac
case $_radar_key in *'{host}'*) _radar_host=${RADAR_HOST:-$(uname -n)}
    _radar_key=${_radar_key%%'{host}'*}$(printf %s "${_radar_host%%.*}" | tr A-Z a-z | tr -c a-z0-9_- -)${_radar_key#*'{host}'} ;; esac
case $_radar_lock in skip | wait | fail) # descriptor 9 is the file that radar locks, too
    case $(id -u):${XDG_STATE_HOME-} in 0:*) _radar_dir=@ROOT_STATE@ ;; *:/*) _radar_dir=$XDG_STATE_HOME/radar ;; *) _radar_dir=${HOME-}/.local/state/radar ;; esac
    case ${RADAR_STATE_DIR-} in '~/'*) _radar_dir=${HOME-}${RADAR_STATE_DIR#'~'} ;; ?*) _radar_dir=$RADAR_STATE_DIR ;; esac
    (umask 077; mkdir -p "$_radar_dir/locks" && : >>"$_radar_dir/locks/$_radar_key") 2>/dev/null &&
        exec 9>>"$_radar_dir/locks/$_radar_key" || _radar_lock=none _radar_how='unwatched and without a lock'
    (case $_radar_lock in none) ;; wait) flock 9 9>&9 ;; *) flock -n 9 9>&9 ;; esac) 2>/dev/null
    case $?$_radar_lock in 0none) ;; 0*) _radar_fd='9>&9' ;; 1skip) say "$_radar_key is not run: it runs already"; exit 0 ;;
        1fail) say "$_radar_key is not run: it runs already"; exit 75 ;; *) say "$_radar_key is not run: --lock needs flock(1)"; exit 125 ;; esac; esac
say "$_radar_key runs $_radar_how"; eval 'PATH=$_radar_path; unset @VARIABLES@; exec "$@"' "$_radar_fd"
