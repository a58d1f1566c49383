import sys

from kdsl_cli.search.problem import Named
from kdsl_cli.search.tree import ROOT_INDEX, UNEVALUATED, UNEXPANDED, Tree


def chain(length):
    """Return a tree that is one line of nodes, the last one not expanded, and that last node."""
    tree = Tree("0", 0)
    last = tree.root
    for i in range(1, length):
        tree.expand(last, [Named("on", 1.0)])
        tree.admit(last, limit=1)
        child = tree.add(str(i), i, 0.5)
        tree.link(last.edges[0], child)
        last = child
    return tree, last


def test_a_new_tree_holds_an_unevaluated_unexpanded_root():
    root = Tree("start", object()).root
    assert (root.index, root.key) == (ROOT_INDEX, "start")
    assert root.value == root.mean == root.max == UNEVALUATED
    assert root.waiting is UNEXPANDED and not root.exhausted


def test_actions_wait_in_prior_order_and_in_the_problems_order_among_equals():
    tree = Tree("", None)
    tree.expand(tree.root, [Named(label, prior) for label, prior in [("a", 1), ("b", 3), ("c", 1), ("d", 3)]])
    for limit in range(5):
        tree.admit(tree.root, limit)
    assert [edge.label for edge in tree.root.edges] == ["b", "d", "a", "c"]


def test_the_end_of_a_chain_longer_than_pythons_stack_exhausts_all_of_it():
    tree, last = chain(2 * sys.getrecursionlimit())
    assert not tree.root.exhausted
    tree.expand(last, [])
    tree.close(last)
    assert all(node.exhausted and not node.open for node in tree.nodes.values())


def test_a_node_with_another_way_open_is_not_exhausted():
    tree = Tree("", None)
    tree.expand(tree.root, [Named("a", 1.0), Named("b", 1.0)])
    tree.admit(tree.root, limit=1)
    child = tree.add("a", None, 0.5)
    tree.link(tree.root.edges[0], child)
    tree.expand(child, [])
    tree.close(child)
    assert not tree.root.exhausted
    tree.admit(tree.root, limit=1)
    assert [edge.label for edge in tree.root.open] == ["b"]
