namespace Meft.Core.Evaluation.Metrics;

/// <summary>
/// The overlap of two answers' words, as the SQuAD script counts it (<c>compute_f1</c> of evaluate-v2.0.py): words are those of
/// <see cref="AnswerText"/>, one that occurs n times in both counts n times.
/// </summary>
public static class TokenF1
{
    /// <summary>2·p·r/(p + r), 0 where no word is common; where one side has no word, 1 if the other has none either.</summary>
    public static double Score(string prediction, string answer)
    {
        var predicted = AnswerText.Words(prediction);
        var right = AnswerText.Words(answer);
        if (predicted.Count == 0 || right.Count == 0) return predicted.Count == right.Count ? 1 : 0;
        var left = right.CountBy(word => word).ToDictionary();
        var common = 0;
        foreach (var word in predicted)
        {
            if (!left.TryGetValue(word, out var count) || count == 0) continue;
            left[word] = count - 1;
            common++;
        }
        if (common == 0) return 0;
        var precision = (double)common / predicted.Count;
        var recall = (double)common / right.Count;
        return 2 * precision * recall / (precision + recall);
    }
}
