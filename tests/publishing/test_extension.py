"""What Sphinx does to the book's pages beyond its own."""

import pytest
from pybtex.database import Entry, Person

from analysis_lib.publishing.extension import AuthorYear


@pytest.mark.parametrize(
    ("authors", "label"),
    [
        (["Yan, Sijie"], "Yan, 2018"),
        (["Alain, Guillaume", "Bengio, Yoshua"], "Alain and Bengio, 2018"),
        (["Das, P.", "Shekkizhar, S.", "Ortega, A."], "Das et al., 2018"),
    ],
)
def test_a_reference_is_listed_as_it_is_cited(authors, label):
    entry = Entry("article", {"year": "2018"}, {"author": [Person(name) for name in authors]})
    assert list(AuthorYear().format_labels([entry])) == [label]
