using System.Runtime.InteropServices;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Generation;

/// <summary>
/// Beam search by transformers' rules: candidates are the best continuations over all beams by summed log-probability, as the
/// processors (which see log-probabilities here) leave it; finished beams compete by that sum over generated length to
/// the power of the length penalty.
/// </summary>
internal sealed class BeamSearch(Decoder decoder, IDecoderAdapter? adapter, GenerationOptions options)
{
    private readonly int _beams = options.BeamCount;
    private readonly List<Beam> _finished = [];

    /// <summary>A beam: its tokens, prompt included, and its score.</summary>
    private sealed record Beam(int[] Tokens, double Score);

    /// <summary>A continuation of a running beam.</summary>
    private readonly record struct Candidate(int Beam, int Token, double Score);

    /// <summary>prompt → the best beam.</summary>
    /// <exception cref="Core.Errors.RunFailedException">The model's logits are not finite; the prompt's index is named.</exception>
    public GeneratedRow Generate(IReadOnlyList<int> prompt, int index, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var longest = Math.Min(prompt.Count + options.MaxNewTokens, decoder.Config.MaxPositions);
        var processors = LogitsProcessors.Of(options, prompt.Count);
        using var cache = new KeyValueCache(decoder.Config, _beams, longest, decoder.Device, decoder.DataType);
        cache.SelectRows([0]);
        List<Beam> running = [new([.. prompt], 0)];
        var last = decoder.Feed([prompt], cache, adapter);
        while (true)
        {
            var candidates = BestContinuations(running, last, processors, index);
            last.Dispose();
            var length = running[0].Tokens.Length + 1;
            var generated = length - prompt.Count;
            Finish(running, candidates.Take(_beams).Where(c => Ends(c, length, longest)), generated);
            var next = candidates.Where(c => !Ends(c, length, longest)).Take(_beams).ToList();
            if (next.Count == 0) break;

            running = [.. next.Select(c => new Beam([.. running[c.Beam].Tokens, c.Token], c.Score))];
            if (cancellation.IsCancellationRequested || !CanImprove(running[0].Score, generated, longest - prompt.Count)) break;
            cache.SelectRows([.. next.Select(c => c.Beam)]);
            last = decoder.Feed([.. running.Select(beam => beam.Tokens)], cache, adapter);
        }
        var cancelled = cancellation.IsCancellationRequested;
        var best = _finished.Count > 0 ? _finished[0] : running[0];
        var stopped = options.EndTokens.Contains(best.Tokens[^1]);
        var reason = cancelled ? FinishReason.Cancelled : stopped ? FinishReason.Stop : FinishReason.Length;
        return new GeneratedRow(best.Tokens[prompt.Count..], reason);
    }

    private bool Ends(Candidate candidate, int length, int longest) =>
        length >= longest || options.EndTokens.Contains(candidate.Token);

    /// <summary>Adds beams that have ended and keeps the best ones, best first; once there are enough none is added if so asked.</summary>
    private void Finish(List<Beam> running, IEnumerable<Candidate> ended, int generated)
    {
        if (_finished.Count == _beams && options.EarlyStopping == EarlyStopping.WhenEnough) return;
        foreach (var candidate in ended)
        {
            int[] tokens = [.. running[candidate.Beam].Tokens, candidate.Token];
            _finished.Add(new Beam(tokens, candidate.Score / Math.Pow(generated, options.LengthPenalty)));
        }
        // A stable order: of equal scores the earlier one stays.
        Beam[] best = [.. _finished.OrderByDescending(beam => beam.Score).Take(_beams)];
        _finished.Clear();
        _finished.AddRange(best);
    }

    private bool CanImprove(double bestRunning, int generated, int mostGenerated)
    {
        if (_finished.Count < _beams) return true;
        if (options.EarlyStopping == EarlyStopping.WhenEnough) return false;
        var length = options.EarlyStopping == EarlyStopping.Never && options.LengthPenalty > 0 ? mostGenerated : generated;
        return bestRunning / Math.Pow(length, options.LengthPenalty) > _finished[^1].Score;
    }

    /// <summary>h [beams, D] → the best continuations of all beams, best first: enough that some go on whatever ends.</summary>
    private List<Candidate> BestContinuations(List<Beam> running, Tensor h, IReadOnlyList<ILogitsProcessor> processors, int index)
    {
        using var scope = NewDisposeScope();
        var logits = decoder.Logits(h).to(float32);
        foreach (var greatest in logits.amax([1L]).cpu().data<float>()) FiniteLogit.Require(greatest, index, running[0].Tokens.Length);
        var logProbabilities = logits.log_softmax(1).cpu().contiguous();
        var size = (int)logProbabilities.shape[1];
        var all = MemoryMarshal.Cast<byte, float>(logProbabilities.bytes);
        var wanted = Math.Max(2, 1 + options.EndTokens.Count) * _beams;
        // The worst candidate on top; of equal scores the later one counts as worse.
        var best = new PriorityQueue<Candidate, (double Score, long Order)>();
        for (var beam = 0; beam < running.Count; beam++)
        {
            var scores = all.Slice(beam * size, size);
            foreach (var processor in processors) processor.Process(running[beam].Tokens, scores);
            for (var token = 0; token < size; token++)
            {
                var score = scores[token] + running[beam].Score;
                var priority = (score, -((long)beam * size + token));
                if (best.Count < wanted) best.Enqueue(new(beam, token, score), priority);
                else if (best.TryPeek(out _, out var worst) && score > worst.Score) best.EnqueueDequeue(new(beam, token, score), priority);
            }
        }
        var ordered = new List<Candidate>(best.Count);
        while (best.TryDequeue(out var candidate, out _)) ordered.Add(candidate);
        ordered.Reverse();
        return ordered;
    }
}
