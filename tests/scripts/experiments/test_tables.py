"""Tables: means with their spread, and results chosen by their settings."""

from scripts.experiments.tables import chosen, findings, markdown, mean_of

RESULTS = {
    f"{method}-{seed}": {"settings": {"method": method, "seed": seed}, "found": {"x": seed}}
    for seed in (0, 1)
    for method in ("a", "b")
}


def test_means_stand_with_their_spread():
    assert mean_of([1.0]) == "1.00"
    assert mean_of([1.0, 2.0, 3.0], digits=1) == "2.0 ± 1.0"


def test_results_are_chosen_by_their_settings():
    assert findings(RESULTS, method="a") == [{"x": 0}, {"x": 1}]
    assert findings(RESULTS, method="b", seed=1) == [{"x": 1}]
    assert findings(RESULTS) == [{"x": 0}, {"x": 0}, {"x": 1}, {"x": 1}]
    assert findings(RESULTS, method="a", unheard=3) == []
    assert chosen(RESULTS, method="b", seed=0) == [RESULTS["b-0"]]


def test_a_table_is_markdown():
    assert markdown(["n", "square"], [[2, 4]]) == "| n | square |\n| --- | --- |\n| 2 | 4 |\n"
