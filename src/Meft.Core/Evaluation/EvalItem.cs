using Meft.Core.Data;

namespace Meft.Core.Evaluation;

/// <summary>A question, or a window of a text, as the model gets it.</summary>
/// <param name="Index">Its number among all items, from 0.</param>
/// <param name="Question">The question it is part of.</param>
/// <param name="Cluster">Items of the same cluster are drawn together for intervals.</param>
/// <param name="Rows">
/// Generate: the prompt. Choose: the prompt with each of the choices, whose tokens alone are labelled. Perplexity: the window, whose scored tokens alone
/// are labelled.
/// </param>
public sealed record EvalItem(int Index, EvalQuestion Question, int Cluster, IReadOnlyList<TokenRow> Rows)
{
    /// <summary>All tokens that the model reads.</summary>
    public int Tokens { get; } = Rows.Sum(row => row.Length);
}
