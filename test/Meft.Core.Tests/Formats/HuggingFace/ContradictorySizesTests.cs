using System.Globalization;
using System.Text.Json.Nodes;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Shouldly;

namespace Meft.Core.Tests.Formats.HuggingFace;

/// <summary>Random sizes of every family: a config is read exactly where its sizes fit each other, and refused with both values where they do not.</summary>
public sealed class ContradictorySizesTests
{
    public static TheoryData<string> Families => [.. ModelFamily.KnownArchitectures];

    [Theory]
    [MemberData(nameof(Families))]
    public void Heads_widths_and_lists_fit_or_are_refused_with_both_values(string architecture)
    {
        int read = 0, refused = 0;
        for (var seed = 0; seed < 600; seed++)
        {
            var random = new Random(seed);
            int hidden = random.Next(1, 97), heads = random.Next(1, 9), keys = random.Next(1, 9), layers = random.Next(1, 5), types = random.Next(3) == 0 ? random.Next(1, 5) : layers;
            int? given = random.Next(2) == 0 ? random.Next(1, 20) : null;
            var json = Config(architecture, hidden, heads, keys, layers, given);
            // The list counts where some layer may slide.
            json["layer_types"] = new JsonArray([.. Enumerable.Repeat("full_attention", types).Select(t => JsonValue.Create(t))]);
            var countsTypes = architecture is not ("LlamaForCausalLM" or "MistralForCausalLM" or "Olmo2ForCausalLM" or "GraniteForCausalLM" or "Phi3ForCausalLM"
                or "GemmaForCausalLM");
            string[]? contradiction = given is null && hidden % heads != 0 ? [$"hidden_size is {hidden}", $"num_attention_heads, {heads}"]
                : heads % keys != 0 ? [$"num_attention_heads is {heads}", $"num_key_value_heads, {keys}"]
                : (given ?? hidden / heads) % 2 != 0 ? [$"head_dim is {given ?? hidden / heads}", "even"]
                : countsTypes && types != layers ? [$"layer_types names {types} layers", $"num_hidden_layers is {layers}"]
                : null;
            if (contradiction is null)
            {
                var config = ModelConfigReader.Parse(json.ToJsonString());
                (config.HiddenSize, config.HeadCount, config.KeyValueHeadCount, config.HeadSize).ShouldBe((hidden, heads, keys, given ?? hidden / heads));
                read++;
                continue;
            }
            var message = Should.Throw<InvalidInputException>(() => ModelConfigReader.Parse(json.ToJsonString(), "here.json"), $"seed {seed.ToString(CultureInfo.InvariantCulture)}").Message;
            message.ShouldStartWith("here.json");
            foreach (var part in contradiction) message.ShouldContain(part);
            refused++;
        }
        Math.Min(read, refused).ShouldBeGreaterThan(20);
    }

    private static JsonObject Config(string architecture, int hidden, int heads, int keys, int layers, int? headSize)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture),
            ["vocab_size"] = 50,
            ["hidden_size"] = hidden,
            ["intermediate_size"] = 32,
            ["num_hidden_layers"] = layers,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = keys,
            // Written as null it is hidden size over heads in families with a default of their own, too.
            ["head_dim"] = headSize,
            ["use_sliding_window"] = true,
        };
        return json;
    }
}
