using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>Small random models that need no file.</summary>
internal static class TinyDecoder
{
    public static ModelConfig Llama { get; } = new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = 48,
        HiddenSize = 32,
        IntermediateSize = 40,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadSize = 8,
        MaxPositions = 64,
        // Wide enough that layers matter.
        InitializerRange = 0.3,
    };

    public static Decoder Create(ModelConfig config, ulong seed = 7) => Decoder.Initialize(config, seed, CPU, float32);

    /// <summary>How many more tensors live after an action than before, the second time it runs.</summary>
    public static long LiveTensorsAdded(Action action)
    {
        action();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        action();
        return DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount - before;
    }
}
