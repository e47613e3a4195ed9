using System.Diagnostics;
using Meft.Core.Errors;
using Meft.Generation;
using Meft.Memory;
using Meft.Models;
using Meft.Native;

namespace Meft.Training.Samples;

/// <summary>Continues a run's prompts between its steps. Nothing is drawn and nothing that is trained changes.</summary>
/// <param name="set">The prompts.</param>
/// <param name="decoder">The base.</param>
/// <param name="adapter">What is trained beside it; null where the base itself is.</param>
/// <param name="ledger">Where the cache's bytes are counted.</param>
/// <param name="path">The run's <c>samples.jsonl</c>; null to write nothing.</param>
internal sealed class Sampler(SampleSet set, Decoder decoder, IDecoderAdapter? adapter, MemoryLedger ledger, string? path)
{
    private const int AtOnce = 16;
    private IReadOnlyList<string?>? _base; // a text a prompt

    /// <summary>Continues every prompt and writes the samples; null where it was asked to stop meanwhile.</summary>
    /// <exception cref="RunFailedException">The model's numbers are not finite, or the device's budget does not suffice.</exception>
    public SampledStep? Take(int step, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var texts = Continue(adapter, cancellation);
        IReadOnlyList<string?> untrained = texts;
        var before = _base ?? (step == 0 && adapter is null ? untrained : BaseTexts(cancellation));
        if (cancellation.IsCancellationRequested) return null;
        _base = before;
        var samples = set.Prompts.Select((prompt, i) => new Sample(step, i, prompt.Text, texts[i], prompt.Expected, before[i])).ToList();
        if (path is not null) SampleFile.Append(path, samples);
        return new SampledStep(step, samples, clock.Elapsed.TotalSeconds);
    }

    /// <summary>Without the adapter where there is one; a base that is trained itself is known from before the first step only.</summary>
    private List<string?> BaseTexts(CancellationToken cancellation)
    {
        if (adapter is not null) return [.. Continue(null, cancellation)];
        IReadOnlyList<Sample> known = path is null ? [] : SampleFile.ReadAll(path);
        return [.. set.Prompts.Select((_, i) => known.FirstOrDefault(s => s.Step == 0 && s.Index == i)?.Text)];
    }

    private List<string> Continue(IDecoderAdapter? with, CancellationToken cancellation)
    {
        var continuation = new TextContinuation(new TextGenerator(decoder, with), set.Tokenizer) { BatchSize = AtOnce };
        using var held = ledger.Hold(DeviceUse.KeyValueCache, CacheBytes());
        return [.. continuation.Continue([.. set.Prompts.Select(p => p.Ids)], set.Options, cancellation: cancellation).Select(t => t.Text ?? "")];
    }

    /// <summary>Keys and values of a batch of the longest rows, as <see cref="KeyValueCache"/> allocates them.</summary>
    private long CacheBytes()
    {
        var config = decoder.Config;
        long capacity = Math.Min(config.MaxPositions, set.Prompts.Max(p => p.Ids.Count) + set.Options.MaxNewTokens);
        return 2L * config.LayerCount * Math.Min(AtOnce, set.Prompts.Count) * config.KeyValueHeadCount * capacity * config.HeadSize
            * TensorMemory.ElementBytes(decoder.DataType);
    }
}
