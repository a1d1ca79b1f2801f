"""What the job knows of people: gathered from their records, merged, stored on the PHI side, looked up by subject."""

from masking.identity.facts import Address, Contact, Facts, Identifier, Name, Telecom
from masking.identity.gather import gather
from masking.identity.people import People
from masking.identity.records import facts_of

__all__ = ["Address", "Contact", "Facts", "Identifier", "Name", "People", "Telecom", "facts_of", "gather"]
