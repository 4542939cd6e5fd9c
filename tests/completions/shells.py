"""The three shells, interactive on a terminal, asked what they would offer."""

import re
import subprocess
from pathlib import Path

from tests.support.radar import environment
from tests.support.requirements import require, require_program
from tests.support.terminal import Terminal

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
_PROMPT = "ready> "
_LIST = b"\x18\x0c"  # ^X^L, which the start files below bind to listing what Tab would offer
# zsh resets its colours before the prompt.
_NEW_PROMPT = rb"\n(?:\r|\x1b\[[0-9;]*[A-Za-z])*" + _PROMPT.encode()
_KILL_LINE = b"\x15"
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>()][0B]?)|[\x00\x07\x08]")

# How each shell learns radar's words and those of `mytool`; {radar} comes in between.
START_FILES = {
    "bash": f"""
PS1='{_PROMPT}' HISTFILE=
for setting in 'enable-bracketed-paste off' 'page-completions off' 'completion-query-items 0' \\
    'bell-style audible'; do bind "set $setting"; done
bind '"\\C-x\\C-l": possible-completions'
source {BASH_COMPLETION}
complete -W 'alpha beta --loud' mytool
{{radar}}
""",
    "zsh": f"""
PS1='{_PROMPT}' LISTMAX=0
unsetopt always_last_prompt prompt_sp
unset zle_bracketed_paste
autoload -Uz compinit && compinit -u -d ~/.zcompdump
bindkey -e
bindkey '^X^L' list-choices
[[ $VERBOSE ]] || zstyle ':completion:*' verbose no
_mytool() {{{{ if [[ $PREFIX == -* ]]; then compadd -- --loud; else compadd alpha beta; fi }}}}
compdef _mytool mytool
{{radar}}
""",
    "fish": """
complete --command mytool --no-files --arguments 'alpha beta'
complete --command mytool --long-option loud
{radar}
""",
}
# Into its start file, this is what makes a shell know radar.
SOURCED = {
    "bash": 'eval "$(radar completion bash)"',
    "zsh": "source <(radar completion zsh)",
    "fish": "radar completion fish | source",
}


class Shell:
    """An interactive shell, of which `offered` asks what Tab would offer."""

    def __init__(self, name: str, home: Path, radar: str | None, **extra: str) -> None:
        """Start it; `radar` goes into its start file, which stays as it is for None."""
        self.name = name
        self._program = program = require_program(name)
        if name == "bash":
            require(BASH_COMPLETION.exists(), "bash-completion is not installed")
        path = {
            "bash": home / ".bashrc",
            "zsh": home / ".zshrc",
            "fish": home / ".config/fish/config.fish",
        }[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        if radar is not None:
            path.write_text(START_FILES[name].format(radar=radar))
        self._env = environment(measured=False, **extra)
        if "PATH" not in extra:
            self._env["PATH"] = f"{home / 'bin'}:{self._env['PATH']}"
        self._terminal: Terminal | None = None
        self.seen = ""  # all that appeared when it was asked last, besides what was typed
        if name != "fish":
            words = {"bash": ("--noprofile", "-i"), "zsh": ("-d", "-i")}[name]
            self._terminal = Terminal((program, *words), self._env, rows=50, columns=500)
            self._terminal.read_until(_PROMPT.encode(), timeout_s=60)

    def offered(self, typed: str) -> set[str]:
        """The words that Tab would offer behind `typed`, without what stands before a `=`."""
        return {word for line in self.listed(typed) for word in line.split("\t")[0].split()}

    def listed(self, typed: str) -> list[str]:
        """The lines that the shell lists."""
        if self._terminal is None:
            # fish's own way to ask what it would offer; a meaning follows a tab.
            done = subprocess.run(
                [self._program, "-c", "complete --do-complete $argv[1]", typed],
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=60,
            )
            assert done.stderr == b""
            self.seen = done.stdout.decode()
            lines = self.seen.splitlines()
            prefix = re.match(r"--[^= ]+=", typed.rpartition(" ")[2])
            return [line.removeprefix(prefix[0] if prefix else "") for line in lines]
        self._terminal.send(typed.encode() + _LIST)
        # The list and a new prompt; or just the bell.
        text = self._terminal.read_until(b"(.*?)(?:" + _NEW_PROMPT + b"|\x07)", 30)[1]
        self._start_anew()
        shown = _ESCAPE.sub(b"", text).decode().replace("\r", "\n")
        self.seen = shown.replace(typed, "")
        return shown.partition("\n")[2].splitlines()

    def run(self, keys: str) -> str:
        """What comes out when `keys` are typed, Tabs among them, and Enter."""
        assert self._terminal is not None
        self._terminal.send(keys.encode() + b"\n")
        text = self._terminal.read_until(b"(.*?)" + _NEW_PROMPT, 30)[1]
        return _ESCAPE.sub(b"", text).decode().partition("\n")[2].strip()

    def carry_out(self, line: str) -> None:
        """Run a line."""
        if self._terminal is not None:
            self.run(line)
            return
        done = subprocess.run(
            [self._program, "-c", line], env=self._env, capture_output=True, check=True, timeout=60
        )
        assert (done.stdout, done.stderr) == (b"", b"")

    def _start_anew(self) -> None:
        assert self._terminal is not None
        self._terminal.send(_KILL_LINE + b": anew\n")
        self._terminal.read_until(b"anew[^\n]*" + _NEW_PROMPT, 30)
