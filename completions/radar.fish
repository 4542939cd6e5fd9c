# fish completion of radar.
#
# Which words may come next is what `radar completion words` answers: see its
# docstring in radar_cli/cli/completion/words.py.

function __radar_complete --description "Print what may come next on radar's command line"
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # The radar that was typed, by its path too; an alias or a function is no program.
    set -l program (string replace --regex '^~/' $HOME/ -- $words[1])
    command --query -- $program
    or set program radar
    command --query $program
    or return # fish itself would complain, whatever stderr is
    set -e words[1]

    set -l answer (command $program completion words $words "$current" 2>/dev/null </dev/null)
    set -l mode $answer[1]
    set -e answer[1]
    # fish replaces the whole word, which may be --option=VALUE.
    set -l prefix (string match --regex -- '^--[^=]+=' "$current")
    switch "$mode"
        case words
            for line in $answer
                echo -- "$prefix$line"
            end
        case files
            for line in (__fish_complete_path (string replace -- "$prefix" '' "$current"))
                echo -- "$prefix$line"
            end
        case 'command *'
            set -l begins_at (string replace 'command ' '' -- $mode)
            if test $begins_at -gt 0
                set -e words[1..$begins_at]
            end
            complete --do-complete (string join ' ' -- (string escape -- $words) "$current")
    end
end

complete --command radar --no-files --arguments '(__radar_complete)'
