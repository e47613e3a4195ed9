using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Models;

namespace Meft.Inspection;

/// <summary>Whether tensors are those that a model's config asks for: looked at by names and shapes, without reading a number.</summary>
internal static class WeightsFit
{
    /// <summary>What does not fit, in words; null where all does.</summary>
    public static string? Remark(ITensorSource source, ModelConfig config)
    {
        int missing = 0, found = 0;
        string? firstMissing = null, firstWrong = null;
        foreach (var spec in HuggingFaceWeightNames.Of(config))
        {
            if (!source.Tensors.TryGetValue(spec.Name, out var entry))
            {
                missing++;
                firstMissing ??= spec.Name;
                continue;
            }
            found++;
            if (firstWrong is null && !entry.Shape.SequenceEqual(spec.Shape))
                firstWrong = $"{spec.Name} is [{string.Join(", ", entry.Shape)}], the config asks for [{string.Join(", ", spec.Shape)}]";
        }
        var foreign = source.Tensors.Count - found - source.Tensors.Keys.Count(name => HuggingFaceWeightNames.MayBeIgnored(name, config));
        List<string> parts = [];
        if (firstWrong is not null) parts.Add(firstWrong);
        if (firstMissing is not null) parts.Add($"{missing:N0} missing, {firstMissing} the first");
        if (foreign > 0) parts.Add($"{foreign:N0} that the model does not have");
        return parts.Count == 0 ? null : $"the tensors do not fit the config, so that the model cannot be loaded: {string.Join("; ", parts)}";
    }
}
