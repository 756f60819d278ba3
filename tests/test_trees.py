"""Walking decision trees."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from melodygru.trees import leaves


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 30))
def test_rows_come_to_the_leaves_that_scikit_learn_takes_them_to(seed, features, count):
    rng = np.random.default_rng(seed)
    seen, wanted = rng.normal(size=(60, features)).astype(np.float32), rng.normal(size=60)
    trees = [DecisionTreeRegressor(max_depth=depth, random_state=0).fit(seen, wanted).tree_ for depth in (1, 4)]
    sizes = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    end = [tree.children_left < 0 for tree in trees]
    feature = np.concatenate([np.where(leaf, -1, tree.feature) for tree, leaf in zip(trees, end, strict=True)])
    below, above = (
        np.concatenate(
            [np.maximum(getattr(tree, f"children_{side}"), 0) + size for tree, size in zip(trees, sizes, strict=True)]
        )
        for side in ("left", "right")
    )
    threshold = np.concatenate([tree.threshold for tree in trees])
    rows = rng.normal(size=(count, features)).astype(np.float32)
    found = leaves(rows, feature, threshold, below, above, sizes)
    assert (
        found.tolist()
        == np.stack([tree.apply(rows) + size for tree, size in zip(trees, sizes, strict=True)], 1).tolist()
    )
