namespace Meft.Generation;

/// <summary>Keeps the k likeliest tokens, and any whose score equals that of the last one kept.</summary>
public sealed class TopK(int k) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        if (k >= scores.Length) return;
        // A heap of the k largest so far, the smallest of them on top.
        var largest = new PriorityQueue<float, float>(k);
        foreach (var score in scores)
        {
            if (largest.Count < k) largest.Enqueue(score, score);
            else if (score > largest.Peek()) largest.EnqueueDequeue(score, score);
        }
        var threshold = largest.Peek();
        foreach (ref var score in scores)
        {
            if (score < threshold) score = float.NegativeInfinity;
        }
    }
}
