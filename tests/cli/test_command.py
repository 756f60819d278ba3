"""Words that people know from elsewhere, in place of a command's own."""

from tests.cli.test_options import recipe_of
from tests.command_line import run


def test_names_from_elsewhere_work_and_stand_on_no_help_page(here, capsys):
    arguments = ["--bundle_file", "toy", "--num_outputs=2", "--qpm", "97", "--backing-chords", "Am F", "--metre=3/4"]
    assert run("generate", *arguments, "a.mid") == 0
    assert recipe_of("a-02.mid").config.as_dict() == {"meter": "3/4", "bpm": 97, "chords": "Am F"}
    assert run("generate", "--model", "toy", "--primer-midi", "a-01.mid", "--primer_bars", 1, "--bars", 4, "b.mid") == 0
    capsys.readouterr()
    run("generate", "--help")
    page = capsys.readouterr().out
    assert not [name for name in ("--qpm", "--num-outputs", "--primer-midi", "--backing", "--bundle") if name in page]
