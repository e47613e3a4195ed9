using Meft.Core.Data;
using Meft.Core.Tokenization;
using Meft.Evaluation;
using Meft.Generation;
using Meft.Models;

namespace Meft.Demonstration;

/// <summary>Measures what a model knows of the new facts, and what it still knows of the old text.</summary>
/// <param name="tokenizer">Encodes the prompts.</param>
/// <param name="newFacts">The new facts.</param>
/// <param name="oldFacts">What the base's text tells.</param>
/// <param name="heldOut">Stories that are never trained on.</param>
internal sealed class Examination(
    ITokenizer tokenizer, IReadOnlyList<Fact> newFacts, IReadOnlyList<Fact> oldFacts, IReadOnlyList<TokenRow> heldOut)
{
    private const int RowsAtOnce = 64, SampleTokens = 40;

    /// <summary>Asks everything.</summary>
    public Knowledge Ask(Decoder decoder, IDecoderAdapter? adapter) => new(
        Recall(decoder, adapter, newFacts, fact => fact.Prompt), Recall(decoder, adapter, newFacts, fact => fact.Paraphrase),
        Recall(decoder, adapter, oldFacts, fact => fact.Prompt), OldTextLoss(decoder, adapter));

    /// <summary>How the model goes on, greedily, from the first new fact's prompt.</summary>
    public Sample Sample(Decoder decoder, IDecoderAdapter? adapter)
    {
        var (prompt, _, answer) = newFacts[0];
        var options = new GenerationOptions { MaxNewTokens = SampleTokens, EndTokens = decoder.Config.EndTokens };
        var row = new TextGenerator(decoder, adapter).Generate([tokenizer.Encode(prompt, addSpecialTokens: true)], options)[0];
        return new Sample(prompt, answer, tokenizer.Decode([.. row.Tokens], skipSpecialTokens: true));
    }

    private double Recall(Decoder decoder, IDecoderAdapter? adapter, IReadOnlyList<Fact> facts, Func<Fact, string> prompt)
    {
        int[][] answers = [.. facts.Select(fact => tokenizer.Encode(fact.Answer, addSpecialTokens: false))];
        var options = new GenerationOptions { MaxNewTokens = answers.Max(answer => answer.Length) };
        var generator = new TextGenerator(decoder, adapter);
        var right = 0;
        foreach (var range in Enumerable.Range(0, facts.Count).Chunk(RowsAtOnce))
        {
            var rows = generator.Generate([.. range.Select(i => tokenizer.Encode(prompt(facts[i]), addSpecialTokens: true))], options);
            right += range.Where((fact, i) => rows[i].Tokens.Take(answers[fact].Length).SequenceEqual(answers[fact])).Count();
        }
        return right / (double)facts.Count;
    }

    private double OldTextLoss(Decoder decoder, IDecoderAdapter? adapter)
    {
        var scorer = new SequenceScorer(decoder, adapter);
        var scores = heldOut.Chunk(RowsAtOnce).SelectMany(rows => scorer.Score([.. rows.Select(row => new ScoredRow(row.InputIds))])).ToList();
        return scores.Sum(score => score.Nll) / scores.Sum(score => score.TokenNll.Count);
    }
}
