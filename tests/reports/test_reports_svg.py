from nasbench.reports.svg import inline, standalone, tidy

DRAWN = """<?xml version="1.0"?>
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="9pt" viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg">
 <metadata>made at some time</metadata>
 <g id="figure_1"><!-- a -- remark -->
  <path id="m0123456789" d="M 1.04 2.06
L 5 2.06
L 5 3
L 6.26 4.5
z
" style="stroke: #010203"/>
  <use xlink:href="#m0123456789" clip-path="url(#pabcdef01)"/>
  <path d="M 0 3
C 1 3 2 3 4 4
"/>
 </g>
</svg>"""


def test_level_and_upright_steps_become_short_commands():
    assert 'd="M1 2.1H5V3L6.3 4.5z"' in tidy(DRAWN, key="k")


def test_curved_paths_are_left_as_they_are():
    assert 'd="M 0 3 C 1 3 2 3 4 4"' in tidy(DRAWN, key="k")


def test_ids_and_their_references_get_the_key():
    text = tidy(DRAWN, key="k")
    assert 'id="k-m0123456789"' in text
    assert 'href="#k-m0123456789"' in text
    assert "url(#k-pabcdef01)" in text


def test_head_metadata_and_comments_go():
    text = tidy(DRAWN, key="k")
    assert text.startswith("<svg")
    assert "metadata" not in text
    assert "remark" not in text
    assert "figure_1" not in text


def test_inline_markup_names_no_address_and_takes_page_colours():
    text = inline(tidy(DRAWN, key="k"), title="T", width=9, height=9, colours={})
    assert "http" not in text
    assert "stroke: currentColor" in text
    assert 'role="img" aria-label="T"' in text


def test_a_file_keeps_its_namespace_and_gets_fixed_ink():
    text = standalone(tidy(DRAWN, key="k"), ink="#222222")
    assert 'xmlns="http://www.w3.org/2000/svg"' in text
    assert "stroke: #222222" in text
