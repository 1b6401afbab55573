"""Numbers with their intervals, "not measured: why", and the one chart component."""

from __future__ import annotations

from django import template

register = template.Library()
