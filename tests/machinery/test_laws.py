"""The laws between the modules of radar, as far as import-linter doesn't hold them."""

from graphlib import TopologicalSorter

import grimp


def test_no_module_imports_itself_through_others() -> None:
    """Imports for types alone don't count, late ones do."""
    graph = grimp.build_graph(
        "radar_cli", exclude_type_checking_imports=True, include_external_packages=False
    )
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 200
    TopologicalSorter(imports).prepare()
