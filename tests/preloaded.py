"""Imported last by the process that the parts are forked from: what all of them would do first is done once."""

from sqlalchemy.orm import configure_mappers

from config.memory import settle

configure_mappers()
settle()  # a part has its own few objects looked at, and copies none of the memory it shares
