"""Times training steps of PEFT's LoRA, on the rows and with the settings of `meft bench step`, and prints one JSON document.

Needs torch, transformers, peft and a card. A step is forward, backward and AdamW over one batch of rows in their order, as
`meft bench step` does it: LoRA on q_proj and v_proj, alpha = 2 r, adapter weights in float32, the base in bfloat16.

    python3 bench/peft/step.py --model /tmp/llama-7b --rows /tmp/llama-7b/rows.jsonl --batch 4 --rank 16
"""

import argparse
import json
import statistics
import time

import peft
import torch
import transformers


def batches(path, size):
    with open(path) as source:
        rows = [json.loads(line) for line in source]
    if not rows:
        raise SystemExit(f"error: {path} holds no rows")
    while True:
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            length = max(len(r["input_ids"]) for r in chosen)
            yield {
                "input_ids": torch.tensor([r["input_ids"] + [0] * (length - len(r["input_ids"])) for r in chosen], device="cuda"),
                "labels": torch.tensor([r["labels"] + [-100] * (length - len(r["labels"])) for r in chosen], device="cuda"),
                "attention_mask": torch.tensor([[1] * len(r["input_ids"]) + [0] * (length - len(r["input_ids"])) for r in chosen], device="cuda"),
            }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--recompute", action="store_true", help="gradient checkpointing")
    args = parser.parse_args()

    base = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.bfloat16, device_map="cuda")
    if args.recompute:
        base.gradient_checkpointing_enable()
        base.enable_input_require_grads()
    model = peft.get_peft_model(base, peft.LoraConfig(r=args.rank, lora_alpha=2 * args.rank, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)

    seconds = []
    for number, batch in zip(range(args.warm_up + args.repeats), batches(args.rows, args.batch)):
        torch.cuda.synchronize()
        started = time.perf_counter()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        torch.cuda.synchronize()
        if number >= args.warm_up:
            seconds.append(time.perf_counter() - started)

    print(json.dumps({
        "tool": f"peft {peft.__version__}, transformers {transformers.__version__}, torch {torch.__version__}",
        "card": torch.cuda.get_device_name(),
        "method": f"lora r = {args.rank}" + (", gradient checkpointing" if args.recompute else ""),
        "parameters": sum(p.numel() for p in trained),
        "seconds": statistics.median(seconds),
        "all_seconds": seconds,
        "peak_bytes_allocated": torch.cuda.max_memory_allocated(),
        "peak_bytes_reserved": torch.cuda.max_memory_reserved(),
    }, indent=2))


if __name__ == "__main__":
    main()
