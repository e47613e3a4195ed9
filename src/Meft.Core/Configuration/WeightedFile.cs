namespace Meft.Core.Configuration;

/// <summary>A file to train on as the config names it.</summary>
/// <param name="File">Its full path.</param>
/// <param name="Weight">How often an epoch takes its rows; above 0.</param>
internal sealed record WeightedFile(string File, double Weight)
{
    /// <summary>The files to train on with their weights.</summary>
    public static ValueList<WeightedFile> Of(DataConfig data) =>
        [.. data.Train.Select((file, i) => new WeightedFile(file, data.TrainWeights.Count == 0 ? 1 : data.TrainWeights[i]))];

    /// <summary>The weights of files; none where all are 1.</summary>
    public static ValueList<double> WeightsOf(ValueList<WeightedFile> files) =>
        files.All(f => f.Weight == 1) ? [] : [.. files.Select(f => f.Weight)];
}
