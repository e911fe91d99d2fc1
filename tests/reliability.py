"""Situations that went wrong once, here or elsewhere, and the tests that try them.

    python -m tests.reliability

runs all of these tests and writes docs/reliability.md, with how many tries each had and how many
of them went wrong. `tests/test_reliability.py` holds this table against the tests there are.
"""

import collections
import fnmatch
import os
import pathlib
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping

import pytest

from zoo.runs import report

ROOT = pathlib.Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- tried by python -m tests.reliability -->", "<!-- end -->"

DATA, INTAKE = "tests/learners/test_data.py::", "tests/data/test_intake.py::"
IDIOMS = "tests/learners/test_keras_idioms.py::"
OPTIMIZERS = "tests/learners/step/test_optimizers.py::"
OWN = "tests/learners/test_own_networks.py::"
BACKUP, TORTURE = "tests/callbacks/test_backup.py::", "tests/callbacks/test_torture.py::"
ENVIRONMENT = "tests/test_environment.py::"
STRANGERS, ODD = "tests/security/", "tests/properties/"
COMMANDS, RUNS = "tests/zoo/cli/test_scripts.py::", "tests/zoo/runs/"
BATCHES = f"{DATA}test_batches_are_refused_as_arrays_are"
LABELS = f"{DATA}test_labels_in_batches_are_checked_as_labels_in_arrays"
FORMS = f"{DATA}test_all_forms_of_the_same_batches_train_alike_and_lose_none"
DONE = f"{TORTURE}test_a_run_that_is_treated_badly_ends_as_any_other"

# {section: {situation: tests}}, a test as pytest names it; "[x*]" are its cases that begin so.
SITUATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Data that bring their own batches (tf.data, PyDataset, generators)": {
        "images of bytes 0 to 255 for pixels in [0, 1]": (f"{BATCHES}[*bytes*]",),
        "a missing channel axis, whatever the batch size": (f"{BATCHES}[a missing channel*]",),
        "channels first, flat pixels, another shape": (
            f"{BATCHES}[channels first]",
            f"{BATCHES}[flat pixels]",
            f"{BATCHES}[another shape]",
        ),
        "a spec of unknown rank or sizes": (f"{BATCHES}[unknown*", f"{FORMS}[unknown*"),
        "single examples in place of batches": (
            f"{BATCHES}[not batched]",
            f"{BATCHES}[a generator of examples]",
        ),
        "labels as one-hot codes, with an axis too many, from 1 on, floats, below -1": (LABELS,),
        "NaN in training or validation data": (f"{BATCHES}[NaN]",),
        "a late batch that is wrong": (
            f"{BATCHES}[batches, of which a late one is bad]",
            f"{DATA}test_a_late_faulty_batch_stops_training_before_it_is_learned_from",
            f"{DATA}test_batches_of_a_users_own_are_checked_beyond_the_first",
        ),
        "({x}, None), plain arrays, dicts, halves, bits as bytes: all train alike": (FORMS,),
        "data without an end, data that can be read once": (
            f"{BATCHES}[no end]",
            f"{BATCHES}[an endless PyDataset]",
            f"{DATA}test_endless_data_are_taken_with_steps",
            f"{DATA}test_what_can_be_read_once_is_not_read_twice",
        ),
        "the test in the graph passes what the check of arrays passes": (
            f"{INTAKE}test_what_is_plausible_passes_and_what_passes_is_plausible",
        ),
    },
    "Arrays": {
        "fit(x, x), validation_data=(x, x)": (f"{DATA}test_a_target_that_equals_x_is_x",),
        "lists of images, of arrays, of several shapes": (f"{DATA}test_lists_*",),
        "labels as strings or objects": (f"{LABELS}[*strings*", f"{LABELS}[*objects*"),
        "a batch size of 0, of 2.5": (f"{DATA}test_a_batch_size_is_positive",),
        "validation_split, shuffle=False, sample_weight, class_weight, metrics": (
            f"{IDIOMS}test_a_split_is_validation_data_given_by_hand",
            f"{IDIOMS}test_without_shuffling_a_step_sees_the_examples_in_their_order",
            f"{IDIOMS}test_weights_of_examples_are_refused_with_a_remedy",
            f"{IDIOMS}test_what_keras_compiles_and_a_game_is_not_is_refused",
        ),
        "fewer examples than a batch": (
            "tests/data/test_batches.py::test_at_most_all_examples_fill_a_batch",
        ),
        "a seed that is none": (f"{DATA}test_a_seed_is_an_integer",),
        "numbers of steps, samples, latents and pixels that are none": (
            "tests/model/test_pair.py::test_wrong_questions_are_refused",
            "tests/zoo/architectures/test_ladder.py::test_impossible_ladders_are_refused",
        ),
        "a question about no data": (f"{DATA}test_a_question_without_data_says_so",),
    },
    "compile": {
        "no optimizer": (f"{OPTIMIZERS}test_no_optimizer_is_refused",),
        "loss scaling of one player": (
            f"{OPTIMIZERS}test_the_loss_is_scaled_for_all_players_or_for_none",
        ),
        "an optimizer of another model": (
            f"{OPTIMIZERS}test_an_optimizer_of_another_model_is_refused",
        ),
        "mean weights, summed gradients, clipping, AdamW, Muon, Lion": (
            f"{OPTIMIZERS}test_optimizers_of_keras_train_every_player",
        ),
        "EarlyStopping and ReduceLROnPlateau without mode": (
            f"{OPTIMIZERS}test_callbacks_know_whether_a_metric_falls_or_rises",
            f"{OPTIMIZERS}test_the_rate_of_all_players_falls_on_a_plateau",
        ),
        "the rate of one player": (f"{OPTIMIZERS}test_rates_are_read_and_set_by_player",),
        "a frozen player with an optimizer, parts that are unfrozen": (
            f"{OWN}test_a_frozen_player_may_have_an_optimizer_of_its_own",
            f"{OWN}test_made_while_frozen_and_compiled_after_it_learns",
            f"{OWN}test_freezing_after_compile_counts_and_unfreezing_asks_for_another",
        ),
    },
    "Own networks": {
        "Dropout, also through an interruption": (
            f"{OWN}test_layers_are_in_training_mode_where_their_player_learns",
            f"{OWN}test_training_with_dropout_goes_on_bit_by_bit",
        ),
        "BatchNormalization": (
            f"{OWN}test_batch_statistics_are_those_of_the_passes_in_which_their_player_learns",
            f"{OWN}test_a_step_that_is_left_out_leaves_batch_statistics_as_they_were",
        ),
        "regularizers and add_loss": (
            f"{OWN}test_regularizers_are_costs_of_their_player",
            f"{OWN}test_a_regularizer_shrinks_weights_as_its_gradient_says",
            f"{OWN}test_what_layers_add_in_a_pass_is_a_cost",
        ),
        "SpectralNormalization, in trunks and critics too": (
            f"{OWN}test_trunks_and_critics_count_as_well",
        ),
        "constraints": (f"{OWN}test_constraints_hold_after_every_step",),
        "frozen parts through files": (
            f"{OWN}test_a_frozen_player_stays_frozen_through_a_file",
            f"{OWN}test_single_layers_stay_frozen_and_unfrozen_through_a_file",
        ),
        "a warm-up with a frozen player and its Backup folder": (
            f"{BACKUP}test_a_warm_up_with_a_frozen_player_is_another_training",
        ),
    },
    "Backup": {
        "a second fit, of other data, with the same folder": (
            f"{BACKUP}test_the_state_of_other_data_is_refused_by_name",
            f"{BACKUP}test_a_second_fit_of_the_same_object_on_other_data_is_refused",
            f"{BACKUP}test_data_of_every_kind_are_told_apart",
        ),
        "another learner, pair, optimizer, rate or seed": (
            f"{BACKUP}test_the_state_of_another_learner_is_refused_by_name",
        ),
        "nothing left to train": ("tests/callbacks/test_callbacks.py::test_two_states_are_kept_*",),
        "a folder of the home directory": (f"{BACKUP}test_a_folder_of_the_home_directory",),
        "callbacks alone, in lists, in a CallbackList": (
            f"{BACKUP}test_callbacks_come_alone_or_in_any_list",
        ),
        "BackupAndRestore of Keras": (f"{BACKUP}test_the_backup_of_keras_is_said_to_be_inexact",),
        "names of any language, callbacks of Keras, copies": (
            f"{IDIOMS}test_names_and_folders_may_be_of_any_language",
            f"{IDIOMS}test_callbacks_of_keras_go_along",
            f"{IDIOMS}test_a_copy_goes_on_as_its_original",
            f"{IDIOMS}test_a_clone_has_the_structure_and_weights_of_its_own",
        ),
        "two processes in one folder": (
            f"{BACKUP}test_a_folder_is_locked_until_its_process_has_died",
            f"{COMMANDS}test_the_folder_of_a_living_run_is_refused",
        ),
        "states of former versions": (f"{BACKUP}test_a_state_of_a_former_version_is_*",),
    },
    "Questions": {
        "predict on several batches": (
            f"{DATA}test_predict_is_reconstruct_however_data_are_divided",
            f"{DATA}test_codes_of_predict_do_not_repeat_from_batch_to_batch",
        ),
        "predict on bytes, without a channel, with NaN": (
            f"{DATA}test_predict_checks_as_reconstruct_does",
        ),
        "weights from a learner to a pair and back": (
            f"{OWN}test_weights_go_from_learner_to_pair_and_back",
        ),
        "quantize": (f"{OWN}test_quantize_is_of_networks",),
    },
    "Environment": {
        "KERAS_BACKEND=jax, torch": (f"{ENVIRONMENT}test_a*backend_is_refused*",),
        "tf_keras beside Keras": (
            f"{ENVIRONMENT}test_what_belongs_to_tf_keras_is_refused_by_name",
        ),
        "a model of the zoo where the zoo is not imported": (
            f"{STRANGERS}test_models.py::test_without_the_zoo_a_message_says_what_to_import",
        ),
        "no home, no temporary folder, no stderr": (f"{ENVIRONMENT}test_training_needs_neither*",),
        "an installed wheel in an empty folder": ("tests/test_wheel.py::test_three_commands_*",),
    },
    "Runs": {
        "killed at random moments, once and twice; a full disk; a state cut off": (DONE,),
        "a damaged newest state": (
            f"{BACKUP}test_the_state_before_a_damaged_one_is_taken",
            f"{BACKUP}test_damaged_states_only_are_refused",
        ),
        "a full disk": (
            f"{BACKUP}test_a_full_disk_leaves_the_last_state",
            f"{RUNS}test_run.py::test_a_model_that_finds_no_room_leaves_the_former_one",
        ),
        "Ctrl-C and SIGTERM": (
            f"{BACKUP}test_an_interrupted_fit_says_what_is_kept",
            f"{BACKUP}test_sigterm_ends_a_fit_as_ctrl_c_does",
            f"{COMMANDS}test_a_stopped_command_says_in_one_line_what_is_kept_and_how_to_go_on",
        ),
        "a finished run that should go on": (
            f"{COMMANDS}test_a_finished_run_is_told_to_be_finished",
            f"{RUNS}test_start.py::test_a_run_begins_from_another",
        ),
        "a data set in one part, sorted or shuffled by its owner": (
            "tests/zoo/datasets/test_splits.py::test_a_set_that_its_owner_shuffled*",
            "tests/zoo/datasets/test_splits.py::test_runs_of_version_0_1_0_keep_their_split",
        ),
        "label maps with 255": (
            "tests/zoo/datasets/test_label_maps.py::test_pixels_*",
            f"{RUNS}test_settings.py::test_a_class_that_is_ignored_is_pixels_without_a_label",
        ),
        "every slot of an optimizer once in a file": (
            f"{BACKUP}test_every_slot_of_an_optimizer_stands_once_in_a_file",
            f"{BACKUP}test_a_file_that_holds_every_slot_twice_loads",
        ),
    },
    "Files of strangers (see SECURITY.md)": {
        "models that run code, read other files or fill the memory": (
            f"{STRANGERS}test_models.py::test_*",
        ),
        "arrays and IDX files: pickles, bombs, false headers, cut short": (
            f"{STRANGERS}test_archives.py::test_*",
        ),
        "images: bombs, links, deep folders, pipes, names that break lines": (
            f"{STRANGERS}test_images.py::test_*",
        ),
        "run folders: settings, metrics, links": (f"{STRANGERS}test_settings.py::test_*",),
        "backups": (f"{STRANGERS}test_backups.py::test_*",),
    },
    "Odd arguments (2,000 tries of Hypothesis; here a try is a public call)": {
        "constructors": (f"{ODD}test_constructors.py::test_*",),
        "training": (f"{ODD}test_training.py::test_*",),
        "questions": (f"{ODD}test_questions.py::test_*",),
        "other functions": (f"{ODD}test_functions.py::test_*",),
        "every public call is among them": (f"{ODD}test_completeness.py::test_*",),
    },
}


class Counter:
    """Counts what pytest finds: {test: how its cases ended}."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps the worst of setup, call and teardown."""
        if report.when == "call" or report.failed:
            self.outcomes[report.nodeid] = report.outcome


def rows() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yields (section, situation, tests)."""
    for section, situations in SITUATIONS.items():
        for situation, tests in situations.items():
            yield section, situation, tests


def chosen(names: Iterable[str], tests: Iterable[str]) -> set[str]:
    """Returns those names of cases that belong to tests, which are patterns."""
    found = set()
    for test in tests:
        # Only stars are patterns: brackets stand around the parameters of a case.
        pattern = test.replace("[", "[[]")
        wanted = (pattern, pattern + "[[]*")
        found |= {name for name in names if any(fnmatch.fnmatchcase(name, w) for w in wanted)}
    return found


def table(outcomes: Mapping[str, str]) -> str:
    """Returns the Markdown of outcomes {case: "passed", "failed" or "skipped"}."""
    lines = []
    for section, situations in SITUATIONS.items():
        lines += [
            f"\n### {section}\n",
            "| situation | tries | wrong | tests |",
            "|---|---|---|---|",
        ]
        for situation, tests in situations.items():
            ended = [outcomes[name] for name in chosen(outcomes, tests)]
            ended = [each for each in ended if each != "skipped"]
            wrong = ended.count("failed")
            shown = ", ".join(f"`{test.removeprefix('tests/')}`" for test in tests)
            lines.append(f"| {situation} | {len(ended)} | {wrong} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs all tests of the table, writes the page; returns how many went wrong."""
    files = sorted({test.partition("::")[0] for _, _, tests in rows() for test in tests})
    collected = Counter()
    os.chdir(ROOT)
    wanted = [test for _, _, tests in rows() for test in tests]

    class Selection:
        """Leaves out cases of the same files that belong to no situation."""

        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            kept = chosen([item.nodeid for item in items], wanted)
            items[:] = [item for item in items if item.nodeid in kept]

    pytest.main(["-q", "--no-header", *files], plugins=[collected, Selection()])
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    versions = ", ".join(f"{name} {value}" for name, value in report.versions().items())
    counted = collections.Counter(collected.outcomes.values())
    said = f"{counted['passed'] + counted['failed']} tries, {counted['failed']} wrong; {versions}"
    said += f"; {platform.system()}."
    made = f"{BEGIN}\n\n{said}\n{table(collected.outcomes)}\n{END}"
    PAGE.write_text(head + made + tail, encoding="utf-8")
    return counted["failed"]


if __name__ == "__main__":
    sys.exit(min(main(), 1))
