using System.Text.Json;
using Meft.Core.Formats.Safetensors;
using Meft.Models;
using Meft.TestSupport;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>A folder of the assets' models/tiny or models/families with its golden values.</summary>
internal sealed class TinyModel : IDisposable
{
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the decoder computes; null for the CPU, where the goldens are.</param>
    public TinyModel(string folder, Device? device = null)
    {
        Decoder = Decoder.Load(folder, device ?? CPU, ScalarType.Float32);
        using var goldens = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        Ids = goldens.ReadTensor("input_ids");
        Mask = goldens.ReadTensor("attention_mask");
        Labels = goldens.ReadTensor("labels");
        Logits = goldens.ReadTensor("logits");
        EmbeddingGradient = goldens.ReadTensor("input_embeds_grad");
        Golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")));
    }

    /// <summary>"tiny/NAME" and "families/NAME" for every folder.</summary>
    public static TheoryData<string> Names => Assets.Enumerate("models", path => new[] { "tiny", "families" }
        .SelectMany(group => Assets.FoldersBelow(path, group).Select(folder => $"{group}/{Path.GetFileName(folder)}")));

    /// <summary>The folder of a name; skips the test where it is absent.</summary>
    public static string Folder(string name) => Assets.Require(["models", .. name.Split('/')]);

    public Decoder Decoder { get; }

    /// <summary>[B, S].</summary>
    public Tensor Ids { get; }

    /// <summary>[B, S], 1 at real tokens.</summary>
    public Tensor Mask { get; }

    /// <summary>[B, S], −100 where not trained.</summary>
    public Tensor Labels { get; }

    /// <summary>[B, S, V], float64.</summary>
    public Tensor Logits { get; }

    /// <summary>[B, S, D], float64.</summary>
    public Tensor EmbeddingGradient { get; }

    public JsonDocument Golden { get; }

    /// <summary>The largest difference between two tensors, taken in float64.</summary>
    public static double Difference(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return (a.to(float64) - b.to(float64)).abs().max().item<double>();
    }

    /// <summary>Whether two tensors are the same in every element, sign of zero aside.</summary>
    public static bool Same(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return a.dtype == b.dtype && a.shape.SequenceEqual(b.shape) && a.eq(b).all().item<bool>();
    }

    /// <summary>Moves each row's padding from its right to its left end.</summary>
    public static Tensor LeftPadded(Tensor padded, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var width = padded.shape[1];
        var rows = Enumerable.Range(0, (int)padded.shape[0])
            .Select(row => padded[row].roll(width - mask[row].sum().item<long>(), 0)).ToArray();
        return stack(rows).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Decoder.Dispose();
        Ids.Dispose();
        Mask.Dispose();
        Labels.Dispose();
        Logits.Dispose();
        EmbeddingGradient.Dispose();
        Golden.Dispose();
    }
}
