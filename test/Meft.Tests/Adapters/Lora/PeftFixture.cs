using System.Text.Json;
using Meft.Adapters.Lora;
using Meft.Core.Formats.Safetensors;
using Meft.Models;
using Meft.TestSupport;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters.Lora;

/// <summary>A folder of fixtures/peft_lora: an adapter that PEFT saved, its base, and what PEFT computed with them in float64.</summary>
internal sealed class PeftFixture : IDisposable
{
    private readonly JsonDocument _options;
    private readonly SafetensorsFile _golden;
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public PeftFixture(string name)
    {
        Folder = Assets.Require("fixtures", "peft_lora", name);
        _options = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "golden.json")));
        _golden = SafetensorsFile.Open(Path.Combine(Folder, "golden.safetensors"));
        BaseFolder = Assets.Require("models", "tiny", _options.RootElement.GetProperty("model").GetString()!);
        Decoder = Decoder.Load(BaseFolder, CPU, ScalarType.Float32);
        Config = PeftLoraConfig.Read(Folder);
    }

    public static TheoryData<string> Names => Assets.Folders("fixtures/peft_lora");

    public string Folder { get; }

    public string BaseFolder { get; }

    public Decoder Decoder { get; }

    public PeftLoraConfig Config { get; }

    public IReadOnlyList<double> Losses => [.. _options.RootElement.GetProperty("losses").EnumerateArray().Select(l => l.GetDouble())];

    public double Option(string key) => _options.RootElement.GetProperty(key).GetDouble();

    public (double, double) Betas => (_options.RootElement.GetProperty("betas")[0].GetDouble(), _options.RootElement.GetProperty("betas")[1].GetDouble());

    /// <summary>The adapter, in the test's scope of disposal: the caller disposes it.</summary>
    public LoraAdapter LoadAdapter() => LoraFiles.Load(Folder, Decoder.Config, CPU);

    public Tensor Golden(string name) => Tensors.Read(_golden, name);

    public IReadOnlyCollection<string> GoldenNames => [.. _golden.Tensors.Keys];

    /// <summary>The logits [B·S, V] of the fixture's batch.</summary>
    public Tensor Logits(Decoder decoder, IDecoderAdapter? adapter)
    {
        using var noGradients = no_grad();
        var ids = Golden("input_ids");
        using var layout = TokenLayout.FromLengths([.. Enumerable.Repeat((int)ids.shape[1], (int)ids.shape[0])], CPU);
        return decoder.Logits(decoder.Forward(ids.flatten(), layout, adapter: adapter));
    }

    public void Dispose()
    {
        _scope.Dispose();
        Decoder.Dispose();
        _golden.Dispose();
        _options.Dispose();
    }
}
