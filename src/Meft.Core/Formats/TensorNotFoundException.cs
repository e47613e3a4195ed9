using Meft.Core.Errors;

namespace Meft.Core.Formats;

/// <summary>A tensor that is needed is not among those of a file or folder.</summary>
public sealed class TensorNotFoundException(string name, string path, IEnumerable<string> present) : InvalidInputException(
    $"there is no tensor named '{name}'",
    path,
    Describe(present),
    "Check that the file belongs to this model or adapter and is complete")
{
    private const int Shown = 8;

    /// <summary>The name that was asked for.</summary>
    public string Tensor { get; } = name;

    /// <summary>The file or folder that was searched.</summary>
    public string File { get; } = path;

    private static string Describe(IEnumerable<string> present)
    {
        var names = present.Order(StringComparer.Ordinal).Take(Shown + 1).ToList();
        if (names.Count == 0) return "none: it holds no tensors";
        return string.Join(", ", names.Take(Shown)) + (names.Count > Shown ? ", …" : "");
    }
}
