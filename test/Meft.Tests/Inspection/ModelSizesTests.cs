using Meft.Core.Formats.HuggingFace;
using Meft.Inspection;
using Shouldly;

namespace Meft.Tests.Inspection;

public class ModelSizesTests
{
    private const string Sizes = """
         "vocab_size": 100, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16
        """;

    [Fact]
    public void Soft_caps_and_multipliers_are_told()
    {
        var gemma = Of($$"""{"architectures": ["Gemma2ForCausalLM"], {{Sizes}}, "query_pre_attn_scalar": 16, "attn_logit_softcapping": 40.0, "final_logit_softcapping": null}""");
        (gemma.AttentionSoftCap, gemma.LogitSoftCap, gemma.EmbeddingMultiplier, gemma.AttentionMultiplier).ShouldBe((40, null, 8, 0.25));
        (gemma.ResidualMultiplier, gemma.LogitDivisor).ShouldBe((null, null));
        var granite = Of($$"""
            {"architectures": ["GraniteForCausalLM"], {{Sizes}}, "embedding_multiplier": 12.0, "attention_multiplier": 0.015, "residual_multiplier": 0.22, "logits_scaling": 8.0}
            """);
        (granite.EmbeddingMultiplier, granite.AttentionMultiplier, granite.ResidualMultiplier, granite.LogitDivisor).ShouldBe((12, 0.015, 0.22, 8));
        var llama = Of($$"""{"architectures": ["LlamaForCausalLM"], {{Sizes}}}""");
        (llama.EmbeddingMultiplier, llama.AttentionMultiplier, llama.ResidualMultiplier, llama.LogitDivisor, llama.LogitSoftCap).ShouldBe((null, null, null, null, null));
    }

    private static ModelSizes Of(string json) => ModelSizes.Of(ModelConfigReader.Parse(json));
}
