using Meft.Core.Comparisons.Results;
using Meft.Core.Data;
using Meft.Core.Evaluation.Results;
using Meft.Core.Tokenization;
using Meft.Evaluation;
using Meft.Generation;
using Meft.Models;

namespace Meft.Demonstration;

/// <summary>Measures what a model knows of new facts, and what it still knows of the old text.</summary>
/// <param name="tokenizer">Encodes the prompts.</param>
/// <param name="newFacts">The new facts.</param>
/// <param name="oldFacts">What the base's text tells.</param>
/// <param name="heldOut">Stories that are never trained on.</param>
internal sealed class Examination(
    ITokenizer tokenizer, IReadOnlyList<Fact> newFacts, IReadOnlyList<Fact> oldFacts, IReadOnlyList<TokenRow> heldOut)
{
    private const int RowsAtOnce = 64, SampleTokens = 40;

    private const string Task = "demo";

    /// <summary>What is asked, in the order of <see cref="Ask"/>.</summary>
    public static IReadOnlyList<ShownFigure> Figures { get; } =
    [
        new("new facts recalled", Task, MetricUnit.Share, HigherIsBetter: true, IsOldKnowledge: false),
        new("in untrained sentences", Task, MetricUnit.Share, HigherIsBetter: true, IsOldKnowledge: false),
        new("old facts recalled", Task, MetricUnit.Share, HigherIsBetter: true, IsOldKnowledge: true),
        new("loss on old text", Task, MetricUnit.Number, HigherIsBetter: false, IsOldKnowledge: true),
    ];

    /// <summary>Asks everything.</summary>
    public IReadOnlyList<FigureNumbers> Ask(Decoder decoder, IDecoderAdapter? adapter) =>
    [
        AskNew(decoder, adapter), Recall(decoder, adapter, newFacts, fact => fact.Paraphrase), Recall(decoder, adapter, oldFacts, fact => fact.Prompt),
        OldTextLoss(decoder, adapter),
    ];

    /// <summary>Asks for the new facts in the sentences that are trained, the first of <see cref="Figures"/>.</summary>
    public FigureNumbers AskNew(Decoder decoder, IDecoderAdapter? adapter) => Recall(decoder, adapter, newFacts, fact => fact.Prompt);

    /// <summary>How the model goes on, greedily, from the first new fact's prompt.</summary>
    public Sample Sample(string model, Decoder decoder, IDecoderAdapter? adapter)
    {
        var (prompt, _, answer) = newFacts[0];
        var options = new GenerationOptions { MaxNewTokens = SampleTokens, EndTokens = decoder.Config.EndTokens };
        var row = new TextGenerator(decoder, adapter).Generate([tokenizer.Encode(prompt, addSpecialTokens: true)], options)[0];
        return new Sample(model, prompt, answer, tokenizer.Decode([.. row.Tokens], skipSpecialTokens: true));
    }

    /// <summary>For each fact whether the greedy answer is the fact, word for word; those about one person are drawn together.</summary>
    private FigureNumbers Recall(Decoder decoder, IDecoderAdapter? adapter, IReadOnlyList<Fact> facts, Func<Fact, string> prompt)
    {
        int[][] answers = [.. facts.Select(fact => tokenizer.Encode(fact.Answer, addSpecialTokens: false))];
        var options = new GenerationOptions { MaxNewTokens = answers.Max(answer => answer.Length) };
        var generator = new TextGenerator(decoder, adapter);
        var right = new double[facts.Count];
        foreach (var range in Enumerable.Range(0, facts.Count).Chunk(RowsAtOnce))
        {
            var rows = generator.Generate([.. range.Select(i => tokenizer.Encode(prompt(facts[i]), addSpecialTokens: true))], options);
            foreach (var (row, fact) in range.Index()) right[fact] = rows[row].Tokens.Take(answers[fact].Length).SequenceEqual(answers[fact]) ? 1 : 0;
        }
        return new FigureNumbers([.. facts.Select((_, i) => i / Words.FactKinds.Count)], right, null);
    }

    /// <summary>The loss of each story, in nats, over its tokens.</summary>
    private FigureNumbers OldTextLoss(Decoder decoder, IDecoderAdapter? adapter)
    {
        var scorer = new SequenceScorer(decoder, adapter);
        var scores = heldOut.Chunk(RowsAtOnce).SelectMany(rows => scorer.Score([.. rows.Select(row => new ScoredRow(row.InputIds))])).ToList();
        return new FigureNumbers([.. Enumerable.Range(0, scores.Count)], [.. scores.Select(s => s.Nll)], [.. scores.Select(s => (double)s.TokenNll.Count)]);
    }
}
