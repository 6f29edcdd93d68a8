"""midigpt's small model with random weights: tokens a second with its cache, and a first bar.

Its notes arrive a bar at a time, so the first note comes with the first bar: here a prompt of 128
tokens read at once and a bar of 32 drawn, without the grammar around them, which only adds.
Run in a place of its own.  Prints one JSON object: figures, and how they were measured.
"""

import json
import time

import torch
from midigpt.inference.model.gpt2 import GPT2Config, GPT2LMHeadModel

PROMPT, BAR, TOKENS, BARS = 128, 32, 200, 9


def main() -> None:
    """A few bars, then many tokens."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(7)
    config = GPT2Config()
    model = GPT2LMHeadModel(config).eval()
    prompt = torch.randint(config.vocab_size, (1, PROMPT), generator=generator)
    bars = []
    with torch.inference_mode():
        for number in range(BARS + 1):
            started = time.perf_counter()
            cache = _draw(model, prompt, model.make_empty_kv(), BAR)
            if number:
                bars.append(1000 * (time.perf_counter() - started))
        started = time.perf_counter()
        _draw(model, prompt[:, -1:], cache, TOKENS)
        rate = TOKENS / (time.perf_counter() - started)
    bars.sort()
    print(json.dumps({
        "figures": {
            "midigpt_first_note_ms": round(bars[len(bars) // 2], 1),
            "midigpt_tokens_per_s": round(rate, 1),
        },
        "how": f"{sum(p.numel() for p in model.parameters()):,} parameters, a bar of {BAR} tokens "
        f"after {PROMPT}, no grammar; torch {torch.__version__}",
    }))  # fmt: skip


def _draw(model, ids, cache, count):  # type: ignore[no-untyped-def]
    for _ in range(count):
        logits, cache = model(ids, cache)
        ids = torch.multinomial(logits[:, -1].softmax(-1), 1)
    return cache


if __name__ == "__main__":
    main()
