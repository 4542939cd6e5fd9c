# bash completion of radar (bash 3.2 or newer; wrapped commands need bash-completion).
#
# Which words may come next is what `radar completion words` answers: see its
# docstring in radar_cli/cli/completion/words.py.

_radar() {
    local program=${1/#\~\//$HOME/} line=${COMP_LINE:0:COMP_POINT}
    local gap raw i n=-1 words=() at=()

    # Bash splits words at = and : as well. Put them together as radar will get them;
    # `at` is where each begins in COMP_WORDS.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${line%%[![:space:]]*}
        line=${line#"$gap"}
        raw=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || raw=$line # what is behind the cursor doesn't count
        line=${line#"$raw"}
        if ((n < 0)) || [[ $gap ]]; then
            ((n += 1))
            words[n]=$raw at[n]=$i
        else
            words[n]+=$raw
        fi
    done

    # Readline replaces `raw`, the part behind the last = or : of the word.
    [[ ${raw//[=:]/} ]] || raw=""
    local word=${words[n]} prefix="" quote=""
    local done_already=${word%"$raw"}
    if [[ $word == --*=* ]]; then
        prefix=${word%%=*}=
        word=${word#*=}
    fi
    if [[ $word == [\"\']* ]]; then
        quote=${word:0:1}
        word=${word:1}
    fi

    COMPREPLY=()
    # The radar that was typed, by its path too; an alias or a function is no program.
    type -P -- "$program" >/dev/null || program=radar
    words[n]=$prefix$word
    local answer offered
    answer=$(command "$program" completion words "${words[@]:1}" 2>/dev/null </dev/null)
    case ${answer%%$'\n'*} in
    words)
        # Where there is nothing to offer, there is no line behind the first one.
        answer=${answer#words}
        while IFS= read -r offered; do
            offered=${offered%%$'\t'*}
            [[ $offered && $offered == "$word"* ]] || continue
            [[ $quote ]] || printf -v offered %q "$offered"
            offered=$prefix$offered
            COMPREPLY[${#COMPREPLY[@]}]=${offered#"$done_already"}
        done <<<"${answer#$'\n'}"
        ;;
    files)
        compopt -o default 2>/dev/null # readline's own, as there is nothing in COMPREPLY
        ;;
    "command "*)
        answer=${answer%%$'\n'*}
        _radar_wrapped "${at[${answer#command } + 1]}" "$raw"
        ;;
    esac
}

# Complete the command line that begins at a word of COMP_WORDS.
_radar_wrapped() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif (($1 == COMP_CWORD)); then
        while IFS= read -r; do COMPREPLY[${#COMPREPLY[@]}]=$REPLY; done < <(compgen -c -- "$2")
    else
        compopt -o default 2>/dev/null
    fi
}

complete -F _radar radar
