"""A group of commands that lists when it is called without one, as `radar celery workers`."""

import click
from click.core import ParameterSource

# What stands before the subcommand counts for it, too.
_SHARED = ("broker", "app", "key_prefix", "timeout")


def shared_options(context: click.Context, options: dict[str, str]) -> dict[str, str]:
    """The options of `broker_options` and `timeout_option`: a subcommand's own, or its group's."""
    above = context.parent.params if context.parent is not None else {}
    shared = {}
    for name in _SHARED:
        is_given = context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
        shared[name] = options[name] if is_given else above.get(name, options[name])
    return shared
