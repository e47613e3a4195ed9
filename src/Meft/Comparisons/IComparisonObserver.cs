using Meft.Core.Comparisons.Results;
using Meft.Loading;
using Meft.Training;

namespace Meft.Comparisons;

/// <summary>Is told how a comparison goes on, in order, on its own thread.</summary>
public interface IComparisonObserver
{
    /// <summary>All methods have been planned, and nothing has been trained: the result holds what each would take.</summary>
    void Planned(ComparisonResult plan);

    /// <summary>A model is loaded for a run, or to put questions to.</summary>
    /// <param name="title">Whose, for example <c>LoRA r = 8, rate 0.002</c>.</param>
    /// <returns>Is told how far its weights have been read; null for nobody.</returns>
    Action<LoadProgress>? Loading(string title) => null;

    /// <summary>A run begins, or goes on.</summary>
    /// <param name="title">Whose, for example <c>LoRA r = 8, rate 0.002</c>.</param>
    /// <returns>Is told of its training; null for nobody.</returns>
    ITrainingObserver? Training(string title);

    /// <summary>Questions are put to a model.</summary>
    /// <param name="title">Whose.</param>
    /// <returns>Is told how many are answered, and of how many.</returns>
    Action<int, int> Evaluating(string title);

    /// <summary>Something has come to an end, or was found done.</summary>
    /// <param name="result">The result so far.</param>
    /// <param name="step">What has come to an end.</param>
    void Progressed(ComparisonResult result, ComparisonStep step);

    /// <summary>Something that the user should know and that stops nothing.</summary>
    void Remarked(string text);
}

/// <summary>Something of a comparison that has come to an end.</summary>
/// <param name="Title">As people read it, for example <c>LoRA r = 8, rate 0.002, seed 1</c>.</param>
/// <param name="Method">The method's name; null for the base alone.</param>
/// <param name="Tried">What a rate of the grid came to; null where it was none.</param>
/// <param name="TriedFigure">What figure its score is; null where it was none.</param>
public sealed record ComparisonStep(string Title, string? Method, GridPoint? Tried = null, ShownFigure? TriedFigure = null);
