"""Tiny encoders with random weights in the public folder layouts, for tests that must not need the real ones."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


def tiny_clip(folder: Path, *, seed: int = 0) -> Path:
    """Write an open_clip folder."""
    import open_clip

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CLIP, "preprocess_cfg": {}}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        save_file(open_clip.CLIP(**CLIP).state_dict(), folder / "open_clip_model.safetensors")
    return folder


def tiny_transformer(folder: Path, kind: str = "bert", *, seed: int = 0) -> Path:
    """Write a transformers folder of a text model (`bert`, `t5` or `gpt2`), with a tokenizer that knows few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, GPT2Config, GPT2Model, PreTrainedTokenizerFast, T5Config, T5Model

    words = ["[UNK]", "[PAD]", "</s>", "a", "red", "blue", "disc", "square", "in"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    pad = {} if kind == "gpt2" else {"pad_token": "[PAD]"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="</s>", **pad)
    sizes = {"vocab_size": len(words)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = {
            "bert": lambda: BertModel(
                BertConfig(
                    hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, pad_token_id=1,
                    **sizes,
                )
            ),
            "t5": lambda: T5Model(
                T5Config(d_model=24, d_kv=8, d_ff=32, num_layers=1, num_heads=2, pad_token_id=1, **sizes)
            ),
            "gpt2": lambda: GPT2Model(GPT2Config(n_embd=24, n_layer=1, n_head=2, n_positions=64, **sizes)),
        }[kind]()  # fmt: skip
    model.save_pretrained(folder, safe_serialization=True)
    fast.save_pretrained(folder)
    return folder
