"""A place names the files of an experiment, in its own folder or in one for several."""

from scripts.experiments.place import ROOM, Place


def test_an_own_folder_has_files_of_fixed_names():
    place = Place("squares")
    assert place.folder == ROOM / "squares" and place.table.name == "table.md"
    assert place.results.name == "results.json"
    assert [place.picture().name, place.picture("roots").name] == ["picture.png", "roots.png"]


def test_a_folder_for_several_has_files_with_the_experiment_s_name(tmp_path):
    place = Place("squares", tmp_path)
    assert place.table == tmp_path / "squares.md" and place.results == tmp_path / "squares.json"
    assert place.picture() == tmp_path / "squares.png"
    assert place.picture("roots") == tmp_path / "squares_roots.png"
