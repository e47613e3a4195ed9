using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Loading;
using Meft.TestSupport;

namespace Meft.Tests.Loading;

/// <summary>SmolLM2 from its GGUF file with what transformers computed from the same weights; loaded once for a class of tests.</summary>
public sealed class SmolLm2 : IDisposable
{
    private LoadedModel? _model;
    private JsonDocument? _golden;

    /// <summary>The model in float32; skips the calling test where the asset is absent.</summary>
    public LoadedModel Model => _model ??= Load(BaseDType.Fp32);

    /// <summary>The golden values.</summary>
    public JsonElement Golden
    {
        get
        {
            _golden ??= JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "golden_gguf.json")));
            return _golden.RootElement;
        }
    }

    /// <summary>Golden generations by their index; the theory's rows.</summary>
    public static TheoryData<int> Generations
    {
        get
        {
            var path = Assets.Find("models", "smollm2-135m-instruct", "golden_gguf.json");
            if (path is null) return [0];
            using var golden = JsonDocument.Parse(File.ReadAllText(path));
            return [.. Enumerable.Range(0, golden.RootElement.GetProperty("generation").GetArrayLength())];
        }
    }

    /// <summary>Loads the model in another type.</summary>
    public static LoadedModel Load(BaseDType type) => LoadedModel.Load(Folder, new ModelLoadOptions { Device = "cpu", DType = type });

    /// <summary>A list of ids.</summary>
    public static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];

    /// <inheritdoc/>
    public void Dispose()
    {
        _model?.Dispose();
        _golden?.Dispose();
    }

    private static string Folder => Assets.Require("models", "smollm2-135m-instruct");
}
