using Meft.Core.Adapters;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Storage;
using Meft.Host;

namespace Meft.Adapters;

/// <summary>
/// The adapter folder: <c>adapter_model.safetensors</c> with <c>layers.{i}.keys [R, D]</c>, <c>layers.{i}.values [R, D]</c>,
/// <c>layers.{i}.gate [N, D]</c> in float32, and <c>adapter_config.json</c>.
/// </summary>
public static class SparseAdapterFiles
{
    /// <summary>The file with the numbers.</summary>
    public const string WeightsFileName = "adapter_model.safetensors";

    private const string Keys = "keys", Values = "values", Gate = "gate";

    /// <summary>The adapter's parameters by their names in files, in a fixed order.</summary>
    public static IReadOnlyList<TrainedMatrix> Matrices(SparseAdapter adapter)
    {
        var matrices = new List<TrainedMatrix>();
        foreach (var (layer, store) in adapter.Stores)
        {
            matrices.Add(Named(layer, Keys, store.Keys));
            matrices.Add(Named(layer, Values, store.Values));
            if (adapter.Spec.Experts > 0) matrices.Add(Named(layer, Gate, store.Gate));
        }
        return matrices;
    }

    /// <summary>Writes an adapter folder, each file atomically, the config last.</summary>
    public static void Save(SparseAdapter adapter, AdapterIdentity identity, string folder) =>
        Save(Matrices(adapter), adapter.Spec, identity, folder);

    internal static void Save(IReadOnlyList<TrainedMatrix> matrices, SparseAdapterSpec spec, AdapterIdentity identity, string folder)
    {
        Directory.CreateDirectory(folder);
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach (var matrix in matrices) HostMatrixFiles.Add(writer, matrix.Name, matrix.Shape, matrix.Rows.Weights);
        writer.Save(Path.Combine(folder, WeightsFileName));
        AtomicFile.WriteAllText(Path.Combine(folder, AdapterConfig.FileName), AdapterConfig.Of(spec, identity).ToJson());
    }

    /// <summary>Reads an adapter for a base model.</summary>
    /// <param name="folder">The adapter folder.</param>
    /// <param name="baseConfig">The base it shall run beside.</param>
    /// <exception cref="InvalidInputException">
    /// The folder holds no sparse adapter, its tensors are not those of its config, or it does not fit the base: both values are named.
    /// </exception>
    public static SparseAdapter Load(string folder, ModelConfig baseConfig)
    {
        var config = AdapterConfig.Read(folder);
        RequireFit(config, baseConfig, folder);
        var spec = config.ToSpec();
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        RequireTensors(file, spec); // before room is made for what the config promises
        var adapter = new SparseAdapter(spec);
        try
        {
            ReadWeights(adapter, file);
            return adapter;
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites an adapter's parameters with those of a folder whose sizes must be the same.</summary>
    /// <exception cref="InvalidInputException">The sizes differ: both values are named.</exception>
    public static void LoadInto(SparseAdapter adapter, string folder, ModelConfig baseConfig)
    {
        var config = AdapterConfig.Read(folder);
        RequireFit(config, baseConfig, folder);
        var (have, wanted) = (config.ToSpec(), adapter.Spec);
        RequireEqual("rank", have.Rank, wanted.Rank, folder);
        RequireEqual("experts", have.Experts, wanted.Experts, folder);
        RequireEqual("gate", have.Gate, wanted.Gate, folder);
        RequireEqual("layers", string.Join(", ", have.Layers), string.Join(", ", wanted.Layers), folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        RequireTensors(file, have);
        ReadWeights(adapter, file);
    }

    private static void RequireTensors(SafetensorsFile file, SparseAdapterSpec spec)
    {
        var wanted = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var layer in spec.Layers)
        {
            wanted.Add(NameOf(layer, Keys), [spec.Rank, spec.HiddenSize]);
            wanted.Add(NameOf(layer, Values), [spec.Rank, spec.HiddenSize]);
            if (spec.Experts > 0) wanted.Add(NameOf(layer, Gate), [spec.Experts, spec.HiddenSize]);
        }
        var surplus = file.Tensors.Keys.Where(name => !wanted.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        if (surplus.Count > 0)
            throw new InvalidInputException($"tensors that {AdapterConfig.FileName} does not speak of: {string.Join(", ", surplus)}", file.Path);
        foreach (var (name, shape) in wanted) HostMatrixFiles.Require(file, name, shape);
    }

    private static void ReadWeights(SparseAdapter adapter, SafetensorsFile file)
    {
        foreach (var matrix in Matrices(adapter)) HostMatrixFiles.Read(file, matrix.Name, matrix.Shape, matrix.Rows.Weights);
    }

    private static void RequireFit(AdapterConfig config, ModelConfig baseConfig, string folder)
    {
        RequireEqual("hidden size", config.HiddenSize, baseConfig.HiddenSize, folder);
        if (config.Layers.Count > 0 && config.Layers[^1] >= baseConfig.LayerCount)
        {
            throw new InvalidInputException(
                $"the adapter has layer {config.Layers[^1]} and the base model has {baseConfig.LayerCount} layers", folder, null,
                $"use the base it was trained on: {config.BaseModelNameOrPath}");
        }
        if (config.BaseConfigSha256 is { } hash) RequireEqual("base config (SHA-256)", hash, BaseFingerprint.Of(baseConfig), folder);
    }

    private static void RequireEqual<T>(string what, T inAdapter, T inBase, string folder)
    {
        if (Equals(inAdapter, inBase)) return;
        throw new InvalidInputException(
            $"the adapter does not fit: its {what} is {inAdapter}, wanted is {inBase}", folder, null,
            "use the base model and the sizes that it was trained with");
    }

    private static TrainedMatrix Named(int layer, string part, ParameterRows rows) =>
        new(NameOf(layer, part), [rows.Rows, rows.Weights.Dimension], rows);

    private static string NameOf(int layer, string part) => $"layers.{layer}.{part}";
}
