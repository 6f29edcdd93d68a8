"""The peers' own OSC servers with random weights: run in their environment, not in ours.

`python peer_servers.py notochord|midigpt PORT FOLDER`: writes a checkpoint of
the peer's default size with weights as its constructor leaves them, then runs
the server that the peer ships, on loopback.
"""

import sys
from pathlib import Path


def notochord(port: int, folder: Path) -> None:
    """notochord 0.8.0: its GRU, its `notochord server`."""
    import torch
    from iipyper import run
    from notochord import Notochord
    from notochord.app.server import main

    path = folder / "random.ckpt"
    torch.save({"kw": {"model": {}}, "model_state": Notochord().state_dict()}, path)
    sys.argv[1:] = ["--receive-port", str(port), "--checkpoint", str(path)]
    run(main)


def midigpt(port: int, folder: Path) -> None:
    """midigpt 0.4.2: its GPT-2 of 6 layers of 512, its `midigpt-server`."""
    import json

    from midigpt._core import EncoderConfig
    from midigpt.inference.model.gpt2 import GPT2Config, GPT2LMHeadModel
    from midigpt.osc.server import main
    from midigpt.tokenizer.tokenizer import Tokenizer

    config = EncoderConfig()
    config.resolution, config.supports_infill = 12, True
    config.model_dim = 4
    config.derive_token_domains()
    model = GPT2LMHeadModel(GPT2Config(vocab_size=Tokenizer(config)._vocab.size()))
    path = folder / "random.safetensors"
    model.save_pretrained(str(path), encoder_config=json.loads(config.to_json()))
    sys.argv[1:] = ["--ckpt", str(path), "--port", str(port), "--host", "127.0.0.1", "--buffer", "2", "--model_dim", "4", "--log_level", "WARNING"]  # fmt: skip
    main()


if __name__ == "__main__":
    {"notochord": notochord, "midigpt": midigpt}[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))
