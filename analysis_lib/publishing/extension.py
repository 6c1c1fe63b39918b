"""What Sphinx does to a page of the book beyond its own: the set-up goes last, terms are explained, references are
listed as they are cited.

Named among the extensions of ``_config.yml``.
"""

import re

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as Plain
from pybtex.style.labels import BaseLabelStyle

from analysis_lib.publishing.page import SET_UP

#: where a term is not explained: what is no running text, or leads elsewhere already
_NOT_HERE = (
    nodes.title,
    nodes.citation,
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.caption,
    nodes.term,
)


def setup(app) -> dict:
    """Connect the steps with Sphinx."""
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    app.connect("doctree-read", lambda app, page: set_up_last(page))
    app.connect("doctree-resolved", _explained)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


class Labels(BaseLabelStyle):
    """The labels of references as the text has them: "Das et al., 2023"."""

    def format_labels(self, entries):
        """Yield the label of each entry."""
        for entry in entries:
            first, *others = [" ".join(person.last_names) for person in entry.persons["author"]]
            names = first if not others else f"{first} and {others[0]}" if len(others) == 1 else f"{first} et al."
            yield f"{names}, {entry.fields['year']}"


class AuthorYear(Plain):
    """The list of references with such labels."""

    default_label_style = Labels


def set_up_last(page: nodes.document) -> None:
    """Move the cells of imports and parameters to the end of the page's last section."""
    cells = [node for node in page.findall(nodes.container) if f"tag_{SET_UP}" in node["classes"]]
    sections = list(page.findall(nodes.section))
    for cell in cells if sections else ():
        cell.parent.remove(cell)
        sections[-1].append(cell)


def _explained(app, page: nodes.document, name: str) -> None:
    """Explain the terms of the glossary on every page but its own."""
    glossary = glossary_terms(app.env)
    if glossary and name != glossary_page(app.env):
        explain_terms(page, glossary, app.builder.get_relative_uri(name, glossary_page(app.env)))


def glossary_page(env) -> str:
    """Return the name of the page that holds the glossary, or an empty string."""
    places = {page for page, _ in env.domaindata["std"].get("terms", {}).values()}
    return min(places, default="")


def glossary_terms(env) -> dict[str, tuple[str, str]]:
    """Return the anchor and the first sentence of each term of the glossary, by the term as it is written."""
    page = glossary_page(env)
    items = env.get_doctree(page).findall(nodes.definition_list_item) if page else ()
    found = {}
    for item in items:
        said = item.next_node(nodes.definition).astext().replace("\n", " ")
        for term in item.findall(nodes.term):
            if term["ids"]:
                found[term.astext()] = (term["ids"][0], said)
    return found


def explain_terms(page: nodes.document, glossary: dict[str, tuple[str, str]], uri: str) -> None:
    """Make the first mention of each term a link to the glossary that shows its definition.

    Parameters
    ----------
    page : docutils document
        Changed in place.
    glossary : dict
        Anchor and definition by term; a longer term goes before a shorter one that it contains.
    uri : str
        Of the glossary's page, seen from this one.
    """
    open_terms = {term.lower(): (anchor, said) for term, (anchor, said) in glossary.items()}
    for text in list(page.findall(nodes.Text)):
        if open_terms and _is_prose(text):
            _explain_in(text, open_terms, uri)


def _is_prose(text: nodes.Text) -> bool:
    node, paragraph = text.parent, False
    while node is not None:
        if isinstance(node, _NOT_HERE):
            return False
        paragraph = paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return paragraph


def _explain_in(text: nodes.Text, open_terms: dict, uri: str) -> None:
    """Explain the terms that a text is the first to mention; they leave ``open_terms``."""
    parts, rest = [], str(text)
    while open_terms:
        longest_first = sorted(map(re.escape, open_terms), key=len, reverse=True)
        found = re.search(rf"(?<![\w-])({'|'.join(longest_first)})(s|es)?(?![\w-])", rest, re.IGNORECASE)
        if not found:
            break
        anchor, said = open_terms.pop(found[1].lower())
        for term in [term for term, (other, _) in open_terms.items() if other == anchor]:
            del open_terms[term]  # another name of the same
        link = nodes.reference("", "", internal=True, refuri=f"{uri}#{anchor}", classes=["glossary-term"])
        link += nodes.Text(found[0])
        link += nodes.inline("", said, classes=["definition"])
        parts += [nodes.Text(rest[: found.start()]), link]
        rest = rest[found.end() :]
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(rest)])
