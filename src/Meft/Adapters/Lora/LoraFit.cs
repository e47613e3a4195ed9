using System.Globalization;
using System.Text.RegularExpressions;
using Meft.Core.Adapters.Lora;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Adapters.Lora;

/// <summary>Whether the tensors of a LoRA adapter are those that its config and a base model ask for.</summary>
internal static partial class LoraFit
{
    private const int Shown = 6;

    /// <summary>Refuses tensors of layers that the base does not have.</summary>
    /// <exception cref="InvalidInputException">There are such; both numbers are named.</exception>
    public static void RequireLayers(ITensorSource file, PeftLoraConfig config, ModelConfig baseConfig)
    {
        var deepest = file.Tensors.Keys.Select(LayerOf).DefaultIfEmpty(-1).Max();
        if (deepest < baseConfig.LayerCount) return;
        throw new InvalidInputException(
            $"the adapter has layer {deepest} and the base model has {baseConfig.LayerCount} layers", file.Path, null, config.BaseAdvice);
    }

    /// <summary>Refuses tensors that are not those of a spec.</summary>
    /// <exception cref="InvalidInputException">Something differs; both values are named.</exception>
    public static void RequireTensors(ITensorSource file, LoraSpec spec, PeftLoraConfig config)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var map in spec.Maps)
        {
            Check(LoraFiles.NameOfA(map.Module), [map.Rank, map.Module.Inputs]);
            Check(LoraFiles.NameOfB(map.Module), [map.Module.Outputs, map.Rank]);
        }
        var surplus = file.Tensors.Keys.Where(name => !known.Contains(name)).Order(StringComparer.Ordinal).ToList();
        if (surplus.Count == 0) return;
        throw new InvalidInputException(
            $"{surplus.Count} tensors that {AdapterConfig.FileName} does not speak of, or that the base model has no place for: "
            + $"{string.Join(", ", surplus.Take(Shown))}{(surplus.Count > Shown ? ", …" : "")}", file.Path, null, config.BaseAdvice);

        void Check(string name, long[] wanted)
        {
            known.Add(name);
            if (!file.Tensors.TryGetValue(name, out var entry))
                throw new InvalidInputException($"tensor '{name}' is missing", file.Path, null, $"the file is not complete, or {config.BaseAdvice}");
            if (!entry.Shape.SequenceEqual(wanted))
            {
                throw new InvalidInputException(
                    $"the adapter does not fit: '{name}' is [{string.Join(", ", entry.Shape)}], wanted is [{string.Join(", ", wanted)}]",
                    file.Path, null, config.BaseAdvice);
            }
            if (entry.DType is not (TensorDType.F64 or TensorDType.F32 or TensorDType.F16 or TensorDType.BF16))
                throw new InvalidInputException($"tensor '{name}' has the type {entry.DType.FileName()}", file.Path, "F64, F32, F16 or BF16");
        }
    }

    /// <summary>Refuses an adapter to start from that adapts other maps, or in another way.</summary>
    /// <exception cref="InvalidInputException">Something differs; both values are named.</exception>
    public static void RequireSame(LoraSpec have, LoraSpec wanted, string folder)
    {
        Same("maps", Names(have), Names(wanted));
        foreach (var (a, b) in have.Maps.Zip(wanted.Maps))
        {
            Same($"rank of {a.Module.FullName}", a.Rank, b.Rank);
            Same($"scale of {a.Module.FullName}", a.Scale, b.Scale);
        }

        static string Names(LoraSpec spec) => string.Join(", ", spec.Maps.Select(m => m.Module.FullName));

        void Same<T>(string what, T inAdapter, T inRun)
        {
            if (Equals(inAdapter, inRun)) return;
            throw new InvalidInputException(
                string.Create(CultureInfo.InvariantCulture, $"the adapter is no start for this run: its {what} is {inAdapter}, wanted is {inRun}"), folder, null,
                "give method the rank, alpha, rslora, targets and layers that it was trained with");
        }
    }

    /// <summary>The layer that a tensor's name speaks of; −1 for none.</summary>
    public static int LayerOf(string name) =>
        LayerIndex().Match(name) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : -1;

    [GeneratedRegex(@"\.layers\.([0-9]{1,9})\.")]
    private static partial Regex LayerIndex();
}
