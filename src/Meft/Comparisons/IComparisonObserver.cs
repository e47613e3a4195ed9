using Meft.Core.Comparisons.Results;
using Meft.Training;

namespace Meft.Comparisons;

/// <summary>Is told how a comparison goes on, in order, on its own thread.</summary>
public interface IComparisonObserver
{
    /// <summary>All methods have been planned, and nothing has been trained: the result holds what each would take.</summary>
    void Planned(ComparisonResult plan);

    /// <summary>A run begins, or goes on.</summary>
    /// <param name="title">Whose, for example <c>LoRA r = 8, rate 0.002</c>.</param>
    /// <returns>Is told of its training; null for nobody.</returns>
    ITrainingObserver? Training(string title);

    /// <summary>Questions are put to a model.</summary>
    /// <param name="title">Whose.</param>
    /// <returns>Is told how many are answered, and of how many.</returns>
    Action<int, int> Evaluating(string title);

    /// <summary>Something has come to an end, or was found done; the result so far.</summary>
    void Progressed(ComparisonResult result, string what);

    /// <summary>Something that the user should know and that stops nothing.</summary>
    void Remarked(string text);
}
