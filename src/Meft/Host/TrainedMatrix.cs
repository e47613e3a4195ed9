namespace Meft.Host;

/// <summary>A trained parameter with its moments, as checkpoints store it.</summary>
/// <param name="Name">Its name in files, for example <c>layers.3.keys</c>.</param>
/// <param name="Shape">Its shape in files; the rows hold the same numbers row-major.</param>
/// <param name="Rows">The numbers.</param>
public sealed record TrainedMatrix(string Name, IReadOnlyList<long> Shape, ParameterRows Rows);
