using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Loading;

namespace Meft.Training.Runs;

/// <summary>Puts what a run has trained into the run's folder.</summary>
/// <param name="config">The run's config.</param>
/// <param name="model">The base.</param>
/// <param name="method">What was trained.</param>
internal sealed class ResultSaver(RunConfig config, LoadedModel model, ITrainedMethod method)
{
    /// <summary>Where the result goes.</summary>
    public string FolderOf(RunFolder run) => RunFolder.ResultFolderOf(run.Path, config.Method.Kind);

    /// <summary>Saves the state of a step: the method's own, or an earlier one's from its checkpoint. A fine-tuned base gets its tokenizer.</summary>
    /// <param name="run">The run's folder.</param>
    /// <param name="step">Whose state.</param>
    /// <param name="last">The step whose state the method holds.</param>
    /// <param name="remark">Told where the earlier state cannot be had, and the last one is saved in its place.</param>
    /// <returns>The folder, and whose state it holds.</returns>
    public (string Folder, int Step) Save(RunFolder run, int step, int last, Action<string> remark)
    {
        if (step != last)
        {
            try
            {
                run.Checkpoints.Load(step, method);
            }
            catch (InvalidInputException e)
            {
                remark($"the best state, of step {step}, cannot be loaded; the result is the last one, of step {last}: {e.Message}");
                run.Checkpoints.Load(step = last, method); // what failed may have left half of another state
            }
        }
        var folder = FolderOf(run);
        if (config.Method.Kind == MethodKind.Full) TokenizerFiles.Copy(model.Location.Folder, folder);
        method.SaveResult(folder);
        return (folder, step);
    }
}
