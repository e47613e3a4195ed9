using Meft.Core.Errors;

namespace Meft.Core.Formats.Safetensors;

/// <summary>A safetensors file that is refused: which, for what reason, at which tensor.</summary>
public sealed class SafetensorsException : InvalidInputException
{
    /// <param name="file">The file.</param>
    /// <param name="error">The kind of defect.</param>
    /// <param name="problem">The defect in words, with the offending values.</param>
    /// <param name="tensor">The tensor it was found at, if at one.</param>
    /// <param name="allowed">What is allowed instead.</param>
    /// <param name="cause">The exception behind this one, if any.</param>
    public SafetensorsException(
        string file, SafetensorsError error, string problem, string? tensor = null, string? allowed = null, Exception? cause = null)
        : base(error == SafetensorsError.IoError ? problem : $"{problem} ({error})", Where(file, tensor), allowed, NextStepFor(error), cause)
    {
        File = file;
        Error = error;
        Tensor = tensor;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>The kind of defect.</summary>
    public SafetensorsError Error { get; }

    /// <summary>The tensor it was found at; null where it concerns the whole file.</summary>
    public string? Tensor { get; }

    private static string Where(string file, string? tensor) => tensor is null ? file : $"{file}, tensor '{FileText.Shown(tensor)}'";

    private static string NextStepFor(SafetensorsError error) => error switch
    {
        SafetensorsError.IoError => "Check the path and the permissions",
        SafetensorsError.MetadataIncompleteBuffer or SafetensorsError.InvalidHeaderLength or SafetensorsError.HeaderTooSmall =>
            "The file may be cut short: copy or download it again",
        SafetensorsError.HeaderTooLarge or SafetensorsError.InvalidHeader => "Check that this is a .safetensors file",
        _ => "Write the file again with a program that follows the safetensors format",
    };
}
