"""axe-core in a browser: what is wrong with a page for who cannot see, point, or tell colours.

It comes from npm at test time, into a folder that git passes over:
`npm install --no-save --prefix .clean/axe axe-core@4`.
"""

from pathlib import Path
from typing import Any

from selenium import webdriver

SCRIPT = Path(__file__).parents[2] / ".clean/axe/node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")


def faults(driver: webdriver.Chrome, impacts: tuple[str, ...] = SERIOUS) -> list[str]:
    """The page's faults of these impacts, one line each: rule, place, what to do."""
    # Through the debugger: the page's own policy lets no foreign script in.
    driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    driver.execute_script(SCRIPT.read_text("utf-8"))
    found: dict[str, Any] = driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations']}).then(done, (e) => done({error: String(e)}));"
    )
    assert "error" not in found, found["error"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:120]}"
        for rule in found["violations"]
        if rule["impact"] in impacts
        for node in rule["nodes"][:3]
    ]


def look(driver: webdriver.Chrome, width: int, dark: bool, height: int = 900) -> None:
    """Show pages so wide, in this scheme."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
