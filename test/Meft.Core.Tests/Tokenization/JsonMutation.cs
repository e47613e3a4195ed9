using System.Text.Json.Nodes;

namespace Meft.Core.Tests.Tokenization;

/// <summary>
/// Damages a JSON text in ways that leave most of its structure: a value replaced, removed, moved or doubled; now and then cut off.
/// </summary>
internal static class JsonMutation
{
    public static string Mutate(string json, Random random)
    {
        var root = JsonNode.Parse(json)!;
        for (var count = random.Next(1, 4); count > 0; count--) MutateOne(root, random);
        var text = root.ToJsonString();
        return random.Next(20) == 0 ? text[..random.Next(text.Length)] : text;
    }

    private static void MutateOne(JsonNode root, Random random)
    {
        var parent = PickContainer(root, random);
        switch (parent)
        {
            case JsonObject { Count: > 0 } container:
                var name = container.ElementAt(random.Next(container.Count)).Key;
                if (random.Next(4) == 0) container.Remove(name);
                else container[name] = NewValue(container[name], root, random);
                break;
            case JsonArray { Count: > 0 } array:
                var index = random.Next(array.Count);
                if (random.Next(4) == 0) array.RemoveAt(index);
                else if (random.Next(4) == 0) array.Add(array[index]?.DeepClone());
                else array[index] = NewValue(array[index], root, random);
                break;
        }
    }

    /// <summary>Goes down a random path, so that small containers near the root are picked as often as the large vocabulary.</summary>
    private static JsonNode PickContainer(JsonNode root, Random random)
    {
        var node = root;
        while (random.Next(4) != 0)
        {
            var children = (node switch
            {
                JsonObject container => container.Select(member => member.Value),
                JsonArray array => array,
                _ => [],
            }).Where(child => child is JsonObject or JsonArray).ToList();
            if (children.Count == 0) break;
            node = children[random.Next(children.Count)]!;
        }
        return node;
    }

    private static JsonNode? NewValue(JsonNode? old, JsonNode root, Random random) => random.Next(10) switch
    {
        0 => null,
        1 => JsonValue.Create(random.Next(-2, 300)),
        2 => JsonValue.Create(random.Next(2) == 0 ? int.MaxValue : 1.5),
        3 => JsonValue.Create(random.Next(2) == 0),
        4 => JsonValue.Create(""),
        5 => JsonValue.Create(new[] { "a", "he", "\uFFFD", " ", "\U0001F600", "ByteLevel", "Sequence", "Strip", "Metaspace", "BPE" }[random.Next(10)]),
        6 => new JsonArray(),
        7 => new JsonObject(),
        8 => PickContainer(root, random).DeepClone(),
        _ => old is null ? null : new JsonArray(old.DeepClone()),
    };
}
