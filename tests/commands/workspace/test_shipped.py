"""What ships is found from a checkout here; from a wheel in the nox session `demo`."""

from __future__ import annotations

import shutil

import pytest

from kdsl_cli.commands.workspace import shipped as module
from kdsl_cli.commands.workspace.shipped import NAMES, shipped
from kdsl_cli.dialogues.catalogue import Catalogue
from kdsl_cli.errors import ConfigError


@pytest.mark.parametrize("name", NAMES)
def test_a_checkout_gives_its_own_files(name):
    assert Catalogue.load(shipped(name) / "intents.yaml").tasks
    assert shipped(name).is_relative_to(module._PACKAGE.parent)


def test_an_installation_gives_the_files_inside_the_package(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "kdsl_cli"
    shutil.copytree(shipped("rules/ecommerce-zh"), package / "_shipped" / "rules" / "ecommerce-zh")
    (tmp_path / "site-packages" / "data" / "shop").mkdir(parents=True)  # of some other distribution
    monkeypatch.setattr(module, "_PACKAGE", package)
    assert shipped("rules/ecommerce-zh") == package / "_shipped" / "rules" / "ecommerce-zh"
    with pytest.raises(ConfigError, match="Install kdsl-cli anew"):
        shipped("data/shop")


def test_a_name_that_does_not_ship_is_told_with_those_that_do():
    with pytest.raises(ConfigError, match=r"Did you mean 'data/shop'\?"):
        shipped("data/shopp")
