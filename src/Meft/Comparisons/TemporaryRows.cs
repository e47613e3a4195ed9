namespace Meft.Comparisons;

/// <summary>A folder for rows that are only planned with; it goes when it is disposed of.</summary>
internal sealed class TemporaryRows : IDisposable
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("meft-").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
