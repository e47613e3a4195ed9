using Meft.Core.Configuration;
using Meft.Loading;

namespace Meft.Training.Runs;

/// <summary>Puts what a run has trained into the run's folder.</summary>
/// <param name="config">The run's config.</param>
/// <param name="model">The base.</param>
/// <param name="method">What was trained.</param>
internal sealed class ResultSaver(RunConfig config, LoadedModel model, ITrainedMethod method)
{
    /// <summary>A fine-tuned base is a model folder of its own; an adapter is a folder beside its base.</summary>
    public string FolderOf(RunFolder run) => config.Method.Kind == MethodKind.Full ? run.ModelPath : run.AdapterPath;

    /// <summary>Saves the state of a step: the method's own, or an earlier one's from its checkpoint. A fine-tuned base gets its tokenizer.</summary>
    /// <param name="run">The run's folder.</param>
    /// <param name="step">Whose state.</param>
    /// <param name="last">The step whose state the method holds.</param>
    /// <returns>The folder.</returns>
    public string Save(RunFolder run, int step, int last)
    {
        if (step != last) run.Checkpoints.Load(step, method);
        var folder = FolderOf(run);
        if (config.Method.Kind == MethodKind.Full) TokenizerFiles.Copy(model.Location.Folder, folder);
        method.SaveResult(folder);
        return folder;
    }
}
