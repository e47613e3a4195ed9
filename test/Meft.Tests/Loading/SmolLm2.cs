using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Loading;
using Meft.TestSupport;

namespace Meft.Tests.Loading;

/// <summary>SmolLM2 from its GGUF file with what transformers computed from the same weights; loaded once for a class of tests.</summary>
public class SmolLm2 : IDisposable
{
    private LoadedModel? _model;
    private JsonDocument? _golden;

    /// <summary>The model in float32; skips the calling test where the asset is absent.</summary>
    public LoadedModel Model => _model ??= Load(BaseDType.Fp32);

    /// <summary>What is loaded.</summary>
    public virtual string Path => Folder;

    /// <summary>The golden values.</summary>
    public JsonElement Golden
    {
        get
        {
            _golden ??= JsonDocument.Parse(File.ReadAllText(System.IO.Path.Combine(Folder, "golden_gguf.json")));
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
    public LoadedModel Load(BaseDType type) => LoadedModel.Load(Path, new ModelLoadOptions { Device = "cpu", DType = type });

    /// <summary>A list of ids.</summary>
    public static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the model.</summary>
    protected virtual void Dispose(bool disposing)
    {
        _model?.Dispose();
        _golden?.Dispose();
    }

    /// <summary>The asset's folder.</summary>
    protected static string Folder => Assets.Require("models", "smollm2-135m-instruct");
}

/// <summary>The same file alone in a folder of its own.</summary>
public sealed class LoneSmolLm2 : SmolLm2
{
    private readonly TemporaryFolder _folder = new();

    /// <inheritdoc/>
    public override string Path
    {
        get
        {
            var path = _folder.File("model.gguf");
            if (!File.Exists(path)) File.Copy(Directory.GetFiles(Folder, "*.gguf")[0], path);
            return path;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _folder.Dispose();
    }
}
