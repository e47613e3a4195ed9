using Meft.Core.Errors;
using Meft.Core.Formats;

namespace Meft.Models;

/// <summary>A checkpoint's tensors are not those that its config.json asks for; everything that differs is listed at once, layers that differ alike together.</summary>
public sealed class WeightsMismatchException : InvalidInputException
{
    /// <param name="path">The checkpoint.</param>
    /// <param name="missing">Names of tensors that are needed and not there.</param>
    /// <param name="unexpected">Names of tensors that are there and not known.</param>
    /// <param name="wrong">Tensors of a wrong shape or type, each as a phrase with both values.</param>
    public WeightsMismatchException(
        string path, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> wrong)
        : base(Describe(missing, unexpected, wrong), path, null, "check that config.json and the weights belong together and are complete")
    {
        Missing = missing;
        Unexpected = unexpected;
        Wrong = wrong;
    }

    /// <summary>Names of tensors that are needed and not there.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Names of tensors that are there and not known.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>Tensors of a wrong shape or type, each as a phrase with both values.</summary>
    public IReadOnlyList<string> Wrong { get; }

    private static string Describe(IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> wrong)
    {
        var parts = new List<string>();
        Add("missing", missing);
        Add("unexpected", unexpected);
        Add("wrong", wrong);
        return "the tensors do not fit the config: " + string.Join("; ", parts);

        void Add(string title, IReadOnlyList<string> names)
        {
            if (names.Count == 0) return;
            parts.Add($"{names.Count} {title} ({TensorNames.Listed(names)})");
        }
    }
}
