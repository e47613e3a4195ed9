using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Evaluation.Records;

/// <summary>Says of one record after the other whether it is among those of a selection; how many are taken at most it leaves to its caller.</summary>
internal sealed class ChosenRecords
{
    private readonly RecordSelection _selection;
    private readonly RowExpression? _distinct;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <exception cref="InvalidInputException">The selection's <c>distinct</c> is no expression.</exception>
    public ChosenRecords(RecordSelection selection)
    {
        _selection = selection;
        try
        {
            _distinct = selection.Distinct is { } text ? RowExpression.Parse(text) : null;
        }
        catch (JinjaException e)
        {
            throw new InvalidInputException($"distinct '{selection.Distinct}' is no expression: {e.Message}", null, "an expression over a record's fields", null, e);
        }
    }

    /// <summary>How many were left out at the beginning so far.</summary>
    public int Skipped { get; private set; }

    /// <summary>Whether the next record is taken: not where its value was there before, then not where it is one of the first.</summary>
    /// <exception cref="InvalidInputException">The expression fails on the record.</exception>
    public bool Takes(EvalRecord record)
    {
        if (_distinct is not null && !_seen.Add(ValueOf(_distinct, record))) return false;
        if (Skipped == _selection.Skip) return true;
        Skipped++;
        return false;
    }

    /// <summary>Values as Python writes them: the number 1 and the text "1" are two.</summary>
    private static string ValueOf(RowExpression distinct, EvalRecord record)
    {
        try
        {
            return ValueText.Quoted(distinct.Evaluate(record.Fields));
        }
        catch (JinjaException e)
        {
            throw RecordQuestions.DoesNotFit(record, $"distinct: {distinct.Source}", e.Message, e);
        }
    }
}
