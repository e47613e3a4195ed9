"""Writes a model folder of random weights, for timing a size without its weights, and rows that fit its vocabulary.

Needs torch and transformers; a card if there is one. Example, LLaMA-7B's sizes:

    python3 bench/peft/random_model.py --config llama-7b.json --output /tmp/llama-7b --rows rows_text512.jsonl
"""

import argparse
import json
import os

import torch
from transformers import AutoConfig, AutoModelForCausalLM


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="a config.json")
    parser.add_argument("--output", required=True, help="the model folder to write")
    parser.add_argument("--rows", help="a .jsonl of input_ids and labels; written to OUTPUT/rows.jsonl with ids modulo the vocabulary")
    args = parser.parse_args()

    os.makedirs(args.output, exist_ok=True)
    with open(args.config) as source, open(os.path.join(args.output, "config.json"), "w") as target:
        target.write(source.read())
    config = AutoConfig.from_pretrained(args.output)
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(args.output)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters in {args.output}")

    if args.rows:
        with open(args.rows) as source, open(os.path.join(args.output, "rows.jsonl"), "w") as target:
            for line in source:
                row = json.loads(line)
                fitted = {name: [i if i < 0 else i % config.vocab_size for i in row[name]] for name in ("input_ids", "labels")}
                target.write(json.dumps(fitted) + "\n")


if __name__ == "__main__":
    main()
