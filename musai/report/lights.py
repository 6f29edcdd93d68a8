"""The overlap light as a picture: each colour has a shape of its own."""

from musai.report import svg
from musai.report.wording import LIGHTS

_SHAPES = {
    "grey": (
        '<circle class="ring" cx="32" cy="32" r="25"/>',
        '<path class="mark line" d="M25 26a7 7 0 1 1 9.5 6.5c-2 .9-2.5 2-2.5 4.5"/>',
        '<circle class="mark" cx="32" cy="44.5" r="2.6"/>',
    ),
    "green": (
        '<circle class="solid" cx="32" cy="32" r="27"/>',
        '<path class="mark line" d="M20 33l8.5 8.5L45 24.5"/>',
    ),
    "amber": (
        '<path class="solid" d="M32 5c2 0 3.400 1 4.400 2.700l23 43c2 3.800-.3 7.300-4.400 7.300h-46'
        'c-4.100 0-6.400-3.500-4.400-7.300l23-43c1-1.700 2.400-2.700 4.400-2.700z"/>',
        '<path class="mark line" d="M32 23v15"/><circle class="mark" cx="32" cy="47" r="3"/>',
    ),
    "red": (
        '<path class="solid" d="M21.500 5h21l16.500 16.500v21l-16.500 16.500h-21'
        'l-16.500-16.500v-21z"/>',
        '<path class="mark line" d="M21 26h22M21 38h22"/>',
    ),
}


def light_svg(light: str, css_class: str = "light") -> str:
    """The shape of a light, 64 units square, coloured by the class `is-<light>`."""
    look = LIGHTS[light]
    return svg.element(
        "svg",
        *_SHAPES[light],
        class_=f"{css_class} is-{light}",
        viewBox="0 0 64 64",
        role="img",
        aria_label=f"{light}: {look.word}",
    )
