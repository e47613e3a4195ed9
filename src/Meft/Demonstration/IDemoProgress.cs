namespace Meft.Demonstration;

/// <summary>Watches a demonstration.</summary>
public interface IDemoProgress
{
    /// <summary>Something is done, or about to begin.</summary>
    /// <param name="text">One line.</param>
    void Remark(string text);

    /// <summary>A training begins.</summary>
    /// <param name="name">What it trains.</param>
    /// <param name="steps">Its steps.</param>
    void BeginTraining(string name, int steps);

    /// <summary>A step has been taken.</summary>
    /// <param name="done">Steps so far.</param>
    /// <param name="loss">The loss, averaged over the latest steps.</param>
    void StepTaken(int done, double loss);
}
