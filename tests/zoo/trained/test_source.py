"""Sources of trained models: names, folders, files, and hubs, which are servers of this machine."""

import sys

import pytest

import zoo
from keras_symvae import SymmetricEquilibrium
from tests.zoo.trained import local_hub
from zoo.trained import shipped, source
from zoo.trained.card import FILE, MODEL, TEXT

SAID = {"data": "Nothing.", "licence": "CC0"}
HF, KAGGLE = "hf://user/name", "kaggle://user/name/keras/v"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that `zoo.save` wrote."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    pair = zoo.Ladder((3, 3, 1), latents=(2, 3), width=4)
    zoo.save(SymmetricEquilibrium(pair), folder, card=SAID, dtype="float16")
    return folder


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def server(folder, tmp_path, monkeypatch):
    """A hub with the folder, which both clients ask; their caches are empty."""
    constants = pytest.importorskip("huggingface_hub.constants")
    kaggle_env = pytest.importorskip("kagglesdk.kaggle_env")
    with local_hub.serving(files(folder)) as hub:
        template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
        monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
        endpoints = kaggle_env._env_to_endpoint
        monkeypatch.setitem(endpoints, kaggle_env.KaggleEnv.TEST, hub.address)
        yield hub


def test_names_folders_and_files(folder, tmp_path, monkeypatch):
    assert source.model_of(folder) == folder / MODEL == source.model_of(str(folder / MODEL))
    name = shipped.names()[0]
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / MODEL).touch()
    assert source.model_of(name).is_relative_to(shipped.FOLDER)
    assert source.model_of(f"./{name}") == tmp_path / name / MODEL
    assert [source.is_own(each) for each in (name, f"./{name}", HF, folder)] == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="source is a path; received 3"):
        source.model_of(3)


@pytest.mark.parametrize("address", [HF, f"{HF}@main", KAGGLE, f"{KAGGLE}/3"])
def test_a_hub_answers_with_the_card_and_the_model_alone(address, server, folder):
    server.files["evil.py"] = b"import os"
    path = source.model_of(address)
    assert path.read_bytes() == (folder / MODEL).read_bytes()
    assert {each.name for each in path.parent.iterdir()} == {FILE, MODEL}
    assert isinstance(zoo.load(address), SymmetricEquilibrium)


@pytest.mark.parametrize("address", [HF, f"{KAGGLE}/3"])
def test_what_was_downloaded_is_read_without_a_network(address, server, monkeypatch):
    source.model_of(address)
    server.files.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert source.model_of(address).is_file()


@pytest.mark.parametrize("address", [HF, KAGGLE])
@pytest.mark.parametrize("missing", [FILE, MODEL])
def test_a_missing_file_is_named(address, missing, server):
    del server.files[missing]
    with pytest.raises(FileNotFoundError, match=f"{address} has no {missing}") as refused:
        source.model_of(address)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("address", [HF, KAGGLE])
def test_another_model_than_that_of_the_card_is_refused(address, server):
    server.files[MODEL] += b"x"
    with pytest.raises(ValueError, match="its SHA-256 is not"):
        zoo.load(address)


@pytest.mark.parametrize("address", [HF, KAGGLE])
def test_a_hostile_card_or_model_is_refused(address, server, tmp_path):
    server.files[FILE] = b'{"files": ' * 1000
    with pytest.raises(ValueError, match=r"card\.json is damaged"):
        zoo.load(address)
    assert sorted(path.name for path in tmp_path.iterdir()) in (["hf"], ["kaggle"])


@pytest.mark.parametrize("address", [HF, KAGGLE])
def test_a_hostile_model_is_refused_though_its_digest_is_right(address, server, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / MODEL).write_bytes(b"PK\5\6" + bytes(18))
    card = zoo.trained.Card(
        name="n",
        learner="ELBO",
        model="Ladder",
        parameters=1,
        updates=1,
        seed=0,
        files={MODEL: zoo.trained.card.digest(tmp_path / "made" / MODEL)},
    )
    card.write(tmp_path / "made")
    server.files.update(files(tmp_path / "made"))
    with pytest.raises(ValueError, match=r"is no \.keras file"):
        zoo.load(address)


NOT_THERE = ["hf://user/other", "kaggle://user/other/keras/v"]


@pytest.mark.parametrize("address", NOT_THERE)
def test_a_model_that_is_not_there_is_told(address, server):
    with pytest.raises(FileNotFoundError, match=address):
        source.model_of(address)


@pytest.mark.parametrize(
    "address", ["hf://", "hf://a/b/c", "hf://a b/c", "kaggle://a", "kaggle://"]
)
def test_addresses_that_are_none_are_refused(address, server):
    with pytest.raises(ValueError, match=f"{address} is no"):
        source.model_of(address)
    assert server.asked == []


@pytest.mark.parametrize("address", [HF, KAGGLE])
def test_a_hub_that_does_not_answer_is_told(address, server):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(ConnectionError, match="does not answer"):
        source.model_of(address)


@pytest.mark.parametrize(("address", "package"), [(HF, "huggingface_hub"), (KAGGLE, "kagglehub")])
def test_without_the_extra_one_line_says_what_to_install(address, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package}, .*pip install 'keras-symvae\[hub\]'"):
        source.model_of(address)


def test_what_is_uploaded_can_be_loaded(server, folder):
    server.files.clear()
    assert zoo.upload(folder, HF) == f"{server.address}/user/name"
    assert server.made == ["name"] and server.files == files(folder)
    assert server.files.keys() == {FILE, MODEL, TEXT}
    assert isinstance(zoo.load(HF), SymmetricEquilibrium)
