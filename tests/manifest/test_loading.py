"""Every refused `paved.yaml` names file, line, field, what was found and what is allowed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pavedroad.core.errors import InvalidInput
from pavedroad.manifest.loading import load, parse, validate

LEAST = "application: hello\nowner: team-road\ncommand: ./serve\n"


def refusal_of(text: str | bytes) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidInput) as refused:
        parse(content)
    return refused.value.sentence


def test_a_folder_and_its_file_load_alike(tmp_path: Path) -> None:
    (tmp_path / "paved.yaml").write_text(LEAST)
    assert load(tmp_path) == load(tmp_path / "paved.yaml")


def test_a_missing_file_is_said_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        load(tmp_path)
    assert str(tmp_path / "paved.yaml") in refused.value.sentence
    assert "paved new" in (refused.value.next_step or "")


def test_an_unreadable_path_is_said(tmp_path: Path) -> None:
    (tmp_path / "paved.yaml").mkdir()
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "paved.yaml").write_bytes(b"#" * 10_000_000)
    with pytest.raises(InvalidInput, match=r"10,000,000 bytes large; allowed are 65,536"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LEAST + "port: http\n", "paved.yaml:4:7: port: found 'http'; allowed: a port from 1 to 65535."),
        (LEAST + "port: 70000\n", "paved.yaml:4:7: port: found '70000'; allowed: a port from 1 to 65535."),
        (
            LEAST + "health:\n  path: /healthz\n  interval: soon\n",
            "6:13: health.interval: found 'soon'; allowed: a duration such as 30s, 5m or 1h30m, or a number",
        ),
        (
            LEAST + "health: {interval: 1h}\n",
            "paved.yaml:4:20: health.interval: found '1h'; allowed: whole seconds from 1s to 300s.",
        ),
        (
            LEAST + "strategy: blue-green\n",
            "4:11: strategy.kind: found 'blue-green'; allowed: 'red-black', 'highlander' or 'none'.",
        ),
        (
            LEAST + "zones: [us-east-1a, nowhere]\n",
            "paved.yaml:4:21: zones[1]: found 'nowhere'; allowed: a zone such as us-east-1a.",
        ),
        (LEAST + "command: x\n", "paved.yaml:4:1: command is there twice; the first is on line 3."),
        (LEAST + "build:\n\tkind: python\n", "paved.yaml:5:1: found a tab; indentation is by spaces."),
        (LEAST + "stop:\n", None),
        (LEAST + "zones: us-east-1a\n", "paved.yaml:4:8: zones: found 'us-east-1a'; allowed: a list."),
        (
            LEAST + "build: [a]\n",
            "paved.yaml:4:8: build: found a list; allowed: a mapping with the fields kind,",
        ),
        (
            LEAST + "environment: {PORT: 1}\n",
            "allowed: any variable but HOST, PORT and PAVED_*, which Pavedroad sets.",
        ),
        (
            LEAST + "capacity: {minimum: 3, maximum: 1}\n",
            "capacity: found a mapping; allowed: minimum <= desired",
        ),
        ("", "paved.yaml:1:1: the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("hello", "found a value; allowed is a mapping of fields"),
        ("- a\n- b\n", "found a value; allowed is a mapping of fields"),
        ("a: b: c\n", "this is not YAML"),
        ('owner: "open\n', "this is not YAML"),
        ("a: &x 1\nb: *x\n", "paved.yaml:1:4: anchors and aliases (& and *) are not allowed"),
        ("a: !!python/object:os.system x\n", "tags (!) are not allowed"),
        ("[a]: b\n", "paved.yaml:1:1: found a list or a mapping as a field's name"),
        (LEAST + "---\n" + LEAST, "paved.yaml:4:1: found a second document"),
        ("a: " + "[" * 100 + "]" * 100, "found more than 20 levels"),
        (b"owner: caf\xe9\n", "paved.yaml:1:11: found the byte 0xe9; allowed is text in UTF-8."),
        ("a: \x00", "paved.yaml:1:4: a control character is not allowed."),
    ],
)
def test_a_refusal_says_where_what_was_found_and_what_is_allowed(
    text: str | bytes, sentence: str | None
) -> None:
    if sentence is None:
        assert "found nothing" in refusal_of(text)
    else:
        assert sentence in refusal_of(text)


def test_a_typo_is_told_the_nearest_field() -> None:
    sentence = refusal_of(LEAST + "helth: /\n")
    assert sentence.startswith(
        "paved.yaml:4:1: helth is not a field; did you mean 'health'? Allowed: application,"
    )
    nested = refusal_of(LEAST + "health:\n  intervall: 2s\n")
    assert "paved.yaml:5:3: health.intervall is not a field; did you mean 'interval'?" in nested


def test_missing_fields_are_named_with_their_meaning() -> None:
    sentence = refusal_of("application: hello\n")
    assert "owner is missing: the team" in sentence
    assert "command is missing: what an instance runs" in sentence


def test_all_refusals_come_together_in_the_files_order() -> None:
    lines = refusal_of("application: a b\nowner: x\ncommand: y\nport: 0\nstop: never\n").splitlines()
    assert [line.split(": ")[0] for line in lines] == ["paved.yaml:1:14", "paved.yaml:4:7", "paved.yaml:5:7"]


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x]\n" + "".join(f"{n}: &{n} [*a, *a]\n" for n in "bcdefgh")
    assert "anchors and aliases" in refusal_of(bomb)


def test_variables_are_taken_as_they_are_written() -> None:
    manifest = parse(
        (LEAST + "environment: {A: 1.10, B: yes, C: 010, D: '', E: true, F: 2026-01-01}\n").encode()
    )
    assert manifest.environment == {
        "A": "1.10",
        "B": "yes",
        "C": "010",
        "D": "",
        "E": "true",
        "F": "2026-01-01",
    }


def test_plain_words_stay_words() -> None:
    assert parse((LEAST + "stack: no\ndetail: on\n").encode()).stack == "no"


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    assert parse(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode()).application == "hello"


def test_values_without_a_file_are_refused_by_field() -> None:
    with pytest.raises(InvalidInput, match=r"port: found '0'; allowed: a port from 1 to 65535\."):
        validate({"application": "a", "owner": "b", "command": "c", "port": 0})


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "paved.yaml")
    with pytest.raises(InvalidInput, match="neither a file nor a folder"):
        load(tmp_path)


def test_json_escapes_of_one_character_are_one_character() -> None:
    words = {"application": "hello", "owner": "me", "command": "echo \U0001f600"}
    assert parse(json.dumps(words, indent="\t").encode()).command == "echo \U0001f600"
    text = LEAST + r'environment: {"\ud83d": x}' + "\n"
    assert parse(text.replace('"\\ud83d": x', r'A: "\ud83d\ude00"').encode()).environment == {
        "A": "\U0001f600"
    }
    assert "4:15: found \\ud83d, which is half of a character" in refusal_of(text)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (r'environment: {A: "x\ude00"}', r"4:18: found \ude00, which is half of a character"),
        (r'build: {kind: python, packages: ["\ud83d"]}', r"4:34: found \ud83d, which is half of a character"),
        (r'build: {exclude: ["a\0b"]}', r"4:19: found \0, which no text may hold"),
        (r'environment: {A: "\UFFFFFFFF"}', r"4:19: found \UFFFFFFFF, and no character has this number"),
        (
            "stack: pre-prod",
            "allowed: letters, digits, '.' and '_', such as pre_prod; a '-' parts the names of",
        ),
        ("port: 010", "4:7: port: found '010'; allowed: a port from 1 to 65535"),
        (
            "stack: 7",
            "4:8: stack: found '7'; allowed: letters, digits, '.' and '_'; in quotes, or it is a number",
        ),
        (r'detail: "a\e[1m"', "found 'a␛[1m'"),
    ],
)
def test_what_cannot_be_written_or_is_ambiguous_is_refused_where_it_stands(line: str, sentence: str) -> None:
    assert sentence in refusal_of(LEAST + line + "\n")


@pytest.mark.parametrize(
    "more",
    [
        {"environment": {"A": "\ud83d"}},
        {"environment": {"\ud83d": "x"}},
        {"command": "\ud83d"},
        {"command": "a\rb"},
        {"build": {"packages": ["a\0"]}},
        {"build": {"exclude": ["\ud83d"]}},
        {"build": {"\ud83d": 1}},
        {"owner": "\ud83d"},
        {"strategy": "\ud83d"},
        {"\ud83d": 1},
    ],
    ids=ascii,
)
def test_values_that_cannot_be_written_are_refused_in_words_that_can(more: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        validate({"application": "hello", "owner": "me", "command": "./serve", **more})
    refused.value.sentence.encode()
