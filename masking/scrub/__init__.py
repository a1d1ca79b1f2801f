"""The scrubber of free text: every identifier replaced, clinical text left alone.

`Scrubber` is told for each text what is known of the people it may speak of (a `Dossier` of `Term`s: real values and
their fakes) and replaces these first, in all the spellings people use; then what is shaped like an identifier.
"""

from masking.scrub.markup import scrub_markup
from masking.scrub.scrubber import Masker, Scrubber
from masking.scrub.terms import TERM_KINDS, Company, Dossier, Scrubbed, Span, Term

__all__ = ["TERM_KINDS", "Company", "Dossier", "Masker", "Scrubbed", "Scrubber", "Span", "Term", "scrub_markup"]
