using Meft.Core.Errors;

namespace Meft.Core.Formats.Gguf;

/// <summary>A GGUF file that is refused: which, at which byte, at which metadata key or tensor, for what reason.</summary>
public sealed class GgufException : InvalidInputException
{
    /// <param name="file">The file.</param>
    /// <param name="problem">The defect in words, with the offending values.</param>
    /// <param name="offset">Where the defect stands, in bytes from the beginning of the file; null if nowhere in particular.</param>
    /// <param name="name">The metadata key or tensor concerned, if one is.</param>
    /// <param name="allowed">What is allowed instead.</param>
    /// <param name="nextStep">What to do; null for the usual advice.</param>
    /// <param name="cause">The exception behind this one, if any.</param>
    public GgufException(
        string file, string problem, long? offset = null, string? name = null, string? allowed = null, string? nextStep = null,
        Exception? cause = null)
        : base(problem, Where(file, offset, name), allowed, nextStep ?? "Check that the file is complete: copy or download it again", cause)
    {
        File = file;
        Offset = offset;
        Name = name;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>Where the defect stands, in bytes from the beginning of the file; null if nowhere in particular.</summary>
    public long? Offset { get; }

    /// <summary>The metadata key or tensor concerned; null where it concerns the whole file.</summary>
    public string? Name { get; }

    private static string Where(string file, long? offset, string? name)
    {
        var where = offset is null ? file : $"{file}, byte {offset}";
        return name is null ? where : $"{where}, '{FileText.Shown(name)}'";
    }
}
