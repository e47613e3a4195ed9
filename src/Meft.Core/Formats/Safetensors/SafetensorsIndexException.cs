using Meft.Core.Errors;

namespace Meft.Core.Formats.Safetensors;

/// <summary>An index of shards that is malformed, or that the shards beside it do not bear out.</summary>
public sealed class SafetensorsIndexException(
    string file, string problem, string? tensor = null, string? shard = null, string? allowed = null, Exception? cause = null)
    : InvalidInputException(
        problem, file, allowed, "Check that every shard beside the index is complete and belongs to this model", cause)
{
    /// <summary>The index file.</summary>
    public string File { get; } = file;

    /// <summary>The tensor concerned, if one is.</summary>
    public string? Tensor { get; } = tensor;

    /// <summary>The shard concerned, if one is, as the index names it: then the index itself is sound.</summary>
    public string? Shard { get; } = shard;
}
