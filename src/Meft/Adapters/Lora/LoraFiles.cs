using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Storage;
using Meft.Host;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Adapters.Lora;

/// <summary>PEFT's adapter folder: <c>adapter_model.safetensors</c> with A and B of every map, and <c>adapter_config.json</c>.</summary>
public static class LoraFiles
{
    /// <summary>The file with the numbers.</summary>
    public const string WeightsFileName = SparseAdapterFiles.WeightsFileName;

    private const string Prefix = "base_model.model.";

    /// <summary>Writes an adapter folder, each file atomically, the config last.</summary>
    /// <param name="matrices">A and B by their names in files.</param>
    /// <param name="config">The config.</param>
    /// <param name="folder">The folder; made where it is not there.</param>
    internal static void Save(IEnumerable<TrainedMatrix> matrices, PeftLoraConfig config, string folder)
    {
        var writer = new SafetensorsWriter();
        foreach (var matrix in matrices) HostMatrixFiles.Add(writer, matrix.Name, matrix.Shape, matrix.Rows.Weights);
        Save(writer, config, folder);
    }

    /// <summary>Writes an adapter folder, each file atomically, the config last.</summary>
    /// <exception cref="RunFailedException">A file cannot be written.</exception>
    public static void Save(LoraAdapter adapter, PeftLoraConfig config, string folder)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in adapter.Parameters) writer.Add(name, tensor);
        Save(writer, config, folder);
    }

    /// <summary>Reads an adapter for a base model.</summary>
    /// <param name="folder">The adapter folder.</param>
    /// <param name="baseConfig">The base it shall run beside.</param>
    /// <param name="device">Where the parameters shall be.</param>
    /// <exception cref="InvalidInputException">
    /// The folder holds no LoRA adapter that can be computed with, its tensors are not those of its config, or it does not fit the base: both
    /// values are named.
    /// </exception>
    public static LoraAdapter Load(string folder, ModelConfig baseConfig, Device device) =>
        Load(folder, PeftLoraConfig.Read(folder), baseConfig, device);

    internal static LoraAdapter Load(string folder, PeftLoraConfig config, ModelConfig baseConfig, Device device)
    {
        var path = Path.Combine(folder, WeightsFileName);
        if (!File.Exists(path)) throw new InvalidInputException($"no {WeightsFileName}", folder, "the folder of a LoRA adapter as PEFT saves it");
        using var file = SafetensorsFile.Open(path);
        LoraFit.RequireLayers(file, config, baseConfig);
        var spec = config.ResolveFor(baseConfig);
        LoraFit.RequireTensors(file, spec, config);
        var adapter = new LoraAdapter(spec, device);
        try
        {
            using var noGradients = no_grad();
            foreach (var (name, parameter) in adapter.Parameters)
            {
                using var stored = file.ReadTensor(name);
                parameter.copy_(stored);
            }
            return adapter;
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites an adapter's parameters with those of a folder, which must adapt the same maps in the same way.</summary>
    /// <exception cref="InvalidInputException">It does not: both values are named.</exception>
    public static void LoadInto(LoraAdapter adapter, string folder, ModelConfig baseConfig)
    {
        using var start = Load(folder, baseConfig, CPU);
        LoraFit.RequireSame(start.Spec, adapter.Spec, folder);
        using var noGradients = no_grad();
        foreach (var (target, source) in adapter.Parameters.Zip(start.Parameters)) target.Value.copy_(source.Value);
    }

    internal static string NameOfA(LinearModule module) => $"{Prefix}{module.FullName}.lora_A.weight";

    internal static string NameOfB(LinearModule module) => $"{Prefix}{module.FullName}.lora_B.weight";

    private static void Save(SafetensorsWriter writer, PeftLoraConfig config, string folder)
    {
        Directory.CreateDirectory(folder);
        writer.SetMetadata("format", "pt");
        writer.Save(Path.Combine(folder, WeightsFileName));
        AtomicFile.WriteAllText(Path.Combine(folder, AdapterConfig.FileName), config.ToJson());
    }
}
